/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of ownertable and of ownerserver on top of it, over a tree of files instead of proc(5). */
#include "config.h"

#include "fakeproc.h"
#include "owner.h"
#include "ownerserver.h"
#include "ownertable.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct fixture {
	struct fakeproc proc;
	struct ownertable *table;
};

/* Is called while a process is looked at; NULL: nothing happens then. */
static void (*meanwhile)(struct fakeproc *proc);
static struct fakeproc *meanwhile_proc;

bool __real_owner_holds(const char *root, pid_t pid, int fd, uint32_t inode);
bool __wrap_owner_holds(const char *root, pid_t pid, int fd, uint32_t inode);

bool __wrap_owner_holds(const char *root, pid_t pid, int fd, uint32_t inode)
{
	if (meanwhile)
		meanwhile(meanwhile_proc);
	return __real_owner_holds(root, pid, fd, inode);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fakeproc_make(&f->proc);
	meanwhile = NULL;
	meanwhile_proc = &f->proc;
	*state = f;
	return ownertable_new(f->proc.root, &f->table);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ownertable_free(f->table);
	fakeproc_free(&f->proc);
	free(f);
	return 0;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void check_first(const struct leaker *leaker, pid_t pid, int fd, const char *comm)
{
	assert_int_equal(leaker->kind, LEAKER_HELD);
	assert_int_equal(leaker->first.pid, pid);
	assert_int_equal(leaker->first.fd, fd);
	assert_string_equal(leaker->comm, comm);
	assert_string_equal(leaker->exe, "/usr/bin/program");
}

static void test_finds_after_a_walk(void **state)
{
	struct fixture *f = *state;
	struct leaker leaker;

	fakeproc_add(&f->proc, 20, "nginx", 5);
	fakeproc_socket(&f->proc, 20, 7, 100);
	assert_false(ownertable_find(f->table, 100, &leaker));
	assert_false(ownertable_is_newer(f->table, 0));
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	assert_true(ownertable_find(f->table, 100, &leaker));
	check_first(&leaker, 20, 7, "nginx");
	assert_int_equal(leaker.count, 1);
	assert_false(ownertable_find(f->table, 99, &leaker));
	assert_false(ownertable_find(f->table, 101, &leaker));
	assert_false(ownertable_find(f->table, 0, &leaker));
	assert_int_equal(ownertable_missing(f->table), LEAKER_GONE);
}

static void test_lists_those_who_share(void **state)
{
	struct fixture *f = *state;
	struct leaker leaker;

	/* In no order, and two of one process. */
	for (pid_t pid = 33; pid >= 20; pid--) {
		fakeproc_add(&f->proc, pid, "worker", 5);
		fakeproc_socket(&f->proc, pid, 7, 100);
		fakeproc_socket(&f->proc, pid, 8, 50);
		fakeproc_socket(&f->proc, pid, 9, 200);
	}
	fakeproc_socket(&f->proc, 20, 11, 100);
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	assert_true(ownertable_find(f->table, 100, &leaker));
	check_first(&leaker, 20, 7, "worker");
	assert_int_equal(leaker.count, 15);
	assert_int_equal(leaker.others[0].pid, 20);
	assert_int_equal(leaker.others[0].fd, 11);
	for (int i = 1; i < LEAKER_OTHERS_MAX; i++) {
		assert_int_equal(leaker.others[i].pid, 20 + i);
		assert_int_equal(leaker.others[i].fd, 7);
	}
}

static void test_looks_again(void **state)
{
	struct fixture *f = *state;
	struct leaker leaker;

	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_add(&f->proc, 21, "b", 5);
	fakeproc_add(&f->proc, 22, "c", 5);
	for (pid_t pid = 20; pid <= 22; pid++)
		fakeproc_socket(&f->proc, pid, 7, 100);
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	/* The first has ended, the second has closed it and opened another one. */
	fakeproc_remove(&f->proc, 20);
	fakeproc_socket(&f->proc, 21, 7, 101);
	assert_true(ownertable_find(f->table, 100, &leaker));
	check_first(&leaker, 22, 7, "c");
	assert_int_equal(leaker.count, 1);
	/* Its number is another process's, which has no such socket. */
	fakeproc_remove(&f->proc, 22);
	fakeproc_add(&f->proc, 22, "other", 6);
	assert_false(ownertable_find(f->table, 100, &leaker));
	/* The process that it is now called is told, not the one of the walk. */
	fakeproc_socket(&f->proc, 22, 7, 100);
	assert_true(ownertable_find(f->table, 100, &leaker));
	check_first(&leaker, 22, 7, "other");
	/* One that nothing can be said of is not named. */
	fakeproc_file(&f->proc, "22/stat", NULL);
	assert_false(ownertable_find(f->table, 100, &leaker));
}

static void pass_on_the_number(struct fakeproc *proc)
{
	fakeproc_remove(proc, 20);
	fakeproc_add(proc, 20, "b", 6);
	fakeproc_socket(proc, 20, 7, 100);
}

/* Whose name is it, the old process's or the new one's? Neither is told. */
static void test_a_number_that_is_passed_on(void **state)
{
	struct fixture *f = *state;
	struct leaker leaker;

	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_socket(&f->proc, 20, 7, 100);
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	meanwhile = pass_on_the_number;
	assert_false(ownertable_find(f->table, 100, &leaker));
	meanwhile = NULL;
	assert_true(ownertable_find(f->table, 100, &leaker));
	check_first(&leaker, 20, 7, "b");
}

static void test_walks_keep_their_pace(void **state)
{
	struct fixture *f = *state;
	uint64_t began = now_us(), took;

	assert_int_equal(ownertable_due_us(f->table), 0);
	for (pid_t pid = 20; pid < 220; pid++)
		fakeproc_add(&f->proc, pid, "a", 5);
	began = now_us();
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	took = now_us() - began;
	assert_true(ownertable_is_newer(f->table, began));
	assert_false(ownertable_is_newer(f->table, now_us()));
	assert_in_range(ownertable_due_us(f->table), began + 1,
			began + took + (OWNERTABLE_SHARE - 1) * took);
}

static void test_a_walk_that_fails(void **state)
{
	struct fixture *f = *state;
	struct fakeproc moved = f->proc;
	struct leaker leaker;

	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_socket(&f->proc, 20, 7, 100);
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	strcat(moved.root, "-away");
	assert_int_equal(rename(f->proc.root, moved.root), 0);
	assert_int_equal(ownertable_walk(f->table, 0), -ENOENT);
	assert_int_equal(rename(moved.root, f->proc.root), 0);
	assert_false(ownertable_find(f->table, 100, &leaker));
	assert_false(ownertable_is_newer(f->table, 0));
}

static void test_says_that_it_did_not_see_all(void **state)
{
	struct fixture *f = *state;

	fakeproc_remove(&f->proc, 1);
	assert_int_equal(ownertable_walk(f->table, 0), 0);
	assert_int_equal(ownertable_missing(f->table), LEAKER_DENIED);
}

/* --- the server -------------------------------------------------------------------------------*/

struct server {
	pthread_t thread;
	int fd; /* ours */
	int its_fd;
	const char *root;
	int result;
};

static void *run(void *ctx)
{
	struct server *server = ctx;

	server->result = ownerserver_run(server->its_fd, server->root);
	close(server->its_fd);
	return NULL;
}

static void start(struct server *server, const struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	*server = (struct server){.fd = fds[0], .its_fd = fds[1], .root = f->proc.root};
	assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

static int end(struct server *server)
{
	close(server->fd);
	pthread_join(server->thread, NULL);
	return server->result;
}

static void ask(const struct server *server, uint64_t id, uint32_t inode, uint64_t until_us)
{
	struct owner_question question;

	memset(&question, 0, sizeof(question));
	question.id = id;
	question.since_us = now_us();
	question.until_us = until_us;
	question.inode = inode;
	assert_int_equal(send(server->fd, &question, sizeof(question), 0), sizeof(question));
}

static struct leaker answer(const struct server *server, uint64_t id)
{
	struct owner_answer got;

	assert_int_equal(recv(server->fd, &got, sizeof(got), 0), sizeof(got));
	assert_int_equal(got.id, id);
	return got.leaker;
}

static void test_server_answers_in_order(void **state)
{
	struct fixture *f = *state;
	const uint64_t long_us = now_us() + 60000000;
	struct server server;
	struct leaker leaker;

	fakeproc_add(&f->proc, 20, "a", 5);
	fakeproc_socket(&f->proc, 20, 7, 100);
	start(&server, f);
	ask(&server, 1, 100, long_us);
	ask(&server, 2, 55, long_us);
	ask(&server, 3, 100, long_us);
	leaker = answer(&server, 1);
	check_first(&leaker, 20, 7, "a");
	assert_int_equal(answer(&server, 2).kind, LEAKER_GONE);
	leaker = answer(&server, 3);
	check_first(&leaker, 20, 7, "a");
	/* What came after a walk is found by the next one. */
	fakeproc_socket(&f->proc, 20, 8, 55);
	ask(&server, 4, 55, long_us);
	leaker = answer(&server, 4);
	check_first(&leaker, 20, 8, "a");
	assert_int_equal(end(&server), 0);
}

static void test_server_does_not_answer_late(void **state)
{
	struct fixture *f = *state;
	struct server server;

	start(&server, f);
	ask(&server, 1, 100, now_us() - 1);
	assert_int_equal(answer(&server, 1).kind, LEAKER_LATE);
	assert_int_equal(end(&server), 0);
}

static uint64_t used_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A walk over many processes, and then questions for the next one. */
static void test_server_keeps_the_pace(void **state)
{
	struct fixture *f = *state;
	uint64_t asked_us, cost_us;
	struct server server;

	for (pid_t pid = 20; pid < 1020; pid++)
		fakeproc_add(&f->proc, pid, "a", 5);
	start(&server, f);
	cost_us = used_us();
	ask(&server, 1, 100, now_us() + 60000000);
	assert_int_equal(answer(&server, 1).kind, LEAKER_GONE);
	cost_us = used_us() - cost_us;
	/* It would not be due in time. */
	asked_us = now_us();
	ask(&server, 2, 101, asked_us + cost_us);
	assert_int_equal(answer(&server, 2).kind, LEAKER_LATE);
	/* This one waits, nineteen times as long; half of that is allowed for what else we did. */
	ask(&server, 3, 102, asked_us + 60000000);
	assert_int_equal(answer(&server, 3).kind, LEAKER_GONE);
	assert_true(now_us() - asked_us > 10 * cost_us);
	assert_int_equal(end(&server), 0);
}

static void test_server_refuses_nonsense(void **state)
{
	struct fixture *f = *state;
	struct server server;
	char byte;

	start(&server, f);
	assert_int_equal(send(server.fd, "x", 1, 0), 1);
	assert_int_equal(recv(server.fd, &byte, 1, 0), 0);
	assert_int_equal(end(&server), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finds_after_a_walk),
		TEST(test_lists_those_who_share),
		TEST(test_looks_again),
		TEST(test_a_number_that_is_passed_on),
		TEST(test_walks_keep_their_pace),
		TEST(test_a_walk_that_fails),
		TEST(test_says_that_it_did_not_see_all),
		TEST(test_server_answers_in_order),
		TEST(test_server_does_not_answer_late),
		TEST(test_server_keeps_the_pace),
		TEST(test_server_refuses_nonsense),
	};

	return cmocka_run_group_tests_name("ownertable", tests, NULL, NULL);
}
