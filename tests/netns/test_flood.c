/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More SYNs than the queue holds, or than its socket takes: they pass, and the daemon lives on. */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "lib/fdlimit.h"
#include "lib/monotime.h"
#include "lib/sockets.h"
#include "load.h"
#include "rawsyn.h"
#include "rules.h"
#include "stage.h"

#define MAX_HELD 16
/* More than the socket's receive buffer takes, at about 1 KiB each. */
#define FLOOD 30000
/* More than the daemon remembers (FULLQUEUE_MAX). */
#define LISTENERS      40
#define FIRST_LISTENER 9000
#define FLOODERS       3

/* A daemon that does not come to its work, and as many connects as its queue may hold. */
static void fill_queue(struct stage *s, int ret_clients[static MAX_HELD])
{
	union endpoint client;

	stage_listen(s, 1024);
	stage_protect(s, "queue = { workers = 1; max_held = 16; };");
	daemon_freeze(&s->daemon);
	for (uint16_t i = 0; i < MAX_HELD; i++) {
		client = stage_client(s, CLIENT_PORT + i);
		ret_clients[i] = must(sock_connect_start(&client, &s->server), "begin to connect");
	}
}

/* What comes when the queue is full passes by it. */
static void queue_is_full(struct stage *s)
{
	int held[MAX_HELD];

	fill_queue(s, held);
	for (uint16_t i = 0; i < 4 * MAX_HELD; i++)
		stage_connects(s, CLIENT_PORT + 100 + i);
	for (int i = 0; i < MAX_HELD; i++)
		assert_int_equal(sock_connect_finish(held[i], 0), -EINPROGRESS);
	daemon_thaw(&s->daemon);
	for (int i = 0; i < MAX_HELD; i++)
		must(sock_connect_finish(held[i], 5000), "connect");

	daemon_stop(&s->daemon);
	assert_in_range(daemon_total(&s->daemon, "syns"), MAX_HELD, 2 * MAX_HELD);
	assert_int_equal(daemon_total(&s->daemon, "overruns"), 0);
}

/* A collision that passed by the full queue is the kernel's to heal. */
static void collision_beside_full_queue(struct stage *s)
{
	union endpoint client;

	stage_listen(s, 1024);
	stage_protect(s, "queue = { workers = 1; max_held = 1; };");
	stage_mine(s, CLIENT_PORT);
	daemon_freeze(&s->daemon);
	client = stage_client(s, CLIENT_PORT + 1);
	must(sock_connect_start(&client, &s->server), "begin to connect");
	stage_connects(s, CLIENT_PORT);
	assert_int_equal(stage_challenges(), 1);
	daemon_thaw(&s->daemon);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
}

/* SYNs from as many ports to where nobody listens. */
static void flood(struct stage *s, long n)
{
	for (long i = 0; i < n; i++) {
		union endpoint from = stage_client(s, (uint16_t)(1024 + i % 60000));
		union endpoint to = stage_client(s, SERVER_PORT + 1);
		const struct rawsyn syn = rawsyn_make(&from, &to);

		must(rawsyn_send(&syn), "send a SYN");
	}
}

static bool holds_nothing(void *arg)
{
	(void)arg;
	return rules_held() == 0;
}

/*
 * ENOBUFS: the kernel could not hand SYNs over, let them pass, and says so once. Only where the daemon
 * gets no larger buffer than net.core.rmem_max.
 */
static void socket_overruns(struct stage *s)
{
	long queued;

	stage_protect_contained(s, "queue = { workers = 1; max_held = 65536; };");
	stage_listen(s, 8);
	daemon_freeze(&s->daemon);
	flood(s, FLOOD);
	queued = rules_queued();
	daemon_thaw(&s->daemon);
	must(wait_until(holds_nothing, NULL, 10000), "see the queue empty");
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	daemon_event(&s->daemon, "collision");

	daemon_stop(&s->daemon);
	assert_true(daemon_total(&s->daemon, "overruns") >= 1);
	assert_in_range(daemon_total(&s->daemon, "syns"), 100, queued + 2);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

/* As many as it may hold, it can be handed. */
static void max_held_is_held(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "queue = { workers = 1; max_held = 15000; };");
	daemon_freeze(&s->daemon);
	flood(s, FLOOD);
	assert_int_equal(rules_held(), 15000);
	daemon_thaw(&s->daemon);
	must(wait_until(holds_nothing, NULL, 10000), "see the queue empty");
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "overruns"), 0);
	/* On a slow machine the last of them are let go before it comes to them. */
	assert_int_equal(daemon_total(&s->daemon, "lookup-failed"), 0);
	assert_in_range(daemon_total(&s->daemon, "syns"), 1, 15000);
	assert_in_range(daemon_total(&s->daemon, "syns") + daemon_total(&s->daemon, "let-go"),
			15000, 2 * 15000);
}

