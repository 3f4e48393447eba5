/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diagmsg: sock_diag requests and answers as bytes (linux/inet_diag.h, sock_diag(7)).
 *
 * Everywhere in here a tuple is seen from the socket that is sought: src is its local side. For a
 * SYN a -> b the occupant is asked for as b -> a and the claimant as a -> b.
 */
#ifndef CW_DIAGMSG_H
#define CW_DIAGMSG_H

#include "tcpstate.h"
#include "tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the kernel says about one TCP socket. */
struct sock_info {
	struct tuple tuple; /* from the socket's side; a listener's dst is all zero */
	enum tcpstate state;
	uint64_t cookie;    /* names this very socket for its whole life */
	uint64_t cgroup_id; /* 0: the kernel did not tell (before 5.8, or no owner) */
	uint32_t age_ms;    /* since the last ACK or FIN came in; 0 without details */
	uint32_t rqueue;    /* bytes received and not read, a FIN counts; a listener: queued */
	uint32_t wqueue;    /* bytes not acknowledged; a listener: its backlog */
	uint32_t inode;	    /* 0: not accepted yet, closed by its process, or TIME_WAIT */
	uint32_t ifindex;   /* of the interface that it is bound to, which finds it; 0: none */
	uid_t uid;
	bool has_age;
};

/* INET_DIAG_NOCOOKIE: any socket on the tuple will do. */
#define DIAGMSG_ANY_SOCKET UINT64_MAX

/* No request is longer than this, in bytes. */
#define DIAGMSG_REQUEST_MAX 128

/*
 * Each writes one request into buf, which has room for DIAGMSG_REQUEST_MAX bytes and is aligned as
 * a struct nlmsghdr, and returns its length, a multiple of NLMSG_ALIGNTO.
 *
 * lookup: the socket on the tuple, or the listener that a SYN to its local side would reach.
 * details asks for the age as well. cookie: DIAGMSG_ANY_SOCKET, or that socket only.
 */
size_t diagmsg_put_lookup(void *buf, uint32_t seq, const struct tuple *socket, uint64_t cookie,
			  bool details);
/* destroy: always names the cookie; without it a vanished tuple would mean the listener. */
size_t diagmsg_put_destroy(void *buf, uint32_t seq, const struct tuple *socket, uint64_t cookie);
/*
 * dump of the sockets of one family (AF_INET, AF_INET6) in one of states, on a local endpoint or
 * (NULL) on all. An IPv6 socket may carry an IPv4 connection.
 */
size_t diagmsg_put_dump(void *buf, uint32_t seq, int family, const struct endpoint *local,
			tcpstate_set states, bool details);

/*
 * Reads the payload of one SOCK_DIAG_BY_FAMILY answer (struct inet_diag_msg and attributes), which
 * is aligned as a struct nlattr. -EBADMSG: cut off, or a family, a state or an attribute that
 * cannot be.
 */
int diagmsg_parse(const void *payload, size_t len, struct sock_info *ret_info);

/* The unread payload bytes of a socket: rqueue counts a received FIN until it is read. */
uint32_t sock_info_unread(const struct sock_info *info);
/* Whether a listener would not answer a SYN now (sk_acceptq_is_full() in include/net/sock.h). */
bool sock_info_accept_queue_full(const struct sock_info *info);

#endif
