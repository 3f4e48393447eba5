/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Occupants in other states than CLOSE_WAIT, which the configuration may call stale. */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/kernel.h"
#include "lib/monotime.h"
#include "lib/run.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"
#include "stage.h"

/* A connection, both of its ends. */
struct pair {
	union endpoint client_end;
	int client, server;
};

static struct pair make_pair(struct stage *s)
{
	struct pair pair = {.client_end = stage_client(s, CLIENT_PORT)};

	pair.client = stage_connects(s, CLIENT_PORT);
	pair.server = stage_accept_from(s, CLIENT_PORT);
	return pair;
}

struct expected_state {
	const struct stage *stage;
	int state;
};

static bool occupant_is(void *arg)
{
	const struct expected_state *expected = arg;
	union endpoint client = stage_client(expected->stage, CLIENT_PORT);

	return sockdiag_state(&expected->stage->server, &client) == expected->state;
}

static void wait_occupant(struct stage *s, int state)
{
	struct expected_state expected = {s, state};
	union endpoint client = stage_client(s, CLIENT_PORT);

	if (wait_until(occupant_is, &expected, 5000) < 0)
		fail_msg("the occupant is in %s, not in %s",
			 sockdiag_state_name(sockdiag_state(&s->server, &client)),
			 sockdiag_state_name(state));
}

static void half_close(int fd)
{
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

static void no_fin_of_the_server(struct stage *s)
{
	must(run_iptables(s->way == WAY_V6 ? AF_INET6 : AF_INET, "-A", "OUTPUT", "-p", "tcp",
			  "--sport", "8000", "--tcp-flags", "FIN", "FIN", "-j", "DROP", NULL),
	     "drop the server's FIN");
}

/* Each brings the stage's only connection to its state, with a client that has vanished. */

static void make_established(struct stage *s)
{
	must(mine_vanish(make_pair(s).client), "vanish");
	wait_occupant(s, TCP_ESTABLISHED);
}

/* The server sends its FIN to nobody, again and again. */
static void make_fin_wait_1(struct stage *s)
{
	struct pair pair = make_pair(s);

	no_fin_of_the_server(s);
	must(mine_vanish(pair.client), "vanish");
	half_close(pair.server);
	wait_occupant(s, TCP_FIN_WAIT1);
}

/* The server has closed its half and keeps the descriptor: this FIN_WAIT_2 never expires. */
static void make_fin_wait_2(struct stage *s)
{
	struct pair pair = make_pair(s);

	half_close(pair.server);
	wait_occupant(s, TCP_FIN_WAIT2);
	must(mine_vanish(pair.client), "vanish");
}

/* The server has closed the descriptor too: what is left is a timewait entry without a socket. */
static void make_orphaned_fin_wait_2(struct stage *s)
{
	struct pair pair = make_pair(s);

	close(pair.server);
	wait_occupant(s, TCP_FIN_WAIT2);
	must(mine_vanish(pair.client), "vanish");
}

/* Both close at once, and the client's FIN does not acknowledge the server's. */
static void make_closing(struct stage *s)
{
	struct pair pair = make_pair(s);

	no_fin_of_the_server(s);
	half_close(pair.server);
	wait_occupant(s, TCP_FIN_WAIT1);
	half_close(pair.client);
	wait_occupant(s, TCP_CLOSING);
	must(mine_vanish(pair.client), "vanish");
}

static void make_last_ack(struct stage *s)
{
	struct pair pair = make_pair(s);

	no_fin_of_the_server(s);
	must(mine_abandon(pair.client), "vanish");
	close(pair.server);
	wait_occupant(s, TCP_LAST_ACK);
}

static const struct state_case {
	const char *name;
	void (*make)(struct stage *stage);
	int closed; /* the state that it is left in, where no process holds it any more */
} cases[] = {
	{"established", make_established, 0},
	{"fin-wait-1", make_fin_wait_1, 0},
	{"fin-wait-2", make_fin_wait_2, 0},
	{"fin-wait-2", make_orphaned_fin_wait_2, TCP_FIN_WAIT2},
	{"closing", make_closing, 0},
	{"last-ack", make_last_ack, TCP_LAST_ACK},
};

/* By default none of them is stale: the SYN passes and the kernel does what it does. */
static void check_not_stale(struct stage *s, const struct state_case *c)
{
	stage_listen(s, 8);
	stage_protect(s, NULL);
	assert_false(daemon_has_said(&s->daemon, "outlives its process"));
	c->make(s);
	stage_connect(s, CLIENT_PORT, AT_ONCE_MS);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
}

/* A destroy would take its end from it: the kernel has to see to that, as without the daemon. */
static void check_left_alone(struct stage *s, int state)
{
	const json_t *event;

	assert_int_equal(stage_connect(s, CLIENT_PORT, 100).rc, -EINPROGRESS);
	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "action"), "destroy");
	assert_string_equal(event_text(event, "result"), "failed");
	assert_string_equal(event_text(event, "error"), strerror(EOPNOTSUPP));
	wait_occupant(s, state);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
}

