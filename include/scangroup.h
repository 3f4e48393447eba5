/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scangroup: the second half of a scan, from sockets that are judged to listeners and leakers. */
#ifndef CW_SCANGROUP_H
#define CW_SCANGROUP_H

#include "scan.h"

/* A socket that listens, and one of the processes that hold it. */
struct scan_listening {
	struct endpoint local;
	uint32_t inode;
	uint32_t queued, backlog;
	pid_t pid; /* 0: unknown */
};

/* A port that a client cannot draw for a listener, since it is connected to it from that port. */
struct scan_taken {
	uint32_t group; /* as in struct scan_socket */
	uint16_t port;	/* host byte order */
};

struct scan_surroundings {
	const struct scan_listening *listening;
	size_t n_listening;
	struct scan_taken *taken; /* is sorted here */
	size_t n_taken;
	const struct ephemeral *ephemeral; /* NULL: not known */
};

/* The listener that a connection to this local endpoint reaches; NULL if none does. */
const struct scan_listening *scangroup_listening(const struct scan_surroundings *around,
						 const struct endpoint *local);
/*
 * Fills everything of scan that follows from its sockets, which come sorted by tuple_compare() and
 * are sorted anew. -ENOMEM.
 */
int scangroup_build(struct scan *scan, const struct scan_ops *ops, void *ctx,
		    struct scan_surroundings *around);

#endif