static void fill_accept_queues(struct stage *s, struct rawsyn ret_syns[static LISTENERS])
{
	for (uint16_t i = 0; i < LISTENERS; i++) {
		union endpoint to = stage_client(s, FIRST_LISTENER + i);
		union endpoint from = stage_client(s, CLIENT_PORT);

		must(sock_listen(&to, 0, false), "listen");
		must(sock_connect(NULL, &to, AT_ONCE_MS), "fill an accept queue");
		ret_syns[i] = rawsyn_make(&from, &to);
	}
}

/* A child that sends these SYNs, one after the other, until it is killed. */
static pid_t flood_with(const struct rawsyn *syns, size_t n)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0;; i++)
		rawsyn_send(&syns[i % n]);
}

/* More full accept queues than are remembered: each SYN has to be told, and others have their turn. */
static void many_full_queues(struct stage *s)
{
	struct rawsyn syns[LISTENERS];
	pid_t flooders[FLOODERS];
	json_t *status;

	daemon_want_control(&s->daemon);
	stage_protect(s, "queue = { workers = 2; };");
	fill_accept_queues(s, syns);
	for (int i = 0; i < FLOODERS; i++)
		flooders[i] = flood_with(syns, LISTENERS);
	daemon_event(&s->daemon, "accept-queue-full");
	for (int i = 0; i < 3; i++)
		assert_int_equal(ctl_run(&s->daemon, "ping", NULL)->status, 0);
	status = ctl_json(&s->daemon, "status", NULL);
	assert_true(ctl_number(status, "totals.accept_queue_full") > LISTENERS);
	json_decref(status);
	daemon_signal(&s->daemon, SIGTERM);
	assert_int_equal(daemon_wait_exit(&s->daemon), 0);
	for (int i = 0; i < FLOODERS; i++) {
		kill(flooders[i], SIGKILL);
		waitpid(flooders[i], NULL, 0);
	}
}

/* A flood while others go about their business. */
static void clients_go_on(struct stage *s)
{
	struct load_result result;
	struct load *load;

	stage_protect(s, "queue = { max_held = 64; };");
	load = load_start(&s->server, 2);
	flood(s, FLOOD);
	load_wait(load, 100);
	result = load_stop(load);
	assert_int_equal(result.failed, 0);
	load_check(&result, 0);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "lookup-failed"), 0);
}

/* Stopped with a full queue: what is held still gets its verdicts. */
static void stopped_while_full(struct stage *s)
{
	int held[MAX_HELD];

	fill_queue(s, held);
	daemon_signal(&s->daemon, SIGTERM);
	daemon_thaw(&s->daemon);
	assert_int_equal(daemon_wait_exit(&s->daemon), 0);
	for (int i = 0; i < MAX_HELD; i++)
		must(sock_connect_finish(held[i], AT_ONCE_MS), "connect");
	assert_int_equal(daemon_total(&s->daemon, "syns"), MAX_HELD);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"queue is full", queue_is_full, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"collision beside a full queue", collision_beside_full_queue, 0, IN_ENFORCE},
		{"socket overruns", socket_overruns, 0, IN_ENFORCE},
		{"max_held is held", max_held_is_held, 0, IN_ENFORCE},
		{"clients go on", clients_go_on, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"many full accept queues", many_full_queues, 0, IN_ENFORCE},
		{"stopped while full", stopped_while_full, V4_ONLY | V6_ONLY, IN_ENFORCE},
	};

	return stage_run("flood", tests, COUNT_OF(tests), argc, argv);
}
