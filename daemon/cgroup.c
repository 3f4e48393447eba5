/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The id that sock_diag tells is the inode number of the group's directory (kernfs_ino() on
 * machines with 64-bit inodes). There is a way from an id to its directory (open_by_handle_at(2))
 * but it takes CAP_DAC_READ_SEARCH, which is no price for a name; so the tree is walked.
 */
#include "config.h"

#include "cgroup.h"
#include "clock.h"
#include "policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ids kept; a machine rarely has more services that leak. */
#define CACHE_SLOTS 64
/* Deeper than any hierarchy in use; each level costs a descriptor during the walk. */
#define DEPTH_MAX 16
/* So many times what it may take of a processor may a walk last by the clock on the wall. */
#define WALL_FACTOR 2
/* All walks together a twentieth of one, and after a rest two at once. */
#define SHARE 20

struct slot {
	uint64_t id; /* 0: free */
	char *path;  /* NULL: there is no such group */
};

/*
 * Users make groups below those that were given to them, as many as they like. So the groups of the
 * hierarchy's owner are looked through first, and kept in slots of their own.
 */
enum whose { OF_THE_OWNER, OF_ANYBODY, WHOSE_COUNT };

struct cgroup_map {
	char mount[PATH_MAX]; /* "": no cgroup2 */
	bool mount_known;     /* false: the table of mounts could not be read yet */
	char unit[POLICY_UNIT_SIZE];
	struct slot slots[WHOSE_COUNT][CACHE_SLOTS];
	int64_t walk_us;
	int64_t left_us, left_at_us; /* what walks may still take, as it was then */
};

struct walk {
	uint64_t id;
	enum whose whose;
	uid_t owner;
	int64_t cpu_deadline_us;  /* of this thread's time on a processor */
	int64_t wall_deadline_us; /* CLOCK_MONOTONIC */
	bool in_doubt;		  /* something could not be looked at that will be another time */
	char path[PATH_MAX];
	size_t len;
};

static int64_t now_us(clockid_t clock)
{
	return (int64_t)clock_us(clock);
}

/*
 * proc(5): "... mount-point options [tags] - type source options", with octal escapes. False if the
 * table cannot be read to its end, for want of /proc, descriptors or memory.
 */
static bool find_mount(char mount[static PATH_MAX])
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool known;

	mount[0] = '\0';
	if (!table)
		return false;
	while (!mount[0] && getline(&line, &size, table) > 0) {
		char point[PATH_MAX];
		const char *dash = strstr(line, " - ");

		if (dash && strncmp(dash, " - cgroup2 ", 11) == 0 &&
		    sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1)
			strcpy(mount, point);
	}
	known = mount[0] || feof(table);
	free(line);
	fclose(table);
	return known;
}

int cgroup_open_at(const char *mount, int64_t walk_us, struct cgroup_map **ret_map)
{
	struct cgroup_map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	snprintf(map->mount, sizeof(map->mount), "%s", mount);
	map->mount_known = true;
	map->walk_us = walk_us;
	map->left_us = 2 * walk_us;
	map->left_at_us = now_us(CLOCK_MONOTONIC);
	*ret_map = map;
	return 0;
}

int cgroup_open(int64_t walk_us, struct cgroup_map **ret_map)
{
	int err = cgroup_open_at("", walk_us, ret_map);

	if (err == 0)
		(*ret_map)->mount_known = find_mount((*ret_map)->mount);
	return err;
}

void cgroup_close(struct cgroup_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		free(map->slots[OF_THE_OWNER][i].path);
		free(map->slots[OF_ANYBODY][i].path);
	}
	free(map);
}

static bool walk_into(struct walk *walk, int parent, const char *name, unsigned int depth);

static bool is_over(struct walk *walk)
{
	if (now_us(CLOCK_MONOTONIC) > walk->wall_deadline_us ||
	    now_us(CLOCK_THREAD_CPUTIME_ID) > walk->cpu_deadline_us)
		walk->in_doubt = true;
	return walk->in_doubt;
}

static bool is_self_or_parent(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The next group in the directory dir; NULL if there is none, or the walk is over. */
static const struct dirent *next_group(struct walk *walk, DIR *dir)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			walk->in_doubt |= errno != 0;
			return NULL;
		}
	} while (entry->d_type != DT_DIR || is_self_or_parent(entry->d_name));
	/* Not for each file: a group has dozens, and one of the clocks is a system call. */
	return is_over(walk) ? NULL : entry;
}

/* Tries every group below the directory dir, which it closes. */
static bool walk_children(struct walk *walk, DIR *dir, unsigned int depth)
{
	const struct dirent *entry;
	bool found = false;

	while (!found && !walk->in_doubt && (entry = next_group(walk, dir))) {
		size_t before = walk->len;
		size_t name_len = strlen(entry->d_name);

		if (name_len + 2 > sizeof(walk->path) - walk->len)
			continue;
		walk->path[walk->len++] = '/';
		memcpy(walk->path + walk->len, entry->d_name, name_len + 1);
		walk->len += name_len;
		found = entry->d_ino == walk->id ||
			walk_into(walk, dirfd(dir), entry->d_name, depth);
		if (!found) {
			walk->len = before;
			walk->path[before] = '\0';
		}
	}
	closedir(dir);
	return found;
}