static void check_stale(struct stage *s, const struct state_case *c)
{
	const json_t *event;
	char conf[128];
	long challenges;

	snprintf(conf, sizeof(conf), "stale = { states = [ \"%s\" ]; };", c->name);
	stage_listen(s, 8);
	stage_protect(s, conf);
	assert_int_equal(daemon_has_said(&s->daemon, "outlives its process"),
			 strcmp(c->name, "established") != 0 && !kernel_is_since(6, 11));
	c->make(s);
	/* Nor does that of the destroy make the claimant send its SYN again. */
	stage_drop_resets(s);
	if (c->closed && !kernel_is_since(6, 11)) {
		check_left_alone(s, c->closed);
		return;
	}
	challenges = stage_challenges();
	stage_connects(s, CLIENT_PORT);

	event = daemon_event(&s->daemon, "collision");
	stage_event_is_of(s, event, CLIENT_PORT);
	assert_string_equal(event_text(event, "state"), c->name);
	assert_string_equal(event_text(event, "proof"), "exact");
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_int_equal(stage_challenges(), challenges);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

#define STATE_TESTS(test, index)                                                                   \
	static void test##_not_stale(struct stage *s)                                              \
	{                                                                                          \
		check_not_stale(s, &cases[index]);                                                 \
	}                                                                                          \
	static void test##_stale(struct stage *s)                                                  \
	{                                                                                          \
		check_stale(s, &cases[index]);                                                     \
	}

STATE_TESTS(established, 0)
STATE_TESTS(fin_wait_1, 1)
STATE_TESTS(fin_wait_2, 2)
STATE_TESTS(orphaned_fin_wait_2, 3)
STATE_TESTS(closing, 4)
STATE_TESTS(last_ack, 5)

/* CLOSE_WAIT itself can be left out of the list. */
static void close_wait_not_stale(struct stage *s)
{
	struct mine mine;

	stage_listen(s, 8);
	stage_protect(s, "stale = { states = [ \"last-ack\" ]; };");
	stage_drop_resets(s);
	mine = stage_mine(s, CLIENT_PORT);
	assert_int_equal(stage_connect(s, CLIENT_PORT, 100).rc, -EINPROGRESS);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"ESTABLISHED is not stale", established_not_stale, V4_ONLY, IN_ENFORCE},
		{"ESTABLISHED, stale", established_stale, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"FIN_WAIT_1 is not stale", fin_wait_1_not_stale, V4_ONLY, IN_ENFORCE},
		{"FIN_WAIT_1, stale", fin_wait_1_stale, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"FIN_WAIT_2 is not stale", fin_wait_2_not_stale, V4_ONLY, IN_ENFORCE},
		{"FIN_WAIT_2, stale", fin_wait_2_stale, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"FIN_WAIT_2 without a socket is not stale", orphaned_fin_wait_2_not_stale, V4_ONLY,
		 IN_ENFORCE},
		{"FIN_WAIT_2 without a socket, stale", orphaned_fin_wait_2_stale, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"CLOSING is not stale", closing_not_stale, V4_ONLY, IN_ENFORCE},
		{"CLOSING, stale", closing_stale, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"LAST_ACK is not stale", last_ack_not_stale, V4_ONLY, IN_ENFORCE},
		{"LAST_ACK, stale", last_ack_stale, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"CLOSE_WAIT is not stale", close_wait_not_stale, V4_ONLY | V6_ONLY, IN_ENFORCE},
	};

	return stage_run("states", tests, COUNT_OF(tests), argc, argv);
}
