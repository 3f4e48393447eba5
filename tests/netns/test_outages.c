/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon is killed, or stands still: what clients see of it. What is measured here stands in
 * closewaitd(8), FAULTS.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/monotime.h"
#include "lib/sockets.h"
#include "load.h"
#include "rules.h"
#include "stage.h"

#define KILLS 100
/* Between a start and the next kill, so that it strikes at work. */
#define CONNECTS_BETWEEN 40
#define CLIENTS		 4
/* A SYN is sent again after 1 s, and once more 2 s later, should the next kill hit that one. */
#define TWO_RETRANSMISSIONS_MS 3000
#define MAX_HELD	       8

static void killed_often(struct stage *s)
{
	struct load_result result;
	struct load *load;

	stage_protect(s, NULL);
	load = load_start(&s->server, CLIENTS);
	for (int i = 0; i < KILLS; i++) {
		load_wait(load, CONNECTS_BETWEEN);
		daemon_signal(&s->daemon, SIGKILL);
		assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGKILL);
		daemon_spawn(&s->daemon, 0, NULL);
		daemon_message(&s->daemon, "ready: ");
	}
	load_wait(load, CONNECTS_BETWEEN);
	result = load_stop(load);
	print_message("%d kills: of %ld connects %ld failed, %ld were slow, the slowest took %ld "
		      "ms\n",
		      KILLS, result.connects, result.failed, result.slow, result.worst_ms);
	assert_int_equal(result.failed, 0);
	/* At most the SYNs that were held: one for each client and kill. */
	assert_in_range(result.slow, 0, CLIENTS * KILLS);
	assert_in_range(result.worst_ms, 0, TWO_RETRANSMISSIONS_MS + load_slow_ms());
	daemon_stop(&s->daemon);
}

/* Begins to connect from n ports; each SYN is held. */
static void begin(struct stage *s, uint16_t port, int n, int *fds)
{
	for (int i = 0; i < n; i++) {
		union endpoint client = stage_client(s, (uint16_t)(port + i));

		fds[i] = must(sock_connect_start(&client, &s->server), "begin to connect");
	}
}

static long finish(const int *fds, int n, int64_t start_ns)
{
	for (int i = 0; i < n; i++) {
		must(sock_connect_finish(fds[i], 5000), "connect");
		close(fds[i]);
	}
	return (long)((mono_ns() - start_ns) / 1000000);
}

/* It stands still with room in its queue: who comes waits until it goes on. */
static void stands_still(struct stage *s)
{
	int64_t start;
	int fds[3];

	stage_listen(s, 64);
	stage_protect(s, NULL);
	daemon_freeze(&s->daemon);
	start = mono_ns();
	begin(s, CLIENT_PORT, 3, fds);
	/* The SYNs and their first repetitions. */
	stage_wait_queued(6);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sock_connect_finish(fds[i], 0), -EINPROGRESS);
	assert_true((mono_ns() - start) / 1000000 > 900);
	daemon_thaw(&s->daemon);
	start = mono_ns();
	print_message("let go on, held connects came through in %ld ms\n", finish(fds, 3, start));
	assert_in_range((mono_ns() - start) / 1000000, 0, AT_ONCE_MS);
	daemon_stop(&s->daemon);
}

/* It stands still with a full queue: whoever comes then, or comes again, passes. */
static void stands_still_with_a_full_queue(struct stage *s)
{
	int64_t start;
	int fds[MAX_HELD];
	long ms;

	stage_listen(s, 64);
	stage_protect(s, "queue = { workers = 1; max_held = 8; };");
	daemon_freeze(&s->daemon);
	start = mono_ns();
	begin(s, CLIENT_PORT, MAX_HELD, fds);
	for (uint16_t i = 0; i < MAX_HELD; i++)
		close(stage_connects(s, CLIENT_PORT + MAX_HELD + i));
	ms = finish(fds, MAX_HELD, start);
	print_message("held behind a full queue, connects took %ld ms\n", ms);
	assert_in_range(ms, 900, 1000 + AT_ONCE_MS);
	daemon_thaw(&s->daemon);
	daemon_stop(&s->daemon);
}

/* As a watchdog ends it: the repetition of what was held passes. */
static void killed_while_it_stands_still(struct stage *s)
{
	int64_t start;
	int fds[3];
	long ms;

	stage_listen(s, 64);
	stage_protect(s, NULL);
	daemon_freeze(&s->daemon);
	start = mono_ns();
	begin(s, CLIENT_PORT, 3, fds);
	stage_wait_queued(3);
	daemon_signal(&s->daemon, SIGKILL);
	assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGKILL);
	close(stage_connects(s, CLIENT_PORT + 3));
	ms = finish(fds, 3, start);
	print_message("killed while it held them, connects took %ld ms\n", ms);
	assert_in_range(ms, 900, 1000 + AT_ONCE_MS);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"100 kills under load", killed_often, 0, IN_ENFORCE},
		{"stands still", stands_still, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"stands still with a full queue", stands_still_with_a_full_queue,
		 V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"killed while it stands still", killed_while_it_stands_still, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
	};

	return stage_run("outages", tests, COUNT_OF(tests), argc, argv);
}
