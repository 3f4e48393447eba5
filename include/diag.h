/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag: a sock_diag socket. Pipelined look-ups, destroys and small dumps, with deadlines.
 *
 * One thread at a time. Tuples are seen from the socket that is sought, see diagmsg.h.
 */
#ifndef CW_DIAG_H
#define CW_DIAG_H

#include "diagmsg.h"

#include <stddef.h>
#include <stdint.h>

struct diag;

/* Most requests in one call. */
#define DIAG_BATCH_MAX 128

struct diag_request {
	struct tuple socket;
	uint64_t cookie; /* DIAGMSG_ANY_SOCKET, or this very socket */
	bool details;	 /* ask for the age too */
};

struct diag_answer {
	int error;	       /* 0; -ENOENT: no such socket; -ETIMEDOUT, -EBADMSG, ... */
	struct sock_info info; /* only if error is 0 */
};

/* The network namespace is the caller's, for ever. -errno of socket(). */
int diag_open(struct diag **ret_diag);
void diag_close(struct diag *diag);

/* Looks n sockets up at once; every answers[i] is filled, also when all fail. */
void diag_lookup(struct diag *diag, const struct diag_request *requests, size_t n,
		 struct diag_answer *ret_answers);
/*
 * Destroys n sockets, each named by its cookie. errors[i]: 0, -ENOENT (already gone), -EPERM
 * (no CAP_NET_ADMIN), -EOPNOTSUPP (no CONFIG_INET_DIAG_DESTROY), -ETIMEDOUT, ...
 */
void diag_destroy(struct diag *diag, const struct diag_request *requests, size_t n,
		  int *ret_errors);
/*
 * Whether a destroy surely ends a socket that its process has closed. Before Linux 6.11 it takes
 * away what such a socket had to send again, and with it its end: it stays for ever (tcp_abort(),
 * bac76cf89816). Some older kernels have been mended since, which their number does not tell.
 */
bool diag_destroys_closed(void);
/*
 * The sockets in one of states whose local side is this endpoint, whatever their peer: at most
 * max are stored, all are counted. The kernel walks its whole table for this. -errno: nothing is
 * known, -EBUSY, -ETIMEDOUT, ...
 */
int diag_sockets_on(struct diag *diag, const struct endpoint *local, tcpstate_set states,
		    struct sock_info *ret_infos, size_t max, size_t *ret_count);
/*
 * Whether the kernel can destroy at all, tried on a tuple that cannot exist: 0, -EOPNOTSUPP,
 * or what has failed instead (as diag_destroy()). It does not tell whether we may: the kernel looks
 * the socket up before it asks for CAP_NET_ADMIN.
 */
int diag_probe_destroy(struct diag *diag);

#endif
