/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a TCP connection, as the socket calls want it. Independent of the daemon's own tuple
 * type on purpose: tests that compare the two are worth something. Ports are in host byte order in
 * every parameter and result here.
 */
#ifndef TEST_ENDPOINT_H
#define TEST_ENDPOINT_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union endpoint {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Enough for "[address%scope]:port" and its end. */
#define ENDPOINT_TEXT 80

/* A numeric address, IPv6 with or without %interface. 0 or -EINVAL. */
int endpoint_parse(const char *address, uint16_t port, union endpoint *ret_ep);

/* The same for "ADDR:PORT" and "[ADDR6]:PORT". 0 or -EINVAL. */
int endpoint_parse_pair(const char *text, union endpoint *ret_ep);

socklen_t endpoint_len(const union endpoint *ep);
uint16_t endpoint_port(const union endpoint *ep);
void endpoint_set_port(union endpoint *ep, uint16_t port);

/* The IPv4 endpoint as an AF_INET6 one with a ::ffff: address; an AF_INET6 one stays as it is. */
union endpoint endpoint_mapped(const union endpoint *ep);
/* The other way round: an AF_INET6 endpoint with a ::ffff: address as an IPv4 one. */
union endpoint endpoint_unmapped(const union endpoint *ep);

/* What getsockname(), getpeername() say of a socket. 0 or a negative errno. */
int endpoint_local(int fd, union endpoint *ret_ep);
int endpoint_peer(int fd, union endpoint *ret_ep);

/* "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80" into buf; returns buf. */
const char *endpoint_format(const union endpoint *ep, char buf[ENDPOINT_TEXT]);

#endif
