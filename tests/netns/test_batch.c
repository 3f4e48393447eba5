/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYNs that are judged together: the daemon is stopped while they come in, and finds all of them in
 * its queue when it goes on. Each must get what is its own.
 */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "lib/fdlimit.h"
#include "lib/sockets.h"
#include "stage.h"

/* More than the daemon takes at once. */
#define MANY 150
/* A batch is of one queue. */
#define ONE_QUEUE "queue = { workers = 1; }; "

static void many_collisions(struct stage *s)
{
	int claimants[MANY], occupants[MANY];

	fdlimit_raise();
	stage_listen(s, 1024);
	stage_protect(s, ONE_QUEUE "limits = { events_per_second = 0; };");
	for (uint16_t i = 0; i < MANY; i++)
		occupants[i] = stage_mine(s, CLIENT_PORT + i).fd;
	daemon_freeze(&s->daemon);
	for (uint16_t i = 0; i < MANY; i++) {
		union endpoint client = stage_client(s, CLIENT_PORT + i);

		claimants[i] = must(sock_connect_start(&client, &s->server), "begin to connect");
	}
	daemon_thaw(&s->daemon);
	for (int i = 0; i < MANY; i++)
		must(sock_connect_finish(claimants[i], AT_ONCE_MS), "connect");
	for (int i = 0; i < MANY; i++)
		assert_int_equal(sock_error(occupants[i]), ECONNABORTED);
	stage_expect_challenges(0);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), MANY);
	assert_int_equal(daemon_count_events(&s->daemon, "collision"), MANY);
}

/* The SYN and its retransmission: the occupant can be destroyed only once. */
static void same_collision_twice(struct stage *s)
{
	struct mine mine;
	int fd;

	stage_listen(s, 8);
	stage_protect(s, ONE_QUEUE);
	mine = stage_mine(s, CLIENT_PORT);
	daemon_freeze(&s->daemon);
	fd = must(sock_connect_start(&mine.client, &mine.server), "begin to connect");
	stage_wait_queued(3); /* the mine's own SYN was the first one */
	daemon_thaw(&s->daemon);
	must(sock_connect_finish(fd, AT_ONCE_MS), "connect");

	assert_string_equal(event_text(daemon_event(&s->daemon, "collision"), "result"),
			    "destroyed");
	assert_string_equal(event_text(daemon_event(&s->daemon, "collision"), "result"), "gone");
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
	stage_accept_from(s, CLIENT_PORT);
}

/* --- every verdict there is, side by side -----------------------------------------------------*/

static const struct kind {
	uint16_t port;	  /* of the server */
	bool listens;	  /* somebody does */
	bool collides;	  /* with a mine */
	int rc;		  /* of the connect */
	int occupant;	  /* the mine's state afterwards */
	const char *rule; /* by which it was judged */
} kinds[] = {
	{8000, true, true, 0, TCP_CLOSE, "default"},
	{8001, true, true, -EINPROGRESS, TCP_CLOSE_WAIT, "drop"},
	{8002, true, true, -ECONNREFUSED, TCP_CLOSE_WAIT, "reject"},
	{8003, true, false, 0, 0, NULL},
	{8004, false, false, -ECONNREFUSED, 0, NULL},
	{8001, true, true, -EINPROGRESS, TCP_CLOSE_WAIT, "drop"},
	{8005, true, true, 0, TCP_CLOSE, "log"},
	{8002, true, true, -ECONNREFUSED, TCP_CLOSE_WAIT, "reject"},
};

#define ROUNDS 7
#define MIXED  (ROUNDS * COUNT_OF(kinds))

struct claim {
	const struct kind *kind;
	union endpoint client, server;
	int occupant, claimant;
};

/* One listener for each port. */
static void listen_everywhere(struct stage *s, int listeners[8])
{
	for (uint16_t i = 0; i < 8; i++) {
		union endpoint at = stage_client(s, SERVER_PORT + i);

		if (i != 4)
			listeners[i] = must(sock_listen(&at, 64, false), "listen");
	}
}

static struct claim prepare_claim(struct stage *s, const struct kind *kind, uint16_t port,
				  const int listeners[8])
{
	struct claim claim = {
		.kind = kind,
		.client = stage_client(s, port),
		.server = stage_client(s, kind->port),
	};
	struct mine mine;

	if (kind->collides) {
		must(mine_plant(listeners[kind->port - SERVER_PORT], &claim.client, &claim.server,
				&mine),
		     "plant a mine");
		claim.occupant = mine.fd;
	}
	return claim;
}

static void check_claim(const struct claim *claim)
{
	/* What is still in doubt after so long has been dropped. */
	int patience = claim->kind->rc == -EINPROGRESS ? 0 : AT_ONCE_MS;

	assert_int_equal(sock_connect_finish(claim->claimant, patience), claim->kind->rc);
	if (claim->kind->collides)
		assert_int_equal(sock_state(claim->occupant), claim->kind->occupant);
}

static size_t count_rule(const struct claim *claims, const char *rule)
{
	size_t count = 0;

	for (size_t i = 0; i < MIXED; i++)
		count += claims[i].kind->rule && strcmp(claims[i].kind->rule, rule) == 0;
	return count;
}

static size_t count_rule_told(const struct stage *s, const char *rule)
{
	size_t count = 0;

	for (size_t i = 0; i < s->daemon.log.count; i++) {
		const json_t *told = json_object_get(s->daemon.log.lines[i].object, "rule");

		count += told && strcmp(json_string_value(told), rule) == 0;
	}
	return count;
}

static void every_verdict(struct stage *s)
{
	static const char *const rules[] = {"default", "drop", "reject", "log"};
	struct claim claims[MIXED];
	int listeners[8];

	listen_everywhere(s, listeners);
	stage_protect(s, ONE_QUEUE "limits = { events_per_second = 0; };\n"
				   "policy = { default = \"destroy\"; rules = (\n"
				   "  { name = \"drop\"; port = 8001; action = \"drop\"; },\n"
				   "  { name = \"reject\"; port = 8002; action = \"reject\"; },\n"
				   "  { name = \"log\"; port = 8005; action = \"log\"; }\n"
				   "); };");
	for (size_t i = 0; i < MIXED; i++)
		claims[i] = prepare_claim(s, &kinds[i % COUNT_OF(kinds)],
					  (uint16_t)(CLIENT_PORT + i), listeners);
	daemon_freeze(&s->daemon);
	for (size_t i = 0; i < MIXED; i++)
		claims[i].claimant = must(sock_connect_start(&claims[i].client, &claims[i].server),
					  "begin to connect");
	daemon_thaw(&s->daemon);
	for (size_t i = 0; i < MIXED; i++)
		check_claim(&claims[i]);

	daemon_stop(&s->daemon);
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		assert_int_equal(count_rule_told(s, rules[i]), count_rule(claims, rules[i]));
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"many collisions", many_collisions, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"the same collision twice", same_collision_twice, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"every verdict", every_verdict, V4_ONLY | V6_ONLY, IN_ENFORCE},
	};

	return stage_run("batch", tests, COUNT_OF(tests), argc, argv);
}
