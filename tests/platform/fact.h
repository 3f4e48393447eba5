/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame of a platform program: it measures facts about the running kernel in a network
 * namespace of its own, prints each as `fact NAME: VALUE`, and compares those that closewaitd
 * relies on with what it expects.
 */
#ifndef PLATFORM_FACT_H
#define PLATFORM_FACT_H

#include <stdbool.h>

/* Prints the title with the kernel release and enters the namespace; skips without the rights. */
void fact_begin(const char *title);

/* A fact that is only reported. */
void fact(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A fact that must have the value `want`. */
void fact_is(const char *name, const char *want, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A fact whose value is printed and whose condition must hold. */
void fact_holds(bool holds, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints `ok` or `FAIL`; its result is main()'s. */
int fact_end(void);

/* This kernel or this process cannot run the program: exits 77 with the reason. */
_Noreturn void fact_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Exits 77, "SKIP needs WHAT", if rc is a negative errno. */
void need(int rc, const char *what);

/*
 * For the steps that lead to a fact: returns rc unless it is a negative errno, which ends the
 * program with FAIL and what could not be done.
 */
int must(int rc, const char *what);

#endif
