/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the supplementary groups of most; more are asked for a second time (ERANGE). */
#define FEW 64

static bool has_group(int fd, gid_t wanted)
{
	gid_t few[FEW];
	gid_t *groups = few;
	socklen_t len = sizeof(few);
	bool found = false;
	int err = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);

	if (err < 0 && errno == ERANGE) {
		groups = malloc(len);
		err = groups ? getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) : -1;
	}
	for (size_t i = 0; err == 0 && !found && i < len / sizeof(*groups); i++)
		found = groups[i] == wanted;
	if (groups != few)
		free(groups);
	return found;
}

int peer_identify(int fd, const gid_t *group, struct peer *ret_peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*ret_peer = (struct peer){
		.pid = cred.pid,
		.uid = cred.uid,
		.trusted = cred.uid == 0 || cred.uid == geteuid() ||
			   (group && (cred.gid == *group || has_group(fd, *group))),
	};
	return 0;
}
