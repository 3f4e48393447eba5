/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diagwire: what a sock_diag socket is answered, byte by byte, for tests that play the kernel. */
#ifndef CW_TEST_DIAGWIRE_H
#define CW_TEST_DIAGWIRE_H

#include "diagmsg.h"

#include <linux/inet_diag.h>

/* Marks a socket as an IPv6 one that carries an IPv4 connection. */
#define DUAL_STACK_UID 6464

/* One datagram before it is sent; a test may change everything about it. */
struct reply {
	uint32_t seq;
	size_t index;	  /* of the request in its sendto(), or of the piece of a dump */
	uint32_t port_id; /* of the sender, 0 is the kernel */
	unsigned int delay_ms;
	bool lost;
	size_t len;
	char bytes[70000] __attribute__((aligned(8)));
};

/* Bytes, padded to the next message's place. */
void reply_append(struct reply *reply, const void *bytes, size_t len);
void reply_append_attr(struct reply *reply, uint16_t type, const void *bytes, size_t len);
/* Starts a message, which the caller ends. Returns where it starts. */
size_t reply_begin_message(struct reply *reply, uint16_t type, uint16_t flags);
void reply_end_message(struct reply *reply, size_t start);
/* Whole messages. */
void reply_append_error(struct reply *reply, int error);
void reply_append_done(struct reply *reply, int error);
void reply_append_info(struct reply *reply, const struct sock_info *info, uint16_t flags);

/* Which family the kernel lists the socket under. */
bool diagwire_is_v6(const struct sock_info *info);
/* An address of a request or an answer. */
struct in6_addr diagwire_addr(const __be32 in[4], int family);

#endif
