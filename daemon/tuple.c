/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tuple.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct in6_addr addr_from_v4(in_addr_t v4)
{
	struct in6_addr addr = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(&addr.s6_addr[12], &v4, sizeof(v4));
	return addr;
}

bool addr_is_v4(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_V4MAPPED(addr);
}

in_addr_t addr_to_v4(const struct in6_addr *addr)
{
	in_addr_t v4;

	memcpy(&v4, &addr->s6_addr[12], sizeof(v4));
	return v4;
}

bool addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool addr_is_loopback(const struct in6_addr *addr)
{
	if (addr_is_v4(addr))
		return addr->s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(addr);
}

bool addr_is_linklocal(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_LINKLOCAL(addr);
}

bool addr_in_prefix(const struct in6_addr *addr, const struct in6_addr *prefix, unsigned int bits)
{
	unsigned int whole = bits / 8;
	unsigned int rest = bits % 8;

	if (bits > 128)
		return false;
	if (memcmp(addr, prefix, whole) != 0)
		return false;
	if (rest == 0)
		return true;

	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	return ((addr->s6_addr[whole] ^ prefix->s6_addr[whole]) & mask) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int order = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return order ? order : memcmp(&a->port, &b->port, sizeof(a->port));
}

int tuple_compare(const struct tuple *a, const struct tuple *b)
{
	int order = endpoint_compare(&a->src, &b->src);

	return order ? order : endpoint_compare(&a->dst, &b->dst);
}

bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return a->scope == b->scope && endpoint_equal(&a->src, &b->src) &&
	       endpoint_equal(&a->dst, &b->dst);
}

const struct in6_addr *tuple_linklocal(const struct tuple *t)
{
	if (addr_is_linklocal(&t->dst.addr))
		return &t->dst.addr;
	return addr_is_linklocal(&t->src.addr) ? &t->src.addr : NULL;
}

struct tuple tuple_reverse(const struct tuple *t)
{
	return (struct tuple){.src = t->dst, .dst = t->src, .scope = t->scope};
}

const char *addr_format(const struct in6_addr *addr, char buf[static INET6_ADDRSTRLEN])
{
	/* Neither call can fail: the families are known and the buffer has the room. */
	if (addr_is_v4(addr))
		return inet_ntop(AF_INET, &addr->s6_addr[12], buf, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
}

const char *endpoint_format(const struct endpoint *ep, char buf[static ENDPOINT_STRLEN])
{
	char addr[INET6_ADDRSTRLEN];

	addr_format(&ep->addr, addr);
	snprintf(buf, ENDPOINT_STRLEN, addr_is_v4(&ep->addr) ? "%s:%u" : "[%s]:%u", addr,
		 ntohs(ep->port));
	return buf;
}

const char *tuple_format(const struct tuple *t, char buf[static TUPLE_STRLEN])
{
	char src[ENDPOINT_STRLEN];
	char dst[ENDPOINT_STRLEN];

	snprintf(buf, TUPLE_STRLEN, "%s -> %s", endpoint_format(&t->src, src),
		 endpoint_format(&t->dst, dst));
	return buf;
}

/* One to five decimal digits, at most 65535. */
static int port_parse(const char *text, in_port_t *ret_port)
{
	unsigned int value = 0;
	size_t len = strlen(text);

	if (len < 1 || len > 5)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned int)(*text - '0');
	}
	if (value > UINT16_MAX)
		return -EINVAL;
	*ret_port = htons((uint16_t)value);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *ret_ep)
{
	char host[INET6_ADDRSTRLEN];
	struct endpoint ep;
	struct in_addr v4;
	bool bracket = text[0] == '[';
	const char *colon = strrchr(text, ':');

	if (!colon)
		return -EINVAL;

	const char *start = bracket ? text + 1 : text;
	const char *end = bracket ? colon - 1 : colon;

	if (end < start || (bracket && *end != ']'))
		return -EINVAL;

	size_t len = (size_t)(end - start);

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, start, len);
	host[len] = '\0';

	if (bracket) {
		if (inet_pton(AF_INET6, host, &ep.addr) != 1)
			return -EINVAL;
	} else {
		if (inet_pton(AF_INET, host, &v4) != 1)
			return -EINVAL;
		ep.addr = addr_from_v4(v4.s_addr);
	}
	if (port_parse(colon + 1, &ep.port) < 0)
		return -EINVAL;
	*ret_ep = ep;
	return 0;
}
