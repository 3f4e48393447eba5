/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: what the unit tests share: cmocka, memory that ends where it should, words, chance. */
#ifndef CW_TEST_UNIT_H
#define CW_TEST_UNIT_H

/* cmocka.h wants these four above it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Bytes that fit in front of the guard page: more than any IP packet has. */
#define UNIT_EDGE_SIZE 131072

/*
 * Copies len bytes so that the page behind them cannot be read: whoever looks past the end crashes
 * the test. align (a power of two) is that of the first byte; with 1 the end is exact, with more
 * up to align - 1 bytes of slack may follow. The copy lives until the next call.
 */
uint8_t *unit_edge(const void *bytes, size_t len, size_t align);
/* The same on the heap, exact at any alignment, for valgrind and AddressSanitizer; free() it. */
uint8_t *unit_heap(const void *bytes, size_t len);

/* One enum's words, through functions that hide the enum's type. */
typedef const char *unit_name_fn(unsigned int value);
typedef int unit_parse_fn(const char *text, unsigned int *ret_value);
/*
 * words[value] is what name(value) must return; NULL where there is no such value. Every word must
 * be found again by parse() (NULL: the enum has none), and nothing else: no prefix, no upper case,
 * no added character, not "" or NULL or nonsense.
 */
void unit_check_words(const char *const words[], unsigned int n, unit_name_fn *name,
		      unit_parse_fn *parse);

/*
 * How often a test that draws lots goes round: n times, or that percentage of it which stands in the
 * environment as UNIT_PERCENT, for runs under valgrind.
 */
unsigned int unit_rounds(unsigned int n);

/* The same numbers in every run: a failure can be repeated. */
struct unit_random {
	uint64_t state;
};
uint32_t unit_random(struct unit_random *random);
/* 0 to below - 1. */
uint32_t unit_random_below(struct unit_random *random, uint32_t below);

#endif
