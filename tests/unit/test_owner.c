/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of owner, over a tree of files instead of proc(5). */
#include "config.h"

#include "fakeproc.h"
#include "owner.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HITS_MAX 4000

struct hit {
	size_t index;
	pid_t pid;
	int fd;
};

struct fixture {
	struct fakeproc proc;
	struct hit hits[HITS_MAX];
	size_t n;
	struct owner_view view;
};

/* What the tree of files cannot do: an open or a readlink of this name that fails. */
static const char *bad_name;
static int bad_errno;

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
ssize_t __real_readlinkat(int dir, const char *path, char *buf, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t size);

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	if (bad_name && strcmp(path, bad_name) == 0) {
		errno = bad_errno;
		return -1;
	}
	return __real_openat(dir, path, flags);
}

ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t size)
{
	if (bad_name && strcmp(path, bad_name) == 0) {
		errno = bad_errno;
		return -1;
	}
	return __real_readlinkat(dir, path, buf, size);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	bad_name = NULL;
	fakeproc_make(&f->proc);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fakeproc_free(&f->proc);
	free(f);
	return 0;
}

static void found(void *ctx, size_t index, pid_t pid, int fd)
{
	struct fixture *f = ctx;

	assert_true(f->n < HITS_MAX);
	f->hits[f->n++] = (struct hit){index, pid, fd};
}

static int walk(struct fixture *f, const uint32_t *inodes, size_t n)
{
	f->n = 0;
	memset(&f->view, 0xff, sizeof(f->view));
	return owner_walk(f->proc.root, inodes, n, found, f, &f->view);
}

static bool has_hit(const struct fixture *f, size_t index, pid_t pid, int fd)
{
	size_t count = 0;

	for (size_t i = 0; i < f->n; i++)
		count += f->hits[i].index == index && f->hits[i].pid == pid && f->hits[i].fd == fd;
	return count == 1;
}

/* --- the walk ---------------------------------------------------------------------------------*/

static void test_finds_every_holder(void **state)
{
	static const uint32_t inodes[] = {0, 7, 100, 4294967295};
	struct fixture *f = *state;

	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_add(&f->proc, 4194304, "b", 5);
	fakeproc_socket(&f->proc, 20, 3, 100);
	fakeproc_socket(&f->proc, 20, 4, 101);
	fakeproc_socket(&f->proc, 20, 1048575, 100);
	fakeproc_socket(&f->proc, 4194304, 5, 100);
	fakeproc_socket(&f->proc, 4194304, 0, 4294967295);
	assert_int_equal(walk(f, inodes, 4), 0);
	assert_int_equal(f->n, 4);
	assert_true(has_hit(f, 2, 20, 3));
	assert_true(has_hit(f, 2, 20, 1048575));
	assert_true(has_hit(f, 2, 4194304, 5));
	assert_true(has_hit(f, 3, 4194304, 0));
	assert_int_equal(f->view.processes, 3);
	assert_int_equal(f->view.denied, 0);
	assert_false(f->view.hidden);
	assert_int_equal(walk(f, inodes, 0), 0);
	assert_int_equal(f->n, 0);
}

static void test_only_sockets(void **state)
{
	static const char *const texts[] = {
		"pipe:[7]",    "socket:[7",	      "socket:[]",
		"socket:7]",   "socket:[7a]",	      "socket:[-7]",
		"socket:[7] ", "/tmp/socket:[7]",     "socket:[0]",
		"Socket:[7]",  "socket:[4294967303]", "anon_inode:[eventpoll]",
		"s",	       "socket:[7]]x",	      "socket:[18446744073709551623]",
	};
	static const uint32_t inodes[] = {0, 7};
	struct fixture *f = *state;

	fakeproc_add(&f->proc, 20, "a", 5);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char fd[8];

		snprintf(fd, sizeof(fd), "%zu", i);
		fakeproc_link(&f->proc, 20, fd, texts[i]);
	}
	assert_int_equal(walk(f, inodes, 2), 0);
	assert_int_equal(f->n, 0);
	assert_int_equal(f->view.processes, 2);
}

