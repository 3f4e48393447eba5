/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines of the tools. What is wrong with one is told on stderr, after the name of the
 * program, and ends it with EXIT_USAGE.
 */
#ifndef TEST_USAGE_H
#define TEST_USAGE_H

#include "lib/endpoint.h"
#include "lib/ports.h"

#define EXIT_USAGE 2

/* "PROGRAM: what: value; try --help"; value may be NULL. */
_Noreturn void usage_error(const char *what, const char *value);
/* Not the command line but the system is to blame; err may have either sign. Status 1. */
_Noreturn void fatal(const char *what, int err);

/* A decimal number from min to max; what says that it has to be one, and ends in "not". */
long usage_number(const char *text, long min, long max, const char *what);
/* Takes the place of what ports held. */
void usage_ports(const char *text, struct ports *ports);
/* The only argument behind the options: ADDR:PORT or [ADDR6]:PORT. */
union endpoint usage_endpoint(int argc, char **argv, int optind_now);

#endif
