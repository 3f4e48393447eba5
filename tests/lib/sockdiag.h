/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minimal sock_diag client of the tests' own: plain netlink, one request and its answer at a
 * time. It must not share code with the daemon, whose understanding of sock_diag it checks.
 */
#ifndef TEST_SOCKDIAG_H
#define TEST_SOCKDIAG_H

#include <linux/inet_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union endpoint;

struct sockdiag_info {
	struct inet_diag_msg msg; /* as the kernel sent it, the id in network byte order */
	uint64_t cgroup;	  /* 0: no INET_DIAG_CGROUP_ID came */
	bool has_tcp;		  /* INET_DIAG_INFO came */
	struct tcp_info tcp;	  /* what this kernel has of it, the rest zero */
};

/* A NETLINK_SOCK_DIAG socket with a receive time-out of 2 s, or a negative errno. */
int sockdiag_open(void);

/*
 * The request for the socket with these two ends, seen from that socket: cookie {~0,~0}, all
 * states, INET_DIAG_INFO. Callers change the fields whose meaning they study. The scope of a
 * link-local address becomes idiag_if.
 */
struct inet_diag_req_v2 sockdiag_request(const union endpoint *local, const union endpoint *peer);

/* Exact lookup: 0, or the kernel's negative errno (-ENOENT: no such socket). */
int sockdiag_get(int nl, const struct inet_diag_req_v2 *req, struct sockdiag_info *ret_info);

/* SOCK_DESTROY of exactly what the request names: 0 or the kernel's negative errno. */
int sockdiag_destroy(int nl, const struct inet_diag_req_v2 *req);

/*
 * Dump of the request's family and states, filtered in the kernel by local address and port. The
 * first `max` answers are stored; returns how many there were, or a negative errno. With `legacy`
 * the request has the older type TCPDIAG_GETSOCK, which asks for every family.
 */
int sockdiag_dump_from(int nl, const struct inet_diag_req_v2 *req, const union endpoint *local,
		       bool legacy, struct sockdiag_info *ret_infos, size_t max);

/*
 * State of the socket with exactly these two ends: TCP_*, 0 if there is none (the listener that
 * the kernel answers with instead does not count), or a negative errno. Opens its own socket.
 */
int sockdiag_state(const union endpoint *local, const union endpoint *peer);

/* "CLOSE_WAIT" for TCP_CLOSE_WAIT, "none" for 0, the name of the error for a negative number. */
const char *sockdiag_state_name(int state);

#endif