static void test_only_processes(void **state)
{
	static const char *const others[] = {"self", "20a", "0", "-20", " 20", "99999999999"};
	static const uint32_t inodes[] = {7};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s/%.16s", f->proc.root, others[i]);
		assert_int_equal(mkdir(name, 0755), 0);
		strcat(name, "/fd");
		assert_int_equal(mkdir(name, 0755), 0);
		strcat(name, "/3");
		assert_int_equal(symlink("socket:[7]", name), 0);
	}
	assert_int_equal(walk(f, inodes, 1), 0);
	assert_int_equal(f->n, 0);
	assert_int_equal(f->view.processes, 1);
}

/* More names than one read of the directory gives. */
static void test_many_descriptors(void **state)
{
	struct fixture *f = *state;
	uint32_t inodes[3000];

	fakeproc_add(&f->proc, 20, "a", 5);
	for (uint32_t i = 0; i < 3000; i++) {
		inodes[i] = 1000 + 2 * i;
		fakeproc_socket(&f->proc, 20, (int)i, inodes[i]);
	}
	assert_int_equal(walk(f, inodes, 3000), 0);
	assert_int_equal(f->n, 3000);
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(f->hits[i].index, f->hits[i].fd);
}

static void prepare_two(struct fixture *f)
{
	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_add(&f->proc, 21, "b", 5);
	fakeproc_socket(&f->proc, 20, 3, 7);
	fakeproc_socket(&f->proc, 21, 4, 7);
}

static void test_denied(void **state)
{
	static const uint32_t inodes[] = {7};
	static const int errors[] = {EACCES, EPERM};
	static const char *const names[] = {"20/fd", "3"};
	struct fixture *f = *state;

	prepare_two(f);
	for (size_t i = 0; i < 4; i++) {
		bad_name = names[i / 2];
		bad_errno = errors[i % 2];
		assert_int_equal(walk(f, inodes, 1), 0);
		assert_int_equal(f->n, 1);
		assert_true(has_hit(f, 0, 21, 4));
		assert_int_equal(f->view.processes, 2);
		assert_int_equal(f->view.denied, 1);
	}
}

static void test_gone(void **state)
{
	static const uint32_t inodes[] = {7};
	static const int errors[] = {ENOENT, ESRCH};
	static const char *const names[] = {"20/fd", "3"};
	struct fixture *f = *state;

	prepare_two(f);
	for (size_t i = 0; i < 4; i++) {
		bad_name = names[i / 2];
		bad_errno = errors[i % 2];
		assert_int_equal(walk(f, inodes, 1), 0);
		assert_int_equal(f->n, 1);
		assert_true(has_hit(f, 0, 21, 4));
		assert_int_equal(f->view.denied, 0);
	}
}

/* One strange descriptor must not hide its neighbours, nor other processes. */
static void test_link_that_cannot_be_read(void **state)
{
	static const uint32_t inodes[] = {7};
	struct fixture *f = *state;

	prepare_two(f);
	fakeproc_socket(&f->proc, 20, 9, 8);
	bad_name = "9";
	bad_errno = ENAMETOOLONG;
	assert_int_equal(walk(f, inodes, 1), 0);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->view.denied, 0);
	assert_int_equal(f->view.processes, 3);
}

static void test_hidden(void **state)
{
	static const uint32_t inodes[] = {7};
	struct fixture *f = *state;

	fakeproc_remove(&f->proc, 1);
	prepare_two(f);
	assert_int_equal(walk(f, inodes, 1), 0);
	assert_int_equal(f->n, 2);
	assert_true(f->view.hidden);
}