/* Of anybody else's directory, what lies in it is not for this walk. */
static bool is_to_be_entered(const struct walk *walk, int fd)
{
	struct stat st;

	return walk->whose == OF_ANYBODY || (fstat(fd, &st) == 0 && st.st_uid == walk->owner);
}

static bool walk_into(struct walk *walk, int parent, const char *name, unsigned int depth)
{
	DIR *dir = NULL;
	int fd;

	if (depth >= DEPTH_MAX)
		return false;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		/* Removed meanwhile, or not for us to see; else there is no room to see it now. */
		walk->in_doubt |= errno != ENOENT && errno != EACCES;
		return false;
	}
	if (is_to_be_entered(walk, fd)) {
		dir = fdopendir(fd);
		walk->in_doubt |= !dir;
	}
	if (!dir) {
		close(fd);
		return false;
	}
	return walk_children(walk, dir, depth + 1);
}

/* 1 with the path, 0 if there is no such group among those, or -EAGAIN if that is not certain. */
static int find_among(const struct cgroup_map *map, enum whose whose, struct walk *walk)
{
	bool found;

	walk->whose = whose;
	walk->len = 0;
	walk->path[0] = '\0';
	found = walk_into(walk, AT_FDCWD, map->mount, 0);
	return !found && walk->in_doubt ? -EAGAIN : found;
}

static int find(const struct cgroup_map *map, struct walk *walk)
{
	struct stat st;
	int found;

	if (stat(map->mount, &st) < 0)
		return -EAGAIN;
	walk->owner = st.st_uid;
	if (st.st_ino == walk->id) {
		strcpy(walk->path, "/");
		return 1;
	}
	found = find_among(map, OF_THE_OWNER, walk);
	return found == 0 ? find_among(map, OF_ANYBODY, walk) : found;
}

/* Whether a walk may begin now. */
static bool may_walk(struct cgroup_map *map)
{
	int64_t gained = (now_us(CLOCK_MONOTONIC) - map->left_at_us) / SHARE;

	map->left_at_us += gained * SHARE;
	map->left_us += gained;
	if (map->left_us > 2 * map->walk_us)
		map->left_us = 2 * map->walk_us;
	return map->left_us > 0;
}

/* Walks, and keeps what comes of it; NULL if nothing is certain. */
static const struct slot *look(struct cgroup_map *map, uint64_t id)
{
	const int64_t start = now_us(CLOCK_THREAD_CPUTIME_ID);
	struct walk walk = {.id = id,
			    .cpu_deadline_us = start + map->walk_us,
			    .wall_deadline_us =
				    now_us(CLOCK_MONOTONIC) + WALL_FACTOR * map->walk_us};
	struct slot *slot;
	char *path = NULL;
	int found;

	if (!may_walk(map))
		return NULL;
	found = find(map, &walk);
	map->left_us -= now_us(CLOCK_THREAD_CPUTIME_ID) - start;
	if (found < 0 || (found > 0 && !(path = strdup(walk.path))))
		return NULL;
	slot = &map->slots[found > 0 ? walk.whose : OF_ANYBODY][id % CACHE_SLOTS];
	free(slot->path);
	slot->id = id;
	slot->path = path;
	return slot;
}

/* NULL: not known now. */
static const struct slot *know(struct cgroup_map *map, uint64_t id)
{
	static const struct slot nowhere = {0, NULL};

	if (id == 0)
		return &nowhere;
	if (!map->mount_known)
		map->mount_known = find_mount(map->mount);
	if (!map->mount_known)
		return NULL;
	if (!map->mount[0])
		return &nowhere;
	for (int whose = OF_THE_OWNER; whose < WHOSE_COUNT; whose++) {
		const struct slot *slot = &map->slots[whose][id % CACHE_SLOTS];

		if (slot->id == id)
			return slot;
	}
	return look(map, id);
}

const char *cgroup_path(struct cgroup_map *map, uint64_t id)
{
	const struct slot *slot = know(map, id);

	return slot ? slot->path : NULL;
}

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len > suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

const char *cgroup_path_unit(const char *path, char *unit, size_t size)
{
	const char *best = NULL;
	size_t best_len = 0;
	bool best_is_slice = true;

	for (const char *at = path; *at;) {
		size_t len;
		bool slice;

		at += strspn(at, "/");
		len = strcspn(at, "/");
		slice = ends_with(at, len, ".slice");
		if (ends_with(at, len, ".service") || ends_with(at, len, ".scope") ||
		    (slice && best_is_slice)) {
			best = at;
			best_len = len;
			best_is_slice = slice;
		}
		at += len;
	}
	if (!best || best_len >= size)
		return NULL;
	memcpy(unit, best, best_len);
	unit[best_len] = '\0';
	return unit;
}

const char *cgroup_unit(struct cgroup_map *map, uint64_t id)
{
	const struct slot *slot = know(map, id);

	if (!slot)
		return POLICY_UNIT_IN_DOUBT;
	return slot->path ? cgroup_path_unit(slot->path, map->unit, sizeof(map->unit)) : NULL;
}
