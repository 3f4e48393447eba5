/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockdump: every TCP socket of this network namespace in certain states, IPv4 and IPv6, read a
 * receive buffer at a time.
 *
 * It is no snapshot: sockets come, go and change while the kernel walks its table. One that is
 * there, in one of the states, all the time is passed on, once; where a bucket of the table changes
 * just between two pieces, one may come twice or not at all. Look up what matters (diag_lookup())
 * before acting on it.
 */
#ifndef CW_SOCKDUMP_H
#define CW_SOCKDUMP_H

#include "diagmsg.h"

#include <stdbool.h>

struct sockdump;

/* A negative errno ends the walk, and is what the step or the walk returns. */
typedef int sockdump_each_fn(void *ctx, const struct sock_info *info);

/*
 * Begins a walk; states are of TCPSTATE_SET_ALL. details: with the age, which takes the kernel
 * longer and locks each socket for a moment. -EINVAL: a state that is none; -errno of socket().
 */
int sockdump_open(tcpstate_set states, bool details, struct sockdump **ret_dump);
void sockdump_close(struct sockdump *dump);

/*
 * Reads one receive buffer, some hundred sockets at most: 1, the walk is complete; 0, there is
 * more. -errno: what is missing is not known; -ETIMEDOUT after 2 s without an answer, -ENOBUFS,
 * -EBADMSG, ... After an error only sockdump_close() makes sense.
 */
int sockdump_step(struct sockdump *dump, sockdump_each_fn *each, void *ctx);
/*
 * Whether the kernel has said so far that its table changed so much that the walk is not to be
 * relied on (NLM_F_DUMP_INTR).
 */
bool sockdump_changed(const struct sockdump *dump);

/* All of that at once: 0 or -errno. ret_changed may be NULL. */
int sockdump_walk(tcpstate_set states, bool details, sockdump_each_fn *each, void *ctx,
		  bool *ret_changed);

#endif
