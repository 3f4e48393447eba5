/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths of control groups, in a tree of plain directories in place of a mount: their inode numbers
 * are ids as well. What belongs to a user needs another owner than that of the tree, and so root.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "policy.h"
#include "unit.h"

/* So many that no walk sees them all. */
#define CROWD	   80000
#define WALK_US	   80000
#define OTHERS	   20
#define SOME_UID   12345
#define USER_GROUP "user.slice/user@1.service"
#define CROWDED	   "user@2.service"

static char mount[64];

static struct {
	int64_t work_us;     /* what each look at the thread's clock takes; 0: the real one */
	int64_t worked_us;   /* what all of them took */
	int64_t jump_us;     /* by which the clock on the wall goes on at each look at it */
	int64_t ahead_us;    /* by which it has gone on */
	unsigned int looks;  /* at the clock of the thread */
	unsigned int reads;  /* of entries of directories */
	unsigned int broken; /* the one that fails */
	const char *mounts;  /* the table; NULL: cannot be opened */
	int mounts_error;    /* which opening it brings, or reading on at its end */
} fake;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

static void put_on(struct timespec *time, int64_t us)
{
	int64_t ns = time->tv_nsec + us * 1000;

	time->tv_sec += ns / 1000000000;
	time->tv_nsec = ns % 1000000000;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock == CLOCK_THREAD_CPUTIME_ID) {
		fake.looks++;
		if (fake.work_us > 0) {
			*now = (struct timespec){0};
			put_on(now, fake.worked_us += fake.work_us);
			return 0;
		}
	}
	if (__real_clock_gettime(clock, now) < 0)
		return -1;
	if (clock == CLOCK_MONOTONIC)
		put_on(now, fake.ahead_us += fake.jump_us);
	return 0;
}

static ssize_t read_mounts(void *at, char *buf, size_t size)
{
	const char **from = at;
	size_t len = strlen(*from);

	if (len == 0 && fake.mounts_error) {
		errno = fake.mounts_error;
		return -1;
	}
	if (len > size)
		len = size;
	memcpy(buf, *from, len);
	*from += len;
	return (ssize_t)len;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	static const cookie_io_functions_t functions = {.read = read_mounts};
	static const char *at;

	if (strcmp(path, "/proc/self/mountinfo") != 0)
		return __real_fopen(path, mode);
	if (!fake.mounts) {
		errno = fake.mounts_error;
		return NULL;
	}
	at = fake.mounts;
	return fopencookie(&at, mode, functions);
}

struct dirent *__wrap_readdir(DIR *dir)
{
	if (++fake.reads == fake.broken) {
		errno = EIO;
		return NULL;
	}
	return __real_readdir(dir);
}

static void path_of(const char *group, char path[static 512])
{
	snprintf(path, 512, "%s/%s", mount, group);
}

static uint64_t make(const char *group, uid_t owner)
{
	char path[512];
	struct stat st;

	path_of(group, path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, owner, (gid_t)-1), 0);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	/* In memory, where that is to be had: a crowd on a disk takes its time. */
	snprintf(mount, sizeof(mount), "%s/closewaitd-cgroup.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(mount));
	make("user.slice", geteuid());
	make("system.slice", geteuid());
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", mount);
	assert_int_equal(system(command), 0);
	return 0;
}

static struct cgroup_map *map_of(int64_t walk_us)
{
	struct cgroup_map *map;

	assert_int_equal(cgroup_open_at(mount, walk_us, &map), 0);
	return map;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("SKIP: needs root, for directories of somebody else\n");
		skip();
	}
}

static void finds_paths_and_units(void **state)
{
	uint64_t service = make("system.slice/web.service", geteuid());
	uint64_t below = make("system.slice/web.service/worker", geteuid());
	uint64_t hidden = make("system.slice/web.service/.hidden", geteuid());
	struct cgroup_map *map = map_of(1000000);
	char path[512];
	struct stat st;

	(void)state;
	assert_string_equal(cgroup_path(map, service), "/system.slice/web.service");
	assert_string_equal(cgroup_path(map, below), "/system.slice/web.service/worker");
	assert_string_equal(cgroup_unit(map, below), "web.service");
	assert_string_equal(cgroup_unit(map, hidden), "web.service");
	path_of("", path);
	assert_int_equal(stat(path, &st), 0);
	assert_string_equal(cgroup_path(map, st.st_ino), "/");
	assert_null(cgroup_unit(map, st.st_ino));
	assert_null(cgroup_path(map, 0));
	assert_null(cgroup_path(map, 1));
	/* There is none: that is certain. */
	assert_null(cgroup_unit(map, 1));
	cgroup_close(map);
}