static void test_walk_that_fails(void **state)
{
	static const uint32_t inodes[] = {7};
	struct fixture *f = *state;
	const struct owner_view untouched = {1, 2, true};
	char missing[48];

	prepare_two(f);
	f->view = untouched;
	bad_name = "20/fd";
	bad_errno = EMFILE;
	assert_int_equal(owner_walk(f->proc.root, inodes, 1, found, f, &f->view), -EMFILE);
	assert_int_equal(f->view.processes, untouched.processes);
	assert_int_equal(f->view.denied, untouched.denied);
	assert_int_equal(f->view.hidden, untouched.hidden);
	snprintf(missing, sizeof(missing), "%s/none", f->proc.root);
	assert_int_equal(owner_walk(missing, inodes, 1, found, f, &f->view), -ENOENT);
	snprintf(missing, sizeof(missing), "%s/1/stat", f->proc.root);
	assert_int_equal(owner_walk(missing, inodes, 1, found, f, &f->view), -ENOTDIR);
}

/* The first two sockets, then no more. */
static bool two(void *ctx, uint32_t inode, pid_t pid, int fd)
{
	(void)inode;
	found(ctx, 0, pid, fd);
	return ((struct fixture *)ctx)->n < 2;
}

static void test_walk_over_all(void **state)
{
	struct fixture *f = *state;

	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_link(&f->proc, 20, "1", "/dev/null");
	fakeproc_socket(&f->proc, 20, 2, 9);
	assert_int_equal(owner_walk_all(f->proc.root, two, f, &f->view), 0);
	assert_int_equal(f->n, 1);
	assert_true(has_hit(f, 0, 20, 2));
	f->n = 0;
	for (int fd = 3; fd < 9; fd++)
		fakeproc_socket(&f->proc, 20, fd, 9);
	fakeproc_add(&f->proc, 21, "a", 5);
	fakeproc_socket(&f->proc, 21, 3, 9);
	assert_int_equal(owner_walk_all(f->proc.root, two, f, &f->view), 0);
	assert_int_equal(f->n, 2);
}

static void test_holds(void **state)
{
	struct fixture *f = *state;

	prepare_two(f);
	fakeproc_link(&f->proc, 20, "5", "socket:[0]");
	assert_true(owner_holds(f->proc.root, 20, 3, 7));
	assert_false(owner_holds(f->proc.root, 20, 3, 8));
	assert_false(owner_holds(f->proc.root, 20, 4, 7));
	assert_false(owner_holds(f->proc.root, 22, 3, 7));
	assert_false(owner_holds(f->proc.root, 20, 5, 0));
	assert_false(owner_holds("/nonexistent", 20, 3, 7));
}

/* --- processes --------------------------------------------------------------------------------*/

static void check_comm(struct fixture *f, pid_t pid, const char *comm, const char *wanted)
{
	struct owner_process process;

	fakeproc_add(&f->proc, pid, comm, 987654321012);
	assert_int_equal(owner_process(f->proc.root, pid, &process), 0);
	assert_int_equal(process.pid, pid);
	assert_string_equal(process.comm, wanted);
	assert_int_equal(process.start_ticks, 987654321012);
	assert_string_equal(process.exe, "/usr/bin/program");
}

static void test_names_of_every_kind(void **state)
{
	struct fixture *f = *state;

	check_comm(f, 30, "nginx", "nginx");
	check_comm(f, 31, "", "");
	check_comm(f, 32, ") R 1 2 (x) S 3", ") R 1 2 (x) S 3");
	check_comm(f, 33, "a\nb) S 1", "a\nb) S 1");
	check_comm(f, 34, "\xff\xfe\"\\=", "\xff\xfe\"\\=");
	check_comm(f, 35, "((", "((");
	check_comm(f, 36, "kworker/u8:2-events_unbound", "kworker/u8:2-ev");
}

static void test_stat_that_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"30",
		"30 (a",
		"30 a) S",
		")(",
		"30 (a) S 1 2 3",
		"30 (a) S 1 2 3 4 5 6 x",
		"30 (a) S 1 2 3 4 -1 6 7 8 9 10 11 12 13 14 15 16 17 0",
	};
	const struct owner_process untouched = {.pid = 99};
	struct fixture *f = *state;
	struct owner_process process = untouched;

	fakeproc_add(&f->proc, 30, "a", 5);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fakeproc_file(&f->proc, "30/stat", texts[i]);
		assert_int_equal(owner_process(f->proc.root, 30, &process), -EBADMSG);
		assert_memory_equal(&process, &untouched, sizeof(process));
	}
}

