/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conftype: durations, port ranges and address prefixes to and from text, and the nearest word. */
#ifndef CW_CONFTYPE_H
#define CW_CONFTYPE_H

#include "policy.h"

#include <stddef.h>
#include <stdint.h>

#define CONFTYPE_SECOND ((uint64_t)1000)
#define CONFTYPE_HOUR	(3600 * CONFTYPE_SECOND)
#define CONFTYPE_DAY	(24 * CONFTYPE_HOUR)

/* Room for any of the formatted values, NUL included. */
#define CONFTYPE_STRLEN 64

/* "500ms", "30s", "5m", "2h", "1d" to milliseconds; -EINVAL, -ERANGE where 64 bits are too few. */
int conftype_duration(const char *text, uint64_t *ret_ms);
/* The same in the largest unit that needs no fraction; "0s" for nothing. */
const char *conftype_format_duration(uint64_t ms, char buf[static CONFTYPE_STRLEN]);

/* "80" or "8000-8099", from 1 to 65535, in order; -EINVAL. */
int conftype_ports(const char *text, struct policy_ports *ret_ports);
const char *conftype_format_ports(const struct policy_ports *ports,
				  char buf[static CONFTYPE_STRLEN]);

/*
 * "127.0.0.0/8", "::1"; an address alone has its full length. -EINVAL for what is neither, -ERANGE
 * for a length beyond the address's.
 */
int conftype_prefix(const char *text, struct policy_prefix *ret_prefix);
/* The prefix without the bits beyond its length. */
struct policy_prefix conftype_prefix_masked(const struct policy_prefix *prefix);
const char *conftype_format_prefix(const struct policy_prefix *prefix,
				   char buf[static CONFTYPE_STRLEN]);

/* A word of a list, NULL where the index has none. */
typedef const char *conftype_word(unsigned int index, const void *ctx);
/*
 * The word, of those with an index below n, that text was most likely meant to be; NULL if none is
 * close. Distance: insertions, deletions, substitutions and swaps of neighbours, upper and lower
 * case taken as the same.
 */
const char *conftype_nearest(const char *text, conftype_word *word, unsigned int n,
			     const void *ctx);

#endif
