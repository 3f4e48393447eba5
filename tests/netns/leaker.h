/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server that leaks, as another user and in another control group than the test. */
#ifndef NETNS_LEAKER_H
#define NETNS_LEAKER_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/endpoint.h"

/*
 * A process that listens at this end, accepts and never closes; it ends with the program at last.
 * cgroup: the directory of a control group to enter first, or NULL. Returns when it listens.
 */
pid_t leaker_start(const union endpoint *at, uid_t uid, const char *cgroup);
void leaker_stop(pid_t pid);
/*
 * A mine of this client: connected to the leaker, accepted there, since only then a process and a user
 * hold it, and the client has vanished.
 */
void leaker_leave_mine(const union endpoint *server, const union endpoint *client);

/*
 * A new version 2 control group of this name below the root. Writes its directory to ret_dir;
 * -ENOENT without a cgroup2 mount, or another negative errno.
 */
int leaker_make_cgroup(const char *name, char *ret_dir, size_t size);
/* Kills what is in the group, and removes it. */
void leaker_remove_cgroup(const char *dir);

#endif
