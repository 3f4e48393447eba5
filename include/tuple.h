/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tuple: addresses, endpoints and the pair of endpoints that names a TCP connection.
 *
 * One representation for both families: an IPv4 address is kept v4-mapped (::ffff:a.b.c.d). Ports
 * are in network byte order. Values, not objects: copied freely, nothing to release.
 */
#ifndef CW_TUPLE_H
#define CW_TUPLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint {
	struct in6_addr addr;
	in_port_t port;
};

/*
 * Seen from the packet: src sent the SYN, dst is where it goes. scope is the index of the
 * interface that a look-up has to name, 0 for none: a socket that is bound to an interface is found
 * by no other (inet_sk_bound_dev_eq() in include/net/inet_sock.h). For a link-local address that is
 * the interface that owns it, else the one that the SYN came in on.
 */
struct tuple {
	struct endpoint src;
	struct endpoint dst;
	uint32_t scope;
};

/* Room for "[v6 address]:port" and for two of them with " -> " between, NUL included. */
#define ENDPOINT_STRLEN (INET6_ADDRSTRLEN + 8)
#define TUPLE_STRLEN	(2 * ENDPOINT_STRLEN + 4)

/* v4 is in network byte order. */
struct in6_addr addr_from_v4(in_addr_t v4);
bool addr_is_v4(const struct in6_addr *addr);
/* The IPv4 address in network byte order; only for an address that addr_is_v4(). */
in_addr_t addr_to_v4(const struct in6_addr *addr);
bool addr_equal(const struct in6_addr *a, const struct in6_addr *b);
/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct in6_addr *addr);
/* fe80::/10; an IPv4 address never is, since Linux does not bind those to an interface. */
bool addr_is_linklocal(const struct in6_addr *addr);
/* bits counts from the start of the 128-bit form: a /8 of IPv4 is 96 + 8. */
bool addr_in_prefix(const struct in6_addr *addr, const struct in6_addr *prefix, unsigned int bits);

/* An order to sort by, which means nothing else; of tuples by src, then dst, without the scope. */
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);
int tuple_compare(const struct tuple *a, const struct tuple *b);

bool tuple_equal(const struct tuple *a, const struct tuple *b);
/* The address that decides the scope: a link-local one of the two, NULL if neither is. */
const struct in6_addr *tuple_linklocal(const struct tuple *t);
/* The same connection as the other end sees it. */
struct tuple tuple_reverse(const struct tuple *t);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Write "127.0.0.1:80" or "[::1]:80", and return buf. */
const char *endpoint_format(const struct endpoint *ep, char buf[static ENDPOINT_STRLEN]);
/* Just the address, without brackets. */
const char *addr_format(const struct in6_addr *addr, char buf[static INET6_ADDRSTRLEN]);
const char *tuple_format(const struct tuple *t, char buf[static TUPLE_STRLEN]);
/* Reads what endpoint_format() writes; -EINVAL for anything else. */
int endpoint_parse(const char *text, struct endpoint *ret_ep);

#endif
