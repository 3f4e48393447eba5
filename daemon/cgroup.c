/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The id that sock_diag tells is the inode number of the group's directory (kernfs_ino() on
 * machines with 64-bit inodes). There is a way from an id to its directory (open_by_handle_at(2))
 * but it takes CAP_DAC_READ_SEARCH, which is no price for a name; so the tree is walked.
 */
#include "config.h"

#include "cgroup.h"
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
/* A walk gives up beyond this many directories: about 100 ms. */
#define WALK_MAX 20000
/* Deeper than any hierarchy in use; each level costs a descriptor during the walk. */
#define DEPTH_MAX 16

struct slot {
	uint64_t id; /* 0: free */
	char *path;  /* NULL: there is no such group */
};

struct cgroup_map {
	char mount[PATH_MAX]; /* "": no cgroup2 */
	char unit[POLICY_UNIT_SIZE];
	struct slot slots[CACHE_SLOTS];
};

struct walk {
	uint64_t id;
	char path[PATH_MAX];
	size_t len;
	unsigned int visited;
};

/* proc(5): "... mount-point options [tags] - type source options", with octal escapes. */
static void find_mount(char mount[static PATH_MAX])
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	mount[0] = '\0';
	if (!table)
		return;
	while (!mount[0] && getline(&line, &size, table) > 0) {
		char point[PATH_MAX];
		const char *dash = strstr(line, " - ");

		if (dash && strncmp(dash, " - cgroup2 ", 11) == 0 &&
		    sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1)
			strcpy(mount, point);
	}
	free(line);
	fclose(table);
}

int cgroup_open(struct cgroup_map **ret_map)
{
	struct cgroup_map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	find_mount(map->mount);
	*ret_map = map;
	return 0;
}

void cgroup_close(struct cgroup_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		free(map->slots[i].path);
	free(map);
}

static bool walk_into(struct walk *walk, int parent, const char *name, unsigned int depth);

/* Tries every group below the directory dir, which it closes. */
static bool walk_children(struct walk *walk, DIR *dir, unsigned int depth)
{
	const struct dirent *entry;
	bool found = false;

	while (!found && walk->visited < WALK_MAX && (entry = readdir(dir))) {
		size_t before = walk->len;
		size_t name_len = strlen(entry->d_name);

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (name_len + 2 > sizeof(walk->path) - walk->len)
			continue;
		walk->path[walk->len++] = '/';
		memcpy(walk->path + walk->len, entry->d_name, name_len + 1);
		walk->len += name_len;
		walk->visited++;
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

static bool walk_into(struct walk *walk, int parent, const char *name, unsigned int depth)
{
	DIR *dir;
	int fd;

	if (depth >= DEPTH_MAX)
		return false;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false; /* removed meanwhile, or not for us to see */
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	return walk_children(walk, dir, depth + 1);
}

/* A copy of the path, NULL if the group does not exist; 0 or -EAGAIN if that is not certain. */
static int find_path(const struct cgroup_map *map, uint64_t id, char **ret_path)
{
	struct walk walk = {.id = id};
	struct stat st;
	bool found;

	if (stat(map->mount, &st) < 0)
		return -EAGAIN;
	found = st.st_ino == id;
	if (found)
		strcpy(walk.path, "/");
	else
		found = walk_into(&walk, AT_FDCWD, map->mount, 0);
	if (!found && walk.visited >= WALK_MAX)
		return -EAGAIN;
	*ret_path = found ? strdup(walk.path) : NULL;
	return found && !*ret_path ? -EAGAIN : 0;
}

const char *cgroup_path(struct cgroup_map *map, uint64_t id)
{
	struct slot *slot = &map->slots[id % CACHE_SLOTS];
	char *path;

	if (id == 0 || !map->mount[0])
		return NULL;
	if (slot->id == id)
		return slot->path;
	if (find_path(map, id, &path) < 0)
		return NULL;
	free(slot->path);
	*slot = (struct slot){id, path};
	return slot->path;
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
	const char *path = cgroup_path(map, id);

	return path ? cgroup_path_unit(path, map->unit, sizeof(map->unit)) : NULL;
}