static void knows_what_it_has_seen(void **state)
{
	uint64_t service = make("system.slice/web.service", geteuid());
	struct cgroup_map *map = map_of(1000000);
	char path[512];

	(void)state;
	assert_string_equal(cgroup_unit(map, service), "web.service");
	path_of("system.slice/web.service", path);
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(cgroup_unit(map, service), "web.service");
	cgroup_close(map);
}

static void finds_groups_of_users(void **state)
{
	struct cgroup_map *map = map_of(1000000);
	uint64_t manager, app;

	(void)state;
	need_root();
	manager = make(USER_GROUP, SOME_UID);
	app = make(USER_GROUP "/app.service", SOME_UID);
	assert_string_equal(cgroup_unit(map, app), "app.service");
	assert_string_equal(cgroup_path(map, manager), "/" USER_GROUP);
	cgroup_close(map);
}

/* A walk sees the system's groups first; a user's crowd makes walks neither long nor frequent. */
static void a_crowd_of_a_user_hides_nothing(void **state)
{
	struct cgroup_map *map = map_of(WALK_US);
	uint64_t services[OTHERS], late;
	char group[256];

	(void)state;
	need_root();
	/* Whatever order directories are read in, some services come behind the crowd. */
	for (int i = 0; i < OTHERS; i++) {
		if (i == OTHERS / 2)
			make(CROWDED, SOME_UID);
		snprintf(group, sizeof(group), "%d.service", i);
		services[i] = make(group, geteuid());
	}
	for (int i = 0; i < CROWD; i++) {
		snprintf(group, sizeof(group), CROWDED "/%d.service", i);
		make(group, SOME_UID);
	}
	for (int i = 0; i < OTHERS; i++) {
		snprintf(group, sizeof(group), "%d.service", i);
		assert_string_equal(cgroup_unit(map, services[i]), group);
	}
	/* Their own are not known, nor that there is none of this number. */
	for (uint64_t id = 1; id < 10; id++)
		assert_string_equal(cgroup_unit(map, id), POLICY_UNIT_IN_DOUBT);
	assert_string_equal(cgroup_unit(map, services[OTHERS - 1]), group);
	/* By now there is no time for another walk; later there is. */
	late = make("system.slice/late.service", geteuid());
	assert_string_equal(cgroup_unit(map, late), POLICY_UNIT_IN_DOUBT);
	for (int i = 0; i < 1000 && !*cgroup_unit(map, late); i++)
		poll(NULL, 0, 10);
	assert_string_equal(cgroup_unit(map, late), "late.service");
	cgroup_close(map);
}

