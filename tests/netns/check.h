/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka, and the check for the steps that lead to a test's own question. */
#ifndef NETNS_CHECK_H
#define NETNS_CHECK_H

/* cmocka.h wants these four above it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Returns rc, unless it is a negative errno: then the test fails with what could not be done. */
#define must(rc, what) check_rc((rc), (what), __FILE__, __LINE__)

int check_rc(int rc, const char *what, const char *file, int line);

/* Whether the processors are emulated, and all is several times slower ($CLOSEWAITD_TEST_EMULATED). */
bool is_emulated(void);

#endif
