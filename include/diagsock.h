/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diagsock: what diag and sockdump share: a sock_diag socket, its datagrams cut into messages, and
 * one dump read a receive buffer at a time. Errors are negative errnos.
 */
#ifndef CW_DIAGSOCK_H
#define CW_DIAGSOCK_H

#include "diagmsg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel sends a dump in pieces as large as the buffer, at most this (netlink_dump()). */
#define DIAGSOCK_DUMP_SIZE 32768

/* A message of a datagram, still in the buffer. */
struct diagsock_message {
	uint16_t type;	/* SOCK_DIAG_BY_FAMILY, NLMSG_ERROR, NLMSG_DONE, ... */
	uint16_t flags; /* NLM_F_... */
	uint32_t seq;
	const void *payload;
	size_t len; /* of the payload */
	bool cut;   /* the message is longer than the buffer was; its payload is empty */
};

/* What is left of a datagram; its start is aligned as a struct nlmsghdr. */
struct diagsock_cursor {
	const char *at;
	size_t left;
};

/* Non-blocking, bound, and with a large buffer where that is permitted; the descriptor. */
int diagsock_open(void);
/* One sendmsg(): all the requests in buf. */
int diagsock_send(int fd, const void *buf, size_t len);
/* 0 once something can be read, or after a signal; -ETIMEDOUT at the deadline (CLOCK_MONOTONIC). */
int diagsock_wait(int fd, int64_t deadline_ms);

/* The next message; false behind the last. */
bool diagsock_next(struct diagsock_cursor *c, struct diagsock_message *ret_message);
/* What an NLMSG_ERROR or NLMSG_DONE says; 0 for an ACK or a dump's good end. */
int diagsock_error(const struct diagsock_message *message);

/* A negative return ends the reading, and is what it returns. */
typedef int diagsock_each_fn(void *ctx, const struct sock_info *info);

/*
 * Reads one datagram of the dump that was asked for with seq, waiting for it until the deadline,
 * and hands its sockets to each. buf has DIAGSOCK_DUMP_SIZE bytes, aligned as a struct nlmsghdr.
 * 1: the dump is complete, 0: more is to come. After an error the socket is of no more use for
 * dumps: the kernel refuses another one while this is half read (-EBUSY). ret_changed becomes true
 * if the table of sockets changed so that some may be missing or twice; it is never made false.
 */
int diagsock_read_dump(int fd, void *buf, uint32_t seq, int64_t deadline_ms, diagsock_each_fn *each,
		       void *ctx, bool *ret_changed);

#endif