static void test_process_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct owner_process process;

	assert_int_equal(owner_process(f->proc.root, 30, &process), -ESRCH);
	fakeproc_add(&f->proc, 30, "a", 5);
	fakeproc_file(&f->proc, "30/stat", NULL);
	assert_int_equal(owner_process(f->proc.root, 30, &process), -ESRCH);
	assert_int_equal(owner_process("/nonexistent", 30, &process), -ENOENT);
	fakeproc_add(&f->proc, 31, "a", 5);
	bad_name = "stat";
	bad_errno = EACCES;
	assert_int_equal(owner_process(f->proc.root, 31, &process), -EACCES);
}

static void test_exe(void **state)
{
	char text[300], wanted[OWNER_EXE_SIZE] = "";
	struct fixture *f = *state;
	struct owner_process process;

	fakeproc_add(&f->proc, 30, "a", 5);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(wanted, 'x', sizeof(wanted) - 1);
	fakeproc_file_link(&f->proc, "30/exe", text);
	assert_int_equal(owner_process(f->proc.root, 30, &process), 0);
	assert_string_equal(process.exe, wanted);
	bad_name = "exe";
	bad_errno = EACCES;
	assert_int_equal(owner_process(f->proc.root, 30, &process), 0);
	assert_string_equal(process.exe, "");
}

static void check_limit(struct fixture *f, const char *text, uint64_t wanted)
{
	struct owner_process process = {.pid = 30, .fd_limit = 5};

	fakeproc_file(&f->proc, "30/limits", text);
	owner_descriptors(f->proc.root, &process);
	assert_int_equal(process.fd_limit, wanted);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;

	fakeproc_add(&f->proc, 30, "a", 5);
	check_limit(
		f,
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max processes             7873                 7873                 processes \n"
		"Max open files            1024                 524288               files     \n"
		"Max locked memory         8388608              8388608              bytes     \n",
		1024);
	check_limit(f, "x\nMax open files            unlimited            unlimited", UINT64_MAX);
	check_limit(f, "x\nMax open files            ", 0);
	check_limit(f, "x\nMax processes             1\n", 0);
	check_limit(f, "", 0);
	check_limit(f, NULL, 0);
}

static void test_counts_descriptors(void **state)
{
	struct owner_process process = {.pid = 30};
	struct fixture *f = *state;

	fakeproc_add(&f->proc, 30, "a", 5);
	owner_descriptors(f->proc.root, &process);
	assert_int_equal(process.fd_count, 0);
	for (int fd = 0; fd < 2000; fd++)
		fakeproc_socket(&f->proc, 30, fd, 1);
	owner_descriptors(f->proc.root, &process);
	assert_int_equal(process.fd_count, 2000);
	bad_name = "fd";
	bad_errno = EACCES;
	owner_descriptors(f->proc.root, &process);
	assert_int_equal(process.fd_count, -1);
	fakeproc_remove(&f->proc, 30);
	owner_descriptors(f->proc.root, &process);
	assert_int_equal(process.fd_count, -1);
	assert_int_equal(process.fd_limit, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finds_every_holder),
		TEST(test_only_sockets),
		TEST(test_only_processes),
		TEST(test_many_descriptors),
		TEST(test_denied),
		TEST(test_gone),
		TEST(test_link_that_cannot_be_read),
		TEST(test_hidden),
		TEST(test_walk_that_fails),
		TEST(test_walk_over_all),
		TEST(test_holds),
		TEST(test_names_of_every_kind),
		TEST(test_stat_that_is_none),
		TEST(test_process_that_is_not_there),
		TEST(test_exe),
		TEST(test_limits),
		TEST(test_counts_descriptors),
	};

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
