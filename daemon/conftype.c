/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "conftype.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Words longer than this are not compared: none of ours is half as long. */
#define NEAREST_MAX 64

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{"d", CONFTYPE_DAY},
	{"h", CONFTYPE_HOUR},
	{"m", 60 * CONFTYPE_SECOND},
	{"s", CONFTYPE_SECOND},
	{"ms", 1},
};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes the decimal number at *text and moves past it. -EINVAL: no digit, -ERANGE: above max. */
static int take_number(const char **text, uint64_t max, uint64_t *ret_value)
{
	const char *p = *text;
	uint64_t value = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (value > (max - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	*text = p;
	*ret_value = value;
	return 0;
}

int conftype_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t value;
	int err = take_number(&text, UINT64_MAX, &value);

	if (err < 0)
		return err;
	for (size_t i = 0; i < N_UNITS; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (value > UINT64_MAX / units[i].ms)
			return -ERANGE;
		*ret_ms = value * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

const char *conftype_format_duration(uint64_t ms, char buf[static CONFTYPE_STRLEN])
{
	size_t i = 0;

	if (ms == 0)
		return strcpy(buf, "0s");
	while (ms % units[i].ms != 0)
		i++; /* ends at the latest with the unit of one millisecond */
	snprintf(buf, CONFTYPE_STRLEN, "%llu%s", (unsigned long long)(ms / units[i].ms),
		 units[i].name);
	return buf;
}

int conftype_ports(const char *text, struct policy_ports *ret_ports)
{
	uint64_t first, last;

	if (take_number(&text, UINT16_MAX, &first) < 0)
		return -EINVAL;
	last = first;
	if (*text == '-') {
		text++;
		if (take_number(&text, UINT16_MAX, &last) < 0)
			return -EINVAL;
	}
	if (*text != '\0' || first == 0 || first > last)
		return -EINVAL;
	*ret_ports = (struct policy_ports){(uint16_t)first, (uint16_t)last};
	return 0;
}

const char *conftype_format_ports(const struct policy_ports *ports,
				  char buf[static CONFTYPE_STRLEN])
{
	if (ports->first == ports->last)
		snprintf(buf, CONFTYPE_STRLEN, "%u", ports->first);
	else
		snprintf(buf, CONFTYPE_STRLEN, "%u-%u", ports->first, ports->last);
	return buf;
}

int conftype_prefix(const char *text, struct policy_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN];
	struct policy_prefix prefix;
	unsigned int start = 0; /* bits of the 128-bit form that come before the address */
	struct in_addr v4;
	uint64_t bits;

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';

	if (inet_pton(AF_INET, host, &v4) == 1) {
		prefix.addr = addr_from_v4(v4.s_addr);
		start = 96;
	} else if (inet_pton(AF_INET6, host, &prefix.addr) != 1) {
		return -EINVAL;
	}

	bits = 128 - start;
	if (slash) {
		const char *p = slash + 1;
		int err = take_number(&p, 128 - start, &bits);

		if (err < 0)
			return err;
		if (*p != '\0')
			return -EINVAL;
	}
	prefix.bits = start + (unsigned int)bits;
	*ret_prefix = prefix;
	return 0;
}

struct policy_prefix conftype_prefix_masked(const struct policy_prefix *prefix)
{
	struct policy_prefix masked = *prefix;

	for (unsigned int bit = prefix->bits; bit < 128; bit++)
		masked.addr.s6_addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return masked;
}

const char *conftype_format_prefix(const struct policy_prefix *prefix,
				   char buf[static CONFTYPE_STRLEN])
{
	/* A prefix that reaches into ::ffff:0:0/96 is more than IPv4 and keeps the IPv6 form. */
	bool v4 = addr_is_v4(&prefix->addr) && prefix->bits >= 96;
	char addr[INET6_ADDRSTRLEN];

	addr_format(&prefix->addr, addr);
	if (prefix->bits == 128)
		snprintf(buf, CONFTYPE_STRLEN, "%s", addr);
	else
		snprintf(buf, CONFTYPE_STRLEN, "%s/%u", addr, prefix->bits - (v4 ? 96 : 0));
	return buf;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/* The optimal string alignment distance, row by row; both are at most NEAREST_MAX long. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][NEAREST_MAX + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];
	size_t len_a = strlen(a), len_b = strlen(b);

	for (size_t j = 0; j <= len_b; j++)
		above[j] = (unsigned int)j;
	for (size_t i = 1; i <= len_a; i++) {
		unsigned int *reuse = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= len_b; j++) {
			char ca = lower(a[i - 1]), cb = lower(b[j - 1]);

			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == lower(b[j - 2]) && lower(a[i - 2]) == cb &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = above;
		above = row;
		row = reuse;
	}
	return above[len_b];
}

const char *conftype_nearest(const char *text, conftype_word *word, unsigned int n, const void *ctx)
{
	const char *nearest = NULL;
	unsigned int least = 0;

	if (strlen(text) > NEAREST_MAX)
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		const char *candidate = word(i, ctx);
		unsigned int d, close;

		if (!candidate)
			continue;
		d = distance(text, candidate);
		/* One slip in three letters: more, and the guess is as likely wrong as right. */
		close = (unsigned int)strlen(candidate) / 3;
		if (close < 1)
			close = 1;
		if (d <= close && (!nearest || d < least)) {
			nearest = candidate;
			least = d;
		}
	}
	return nearest;
}