/* No descriptor is no proof that there is no such group. */
static void what_could_not_be_looked_at_is_asked_again(void **state)
{
	uint64_t service = make("system.slice/web.service", geteuid());
	struct cgroup_map *map = map_of(1000000);
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_string_equal(cgroup_unit(map, service), POLICY_UNIT_IN_DOUBT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_string_equal(cgroup_unit(map, service), "web.service");
	cgroup_close(map);
}

/* Some groups in groups, and in each of them something else than groups. */
static void make_some(unsigned int others)
{
	char group[64], path[512];
	FILE *file;

	for (int i = 0; i < 110; i++) {
		if (i % 11 == 0)
			snprintf(group, sizeof(group), "%d.slice", i / 11);
		else
			snprintf(group, sizeof(group), "%d.slice/%d.service", i / 11, i % 11);
		make(group, geteuid());
		for (unsigned int k = 0; k < others; k++) {
			path_of(group, path);
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%u", k);
			file = fopen(path, "w");
			assert_non_null(file);
			fclose(file);
		}
	}
}

/* Who has the processor meanwhile makes a SYN wait too, but what he takes is not charged. */
static void a_walk_ends_by_the_clock_on_the_wall(void **state)
{
	struct cgroup_map *map = map_of(20000);

	(void)state;
	make_some(0);
	fake.work_us = 1;
	fake.jump_us = 1000;
	for (int i = 0; i < 20; i++) {
		fake.looks = 0;
		assert_string_equal(cgroup_unit(map, 1), POLICY_UNIT_IN_DOUBT);
		assert_in_range(fake.looks, 1, 45);
	}
	fake.jump_us = 0;
	assert_null(cgroup_unit(map, 1));
	cgroup_close(map);
}

/* Which takes long where a SYN waits, and not for who wants to know them all. */
static void a_tool_finds_all_of_a_thousand(void **state)
{
	char group[64], name[64];
	struct cgroup_map *map;
	uint64_t ids[20];
	int found[2] = {0, 0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(group, sizeof(group), "system.slice/%d.service", i);
		ids[i / 50] = make(group, geteuid());
	}
	fake.work_us = 100; /* a slow processor */
	for (int tool = 0; tool <= 1; tool++) {
		map = map_of(tool ? CGROUP_WALK_TOOL_US : CGROUP_WALK_DAEMON_US);
		for (int i = 0; i < 20; i++) {
			const char *unit = cgroup_unit(map, ids[i]);

			snprintf(name, sizeof(name), "%d.service", 50 * i + 49);
			if (unit && unit[0]) {
				assert_string_equal(unit, name);
				found[tool]++;
			}
		}
		cgroup_close(map);
	}
	assert_in_range(found[0], 1, 19);
	assert_int_equal(found[1], 20);
}

static void only_groups_are_worth_a_look_at_the_clock(void **state)
{
	struct cgroup_map *map = map_of(1000000);

	(void)state;
	make_some(10);
	assert_null(cgroup_unit(map, 1));
	/* Two walks, one for each kind of owner. */
	assert_in_range(fake.looks, 2 * 110, 2 * 120);
	cgroup_close(map);
}

static void a_directory_that_cannot_be_read_is_asked_again(void **state)
{
	uint64_t service = make("system.slice/web.service", geteuid());
	struct cgroup_map *map = map_of(1000000);

	(void)state;
	make_some(0);
	fake.broken = 40; /* of some 150 */
	assert_string_equal(cgroup_unit(map, service), POLICY_UNIT_IN_DOUBT);
	assert_int_equal(fake.reads, fake.broken);
	assert_string_equal(cgroup_unit(map, service), "web.service");
	cgroup_close(map);
}

/* That it cannot be read now is no proof that there is no unit, and not for ever. */
static void a_table_of_mounts_that_cannot_be_read_is_read_again(void **state)
{
	static const char other[] = "23 1 0:21 / /proc rw - proc proc rw\n";
	const uint64_t service = make("system.slice/web.service", geteuid());
	struct cgroup_map *map;
	char whole[256];

	(void)state;
	snprintf(whole, sizeof(whole), "%s24 1 0:22 / %s rw shared:4 - cgroup2 cgroup2 rw\n", other,
		 mount);
	fake.mounts_error = EMFILE;
	assert_int_equal(cgroup_open(1000000, &map), 0);
	assert_string_equal(cgroup_unit(map, service), POLICY_UNIT_IN_DOUBT);
	assert_null(cgroup_unit(map, 0));
	fake.mounts_error = ENOMEM;
	fake.mounts = other;
	assert_string_equal(cgroup_unit(map, service), POLICY_UNIT_IN_DOUBT);
	assert_null(cgroup_path(map, service));
	fake.mounts_error = 0;
	fake.mounts = whole;
	assert_string_equal(cgroup_unit(map, service), "web.service");
	/* And not once more. */
	fake.mounts = NULL;
	assert_null(cgroup_unit(map, 1));
	cgroup_close(map);
}

static void a_whole_table_without_a_mount_is_certain(void **state)
{
	const uint64_t service = make("system.slice/web.service", geteuid());
	struct cgroup_map *map;

	(void)state;
	fake.mounts = "23 1 0:21 / /proc rw - proc proc rw\n";
	assert_int_equal(cgroup_open(1000000, &map), 0);
	fake.mounts = NULL;
	assert_null(cgroup_unit(map, service));
	cgroup_close(map);
}

static void without_a_mount_there_is_none(void **state)
{
	struct cgroup_map *map;

	(void)state;
	assert_int_equal(cgroup_open_at("", WALK_US, &map), 0);
	assert_null(cgroup_path(map, 7));
	assert_null(cgroup_unit(map, 7));
	cgroup_close(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_paths_and_units, set_up, tear_down),
		cmocka_unit_test_setup_teardown(knows_what_it_has_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_groups_of_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_crowd_of_a_user_hides_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_could_not_be_looked_at_is_asked_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_walk_ends_by_the_clock_on_the_wall, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_tool_finds_all_of_a_thousand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_groups_are_worth_a_look_at_the_clock, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_read_is_asked_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_table_of_mounts_that_cannot_be_read_is_read_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_whole_table_without_a_mount_is_certain, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_a_mount_there_is_none, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
