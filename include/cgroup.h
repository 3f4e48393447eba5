/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup: the id of a version 2 control group to its path and its systemd unit.
 *
 * An id belongs to one path for as long as the machine is up, so what was found once is kept; an
 * id not seen before costs a walk over the hierarchy. What a walk takes of a processor is
 * limited, and what it lasts by the clock, to twice that; all of a map's together take a
 * twentieth of a processor. The system's groups are looked through first, so users who make many
 * cannot hide those from a walk. But they can use up the time for walks, with ids of their own;
 * then any group that is not kept yet is unknown for a while. One thread at a time.
 */
#ifndef CW_CGROUP_H
#define CW_CGROUP_H

#include <stddef.h>
#include <stdint.h>

struct cgroup_map;

/*
 * The limit of a walk in microseconds: of the daemon, where SYNs are held meanwhile, enough for
 * some 10,000 groups; and of a tool that runs once, holds none and is to name all there are.
 */
#define CGROUP_WALK_DAEMON_US 100000
#define CGROUP_WALK_TOOL_US   5000000

/*
 * Works without a cgroup2 mount too: then nothing is ever found. While the table of mounts
 * cannot be read, nothing is known. -ENOMEM.
 */
int cgroup_open(int64_t walk_us, struct cgroup_map **ret_map);
/* The same with this directory, "" for none, in place of the mount. */
int cgroup_open_at(const char *mount, int64_t walk_us, struct cgroup_map **ret_map);
void cgroup_close(struct cgroup_map *map);

/* "/system.slice/nginx.service"; NULL: none, or not known now. Valid until the next call. */
const char *cgroup_path(struct cgroup_map *map, uint64_t id);
/*
 * The innermost unit of that path: the last component that ends in .service or .scope, else in
 * .slice. NULL if there is none, POLICY_UNIT_IN_DOUBT if that is not known now. Valid until the
 * next call.
 */
const char *cgroup_unit(struct cgroup_map *map, uint64_t id);

/* The innermost unit of a path, copied into unit; NULL if it has none or does not fit. */
const char *cgroup_path_unit(const char *path, char *unit, size_t size);

#endif
