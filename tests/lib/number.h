/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_NUMBER_H
#define TEST_NUMBER_H

/* A decimal number from min to max, min not negative, and nothing behind it: 0 or -EINVAL. */
int number_parse(const char *text, long min, long max, long *ret_value);

#endif
