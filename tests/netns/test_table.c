/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the decision table that are no collision: the daemon keeps its hands off. */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/sockets.h"
#include "rawsyn.h"
#include "stage.h"

/* A SYN of this client without a socket that knows of it, handed to the queue. */
static void send_syn(struct stage *s, uint16_t port)
{
	union endpoint client = stage_client(s, port);
	const struct rawsyn syn = rawsyn_make(&client, &s->server);

	must(rawsyn_send(&syn), "send a SYN");
}

static void no_listener(struct stage *s)
{
	struct attempt attempt;

	stage_protect(s, NULL);
	attempt = stage_connect(s, CLIENT_PORT, AT_ONCE_MS);
	assert_int_equal(attempt.rc, -ECONNREFUSED);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 1);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
}

static void ordinary_listener(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, NULL);
	for (uint16_t i = 0; i < 5; i++) {
		stage_connects(s, CLIENT_PORT + i);
		stage_accept_from(s, CLIENT_PORT + i);
	}

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 5);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
	assert_int_equal(daemon_total(&s->daemon, "not-judged"), 0);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
}

static void accept_queue_full(struct stage *s)
{
	/* As bound, whatever the client calls it. */
	static const char *const listeners[WAY_COUNT] = {
		[WAY_V4] = "127.0.0.1:8000",
		[WAY_V6] = "[::1]:8000",
		[WAY_DUAL] = "[::]:8000",
		[WAY_MAPPED] = "127.0.0.1:8000",
	};
	struct attempt attempt;
	json_t *event;

	stage_listen(s, 1); /* room for two: the kernel compares with >, not >= */
	stage_protect(s, NULL);
	for (uint16_t i = 0; i < 2; i++)
		stage_connects(s, CLIENT_PORT + i);
	attempt = stage_connect(s, CLIENT_PORT + 2, 100);
	assert_int_equal(attempt.rc, -EINPROGRESS);

	event = daemon_event(&s->daemon, "accept-queue-full");
	stage_event_is_of(s, event, CLIENT_PORT + 2);
	assert_string_equal(event_text(event, "listener"), listeners[s->way]);
	assert_int_equal(event_number(event, "syns"), 1);
	assert_true(event_number(event, "listen_drops") >= event_number(event, "listen_overflows"));
	assert_int_equal(event_number(event, "queued"), 2);
	assert_int_equal(event_number(event, "backlog"), 1);
	assert_int_equal(event_number(event, "uid"), 0);
	stage_accept_from(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT + 3);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "accept-queue-full"), 1);
}

/* A connection and a SYN that repeats the one which made it. */
static void occupant_not_stale(struct stage *s)
{
	int client, server;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	client = stage_connects(s, CLIENT_PORT);
	server = stage_accept_from(s, CLIENT_PORT);
	send_syn(s, CLIENT_PORT);
	stage_wait_queued(2);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 2);
	assert_int_equal(daemon_total(&s->daemon, "duplicate-syns"), 0);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
	assert_int_equal(sock_state(server), TCP_ESTABLISHED);
	assert_int_equal(sock_state(client), TCP_ESTABLISHED);
}

/* A half-closed connection whose client is alive: the server may still be answering. */
static void duplicate_syn(struct stage *s)
{
	int client, server;
	char answer[8];

	stage_listen(s, 8);
	stage_protect(s, NULL);
	client = stage_connects(s, CLIENT_PORT);
	server = stage_accept_from(s, CLIENT_PORT);
	stage_half_close(client);
	send_syn(s, CLIENT_PORT);
	stage_wait_queued(2);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "duplicate-syns"), 1);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
	assert_int_equal(sock_state(server), TCP_CLOSE_WAIT);
	assert_int_equal(write(server, "answer", 6), 6);
	assert_int_equal(read(client, answer, sizeof(answer)), 6);
}

/* The client has not closed at all, its server's side counts as stale by the configuration. */
static void duplicate_syn_of_established(struct stage *s)
{
	int client, server;

	stage_listen(s, 8);
	stage_protect(s, "stale = { states = [ \"established\", \"close-wait\" ]; };");
	client = stage_connects(s, CLIENT_PORT);
	server = stage_accept_from(s, CLIENT_PORT);
	send_syn(s, CLIENT_PORT);
	stage_wait_queued(2);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "duplicate-syns"), 1);
	assert_int_equal(sock_state(server), TCP_ESTABLISHED);
	assert_int_equal(sock_state(client), TCP_ESTABLISHED);
}

static void unproven(struct stage *s)
{
	struct mine mine;
	json_t *event;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	mine = stage_mine(s, CLIENT_PORT);
	send_syn(s, CLIENT_PORT);

	event = daemon_event(&s->daemon, "unproven");
	stage_event_is_of(s, event, CLIENT_PORT);
	assert_string_equal(event_text(event, "state"), "close-wait");
	assert_null(json_object_get(event, "action"));
	assert_null(json_object_get(event, "claimant"));
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "unproven"), 1);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

/* The client's port is a listener's, which the kernel answers with where there is no connection. */
static void unproven_behind_listener(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct mine mine;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	mine = stage_mine(s, CLIENT_PORT);
	must(sock_listen(&client, 8, false), "listen on the client's port");
	send_syn(s, CLIENT_PORT);

	daemon_event(&s->daemon, "unproven");
	daemon_stop(&s->daemon);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

/* A socket that connects to itself is the occupant of its own tuple. */
static void self_connect(struct stage *s)
{
	s->server = stage_client(s, CLIENT_PORT);
	stage_protect(s, "stale = { states = [ \"established\", \"close-wait\" ]; };");
	stage_connects(s, CLIENT_PORT);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 1);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"no listener", no_listener, EVERY_WAY, IN_BOTH},
		{"ordinary listener", ordinary_listener, EVERY_WAY, IN_BOTH},
		{"accept queue full", accept_queue_full, EVERY_WAY, IN_BOTH},
		{"occupant not stale", occupant_not_stale, EVERY_WAY, IN_BOTH},
		{"duplicate SYN", duplicate_syn, EVERY_WAY, IN_BOTH},
		{"duplicate SYN of an established connection", duplicate_syn_of_established,
		 V4_ONLY | V6_ONLY, IN_BOTH},
		{"socket connected to itself", self_connect, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"unproven", unproven, EVERY_WAY, IN_BOTH},
		{"unproven behind a listener", unproven_behind_listener, V4_ONLY | V6_ONLY,
		 IN_BOTH},
	};

	return stage_run("decision table", tests, COUNT_OF(tests), argc, argv);
}
