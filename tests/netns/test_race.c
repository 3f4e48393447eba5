/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Occupants that vanish while they are judged: each is closed at about the moment when the daemon
 * turns to it. The kernel answers a look-up of a vanished tuple with the listener, and would destroy
 * the listener in its place; whatever happens in which order, only occupants may go.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fdlimit.h"
#include "lib/monotime.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"
#include "rawsyn.h"
#include "stage.h"

#define ROUNDS	     10
#define MINES	     200
#define STEP_NS	     1000
#define BYSTANDERS   8
#define BYSTAND_PORT 30000
/* A claimant that was in bad luck needs a retransmission or two. */
#define LAST_CONNECT_MS 15000
struct bystander {
	union endpoint client_end;
	int client, server;
};

/* Living connections, half-closed by their clients: what a careless daemon would destroy. */
static void make_bystanders(struct stage *s, struct bystander *bystanders)
{
	for (uint16_t i = 0; i < BYSTANDERS; i++) {
		struct bystander *b = &bystanders[i];

		b->client_end = stage_client(s, BYSTAND_PORT + i);
		b->client = stage_connects(s, BYSTAND_PORT + i);
		b->server = stage_accept_from(s, BYSTAND_PORT + i);
		stage_half_close(b->client);
	}
}

static void repeat_syns_of(const struct stage *s, const struct bystander *bystanders)
{
	for (int i = 0; i < BYSTANDERS; i++) {
		const struct rawsyn syn = rawsyn_make(&bystanders[i].client_end, &s->server);

		must(rawsyn_send(&syn), "repeat a SYN");
	}
}

static void check_bystanders(const struct bystander *bystanders)
{
	for (int i = 0; i < BYSTANDERS; i++) {
		char byte = 'x';

		assert_int_equal(sock_state(bystanders[i].server), TCP_CLOSE_WAIT);
		assert_int_equal(write(bystanders[i].server, &byte, 1), 1);
		assert_int_equal(read(bystanders[i].client, &byte, 1), 1);
	}
}

static uint64_t listener_cookie(const struct stage *s)
{
	/* Nobody is connected from here: the kernel answers with the listener. */
	union endpoint nobody = stage_client(s, 1);
	const struct inet_diag_req_v2 req = sockdiag_request(&s->server, &nobody);
	struct sockdiag_info info;
	int nl = must(sockdiag_open(), "open sock_diag");

	must(sockdiag_get(nl, &req, &info), "find the listener");
	close(nl);
	assert_int_equal(info.msg.idiag_state, TCP_LISTEN);
	return (uint64_t)info.msg.id.idiag_cookie[1] << 32 | info.msg.id.idiag_cookie[0];
}

static void accept_all(const struct stage *s)
{
	int fd;

	while ((fd = sock_accept(s->listener, 0)) >= 0)
		close(fd);
	assert_int_equal(fd, -ETIMEDOUT);
}

/* Claimants of earlier rounds may come through at any time, and wait to be accepted as well. */
static int plant_among_others(struct stage *s, uint16_t port)
{
	int fd = stage_connects(s, port);
	int server = stage_accept_from(s, port);

	must(mine_abandon(fd), "let the client vanish");
	return server;
}

static void spin(int64_t ns)
{
	int64_t moment = mono_ns() + ns;

	while (mono_ns() < moment)
		;
}

/*
 * The SYN is held when connect() returns, and the daemon awakes on another processor. The delay
 * after which the occupant is closed walks to where either of the two may be the first.
 */
static int claim_and_close(struct stage *s, uint16_t port, int occupant, int64_t *delay_ns)
{
	union endpoint client = stage_client(s, port);
	int claimant = must(sock_connect_start(&client, &s->server), "begin to connect");

	spin(*delay_ns);
	/* As close() does, it sends the FIN that the claimant answers with a reset. */
	shutdown(occupant, SHUT_WR);
	sock_connect_finish(claimant, 1);
	if (sock_error(occupant) != ECONNABORTED)
		*delay_ns += STEP_NS;
	else if (*delay_ns > 0)
		*delay_ns -= STEP_NS;
	close(occupant);
	return claimant;
}

static void run_round(struct stage *s, uint16_t first_port, int64_t *delay_ns, int *claimants)
{
	int occupants[MINES];

	for (uint16_t i = 0; i < MINES; i++)
		occupants[i] = plant_among_others(s, first_port + i);
	for (uint16_t i = 0; i < MINES; i++)
		claimants[i] = claim_and_close(s, first_port + i, occupants[i], delay_ns);
}

static size_t count_results(struct stage *s, const char *result)
{
	size_t count = 0;

	loglines_read(&s->daemon.log);
	for (size_t i = 0; i < s->daemon.log.count; i++) {
		const json_t *value = json_object_get(s->daemon.log.lines[i].object, "result");

		count += value && strcmp(json_string_value(value), result) == 0;
	}
	return count;
}

static void occupants_vanish(struct stage *s)
{
	struct bystander bystanders[BYSTANDERS];
	int claimants[ROUNDS][MINES];
	int64_t deadline, delay_ns = 0;
	uint64_t cookie;

	fdlimit_raise();
	stage_listen(s, 4096);
	fcntl(s->listener, F_SETFL, O_NONBLOCK);
	stage_protect(s, "limits = { events_per_second = 0; destroy_per_second = 0; };");
	cookie = listener_cookie(s);
	make_bystanders(s, bystanders);
	for (int r = 0; r < ROUNDS; r++) {
		run_round(s, (uint16_t)(CLIENT_PORT + r * MINES), &delay_ns, claimants[r]);
		repeat_syns_of(s, bystanders);
		accept_all(s);
	}

	deadline = mono_ns() + (int64_t)LAST_CONNECT_MS * 1000000;
	for (int i = 0; i < ROUNDS * MINES; i++)
		must(sock_connect_finish(claimants[i / MINES][i % MINES], mono_ms_left(deadline)),
		     "connect");
	assert_true(listener_cookie(s) == cookie);
	accept_all(s);
	close(stage_connects(s, CLIENT_PORT - 1));
	check_bystanders(bystanders);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "lookup-failed"), 0);
	assert_int_equal(daemon_total(&s->daemon, "unproven"), 0);
	print_message("%zu occupants were destroyed, %zu were gone before, of %d\n",
		      count_results(s, "destroyed"), count_results(s, "gone"), ROUNDS * MINES);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"occupants vanish", occupants_vanish, V4_ONLY | V6_ONLY, IN_ENFORCE},
	};

	return stage_run("race", tests, COUNT_OF(tests), argc, argv);
}
