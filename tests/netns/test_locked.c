/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Old sockets that their process keeps locked: the worker that looks at one is kept by the kernel, and no
 * SYN may have to wait for that.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "lib/monotime.h"
#include "lib/socklock.h"
#include "lib/sockets.h"
#include "rules.h"
#include "stage.h"

#define PATIENCE_MS 10000
/* Clients whose SYNs come while the worker is kept. */
#define OTHERS 8

static void lock(int fd, struct socklock *ret_lock)
{
	int rc = socklock_take(fd, ret_lock);

	if (rc == -ENOSYS)
		skip();
	must(rc, "lock a socket");
}

/* A mine that is locked, and a SYN that meets it: the worker is kept. Returns the client. */
static int keep_worker(struct stage *s, struct socklock *ret_lock)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct mine mine = stage_mine(s, CLIENT_PORT);

	lock(mine.fd, ret_lock);
	return must(sock_connect_start(&client, &s->server), "begin to connect");
}

static void held_syns_are_let_go(struct stage *s)
{
	struct socklock locked;
	int claimant, others[OTHERS];

	stage_listen(s, 64);
	stage_protect(s, "queue = { workers = 1; };");
	claimant = keep_worker(s, &locked);
	for (uint16_t i = 0; i < OTHERS; i++) {
		union endpoint client = stage_client(s, CLIENT_PORT + 1 + i);

		others[i] = must(sock_connect_start(&client, &s->server), "begin to connect");
	}
	for (int i = 0; i < OTHERS; i++)
		must(sock_connect_finish(others[i], PATIENCE_MS), "connect");
	daemon_message(&s->daemon, "queue 61: the kernel has not come back");
	assert_int_equal(rules_held(), 0);
	/* As long as it lasts, nobody waits. */
	for (uint16_t i = 0; i < OTHERS; i++)
		stage_connects(s, CLIENT_PORT + 100 + i);

	socklock_release(&locked);
	daemon_message(&s->daemon, "queue 61: SYNs are judged again");
	must(sock_connect_finish(claimant, PATIENCE_MS), "connect through the lock");
	stage_connects(s, CLIENT_PORT + 200);
	daemon_stop(&s->daemon);
	/* Neither those that passed unjudged nor, at its end, one that was held in vain. */
	assert_int_equal(daemon_total(&s->daemon, "overruns"), 0);
	assert_in_range(daemon_total(&s->daemon, "syns"), 2, 2 + 2 * OTHERS);
	assert_in_range(daemon_total(&s->daemon, "let-go"), 1, 1 + OTHERS);
}

/* It cannot end before the kernel lets it, but the SYNs do not wait for that. */
static void stops(struct stage *s)
{
	struct socklock locked;

	stage_listen(s, 64);
	stage_protect(s, "queue = { workers = 1; };");
	keep_worker(s, &locked);
	daemon_message(&s->daemon, "queue 61: the kernel has not come back");
	daemon_signal(&s->daemon, SIGTERM);
	for (uint16_t i = 0; i < OTHERS; i++)
		stage_connects(s, CLIENT_PORT + 100 + i);
	socklock_release(&locked);
	assert_int_equal(daemon_wait_exit(&s->daemon), 0);
	stage_connects(s, CLIENT_PORT + 200);
}

static size_t count_threads(const struct daemon *daemon)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)daemon->pid);
	return stat(path, &st) == 0 ? st.st_nlink - 2 : 0;
}

struct threads {
	const struct daemon *daemon;
	size_t before;
};

static bool one_has_gone(void *arg)
{
	const struct threads *threads = arg;

	return count_threads(threads->daemon) < threads->before;
}

/* Of two workers one is kept: the other does not wait for it to let its queue go. */
static void one_of_two_stops(struct stage *s)
{
	struct threads threads = {.daemon = &s->daemon};
	cpu_set_t all, first;
	struct socklock locked;

	stage_listen(s, 64);
	stage_protect(s, "queue = { workers = 2; };");
	/* The first processor's SYNs come to the first queue. */
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	keep_worker(s, &locked);
	sched_setaffinity(0, sizeof(all), &all);
	daemon_message(&s->daemon, "queue 61: the kernel has not come back");
	threads.before = count_threads(&s->daemon);
	daemon_signal(&s->daemon, SIGTERM);
	must(wait_until(one_has_gone, &threads, PATIENCE_MS), "see a worker end");
	socklock_release(&locked);
	assert_int_equal(daemon_wait_exit(&s->daemon), 0);
}

/* In a child: asks the daemon about the mine that is locked, and so its main thread is kept too. */
static pid_t keep_main_thread(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
	pid_t pid;

	endpoint_format(&client, src);
	endpoint_format(&s->server, dst);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ctl_run(&s->daemon, "explain", src, dst, NULL);
		_exit(0);
	}
	return pid;
}

static bool main_thread_is_kept(void *arg)
{
	const struct daemon *daemon = arg;
	char path[64], line[256] = "";
	FILE *stat;
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon->pid);
	stat = fopen(path, "re");
	if (!stat)
		return false;
	if (!fgets(line, sizeof(line), stat))
		line[0] = '\0';
	fclose(stat);
	end = strrchr(line, ')');
	return end && strncmp(end, ") D ", 4) == 0;
}

/*
 * The service manager gives it up. Its workers die, but it does not, and its queue stays bound: nothing
 * may be held there.
 */
static void is_given_up(struct stage *s)
{
	struct mine mine;
	struct socklock locked;
	pid_t asker;

	stage_listen(s, 64);
	daemon_want_control(&s->daemon);
	stage_protect(s, "queue = { workers = 1; };");
	mine = stage_mine(s, CLIENT_PORT);
	lock(mine.fd, &locked);
	asker = keep_main_thread(s);
	must(wait_until(main_thread_is_kept, &s->daemon, PATIENCE_MS), "see the main thread wait");
	daemon_signal(&s->daemon, SIGABRT);
	for (uint16_t i = 0; i < OTHERS; i++)
		stage_connects(s, CLIENT_PORT + 100 + i);
	assert_int_equal(rules_held(), 0);

	socklock_release(&locked);
	assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGABRT);
	waitpid(asker, NULL, 0);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"held SYNs are let go", held_syns_are_let_go, V4_ONLY | V6_ONLY, IN_BOTH},
		{"the daemon is stopped", stops, V4_ONLY, IN_ENFORCE},
		{"the daemon is stopped, two workers", one_of_two_stops, V4_ONLY, IN_ENFORCE},
		{"the daemon is given up", is_given_up, V4_ONLY, IN_ENFORCE},
	};

	return stage_run("locked sockets", tests, COUNT_OF(tests), argc, argv);
}
