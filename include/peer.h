/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer: who is at the other end of a unix socket, and whether to do as it says. */
#ifndef CW_PEER_H
#define CW_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	pid_t pid; /* when it connected; 0 if it is in a pid namespace that we do not see */
	uid_t uid;
	bool trusted; /* uid 0, our own uid, or a member of the group */
};

/*
 * The peer of the connected socket fd, as the kernel noted it when it connected. group: its members
 * are trusted, by a primary or a supplementary group; NULL for none. -errno of getsockopt().
 */
int peer_identify(int fd, const gid_t *group, struct peer *ret_peer);

#endif
