/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often connects collide is what scan has said: a small range of ports, mines and all that
 * keeps ports from being drawn, some thousand real connects, and the share of them that met a mine.
 *
 * The server's bare ACKs are dropped, so that a mine outlives a collision and the client hangs: the
 * original failure.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "stage.h"

#define LOW   20000
#define HIGH  20499
#define RANGE "20000 20499"
/* The share is then known to about 2 percentage points. */
#define CONNECTS 4000
/* Of the normal distribution: one true prediction in a thousand is called false. */
#define SIGMAS 3.29
/* A connect that meets no mine, on a machine that is busy with other things. */
#define PATIENCE_MS 5000

/* Which ports are what; the random ones are the same in every run. */
static bool mined[65536], taken[65536];
static unsigned int seed;

static uint16_t free_even_port(void)
{
	uint16_t port;

	do {
		port = (uint16_t)(LOW + 2 * (rand_r(&seed) % ((HIGH - LOW + 1) / 2)));
	} while (mined[port] || taken[port]);
	return port;
}

static void plant(struct stage *s, uint16_t port)
{
	mined[port] = true;
	stage_mine(s, port);
}

/* A connection that stays, of a client that wanted this port. */
static void live(struct stage *s, uint16_t port)
{
	taken[port] = true;
	stage_connects(s, port);
	stage_accept_from(s, port);
}

/* A listener somewhere else altogether. */
static void listen_on(struct stage *s, uint16_t port)
{
	union endpoint at = stage_end(s->way == WAY_V6 ? "::1" : "127.0.0.9", port);

	taken[port] = true;
	must(sock_listen(&at, 1, true), "listen");
}

/* Mines at random and in a row, living connections at random, listeners in a row before a mine. */
static void prepare(struct stage *s)
{
	memset(mined, 0, sizeof(mined));
	memset(taken, 0, sizeof(taken));
	seed = 1;
	must(netns_sysctl_set("ipv4/ip_local_port_range", RANGE), "set the range of ports");
	must(netns_sysctl_set("ipv4/ip_local_reserved_ports", "20300-20320"), "reserve ports");
	for (uint16_t port = 20300; port <= 20320; port++)
		taken[port] = true;
	stage_listen(s, 128);
	for (uint16_t port = 20100; port < 20160; port += 2)
		listen_on(s, port);
	plant(s, 20160);
	for (int i = 0; i < 30; i++)
		live(s, free_even_port());
	for (int i = 0; i < 40; i++)
		plant(s, free_even_port());
	/* Of clients that bind before they connect: connect() alone does not draw these. */
	for (uint16_t port = 20201; port < 20240; port += 2)
		plant(s, port);
	must(run_iptables(s->way == WAY_V6 ? AF_INET6 : AF_INET, "-A", "OUTPUT", "-p", "tcp",
			  "--sport", "8000", "--tcp-flags", "SYN,RST,FIN,PSH,ACK", "ACK", "-j",
			  "DROP", NULL),
	     "drop the server's bare ACKs");
}

static double predict(struct stage *s)
{
	const struct ctl_output *output = ctl_run(&s->daemon, "--json", "scan", NULL);
	json_t *object = json_loads(output->out, 0, NULL);
	const json_t *listener, *client;
	double share;

	assert_non_null(object);
	listener = json_array_get(ctl_member(object, "scan.listeners"), 0);
	assert_int_equal(ctl_number(listener, "mines"), 61);
	client = json_array_get(ctl_member(listener, "clients"), 0);
	/* 250 even ports; less 30 listeners', 11 reserved and 30 that are in use. */
	assert_int_equal(ctl_number(client, "ports_drawn"), 250 - 30 - 11 - 30);
	assert_int_equal(ctl_number(client, "mines_drawn"), 41);
	share = json_real_value(ctl_member(client, "collision_share"));
	json_decref(object);
	return share;
}

/* Whether one connect from a port of the kernel's choice has met a mine. */
static bool collides(struct stage *s)
{
	int fd = must(sock_connect_start(NULL, &s->server), "begin to connect");
	union endpoint client;
	uint16_t port;

	must(endpoint_local(fd, &client), "see its port");
	port = endpoint_port(&client);
	assert_in_range(port, LOW, HIGH);
	assert_false(taken[port]);
	if (mined[port]) {
		/* The SYN has been there and back already, as it went over loopback. */
		assert_int_equal(sock_state(fd), TCP_SYN_SENT);
		close(fd);
		return true;
	}
	must(sock_connect_finish(fd, PATIENCE_MS), "connect");
	/* The server's end first, which is then gone at once: a FIN's acknowledgement and a reset from the
	 * client, handled on two processors, can leave it in FIN_WAIT2. */
	sock_reset(stage_accept_from(s, port));
	sock_reset(fd);
	return false;
}

static void as_predicted(struct stage *s)
{
	double predicted, measured, sigma;
	int hits = 0;

	prepare(s);
	predicted = predict(s);
	for (int i = 0; i < CONNECTS; i++)
		hits += collides(s);
	measured = (double)hits / CONNECTS;
	sigma = sqrt(predicted * (1 - predicted) / CONNECTS);
	print_message("%d of %d connects met a mine: %.4f, predicted %.4f +- %.4f\n", hits,
		      CONNECTS, measured, predicted, SIGMAS * sigma);
	if (fabs(measured - predicted) > SIGMAS * sigma)
		fail_msg("predicted %.4f, measured %.4f", predicted, measured);
	/* What a simpler model says is outside: mines through ports of the range. */
	assert_true(fabs(measured - 61.0 / 500) > SIGMAS * sigma);
	/* Nothing of it has changed what it measured. */
	assert_true(fabs(predict(s) - predicted) < 1e-9);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"connects collide as often as predicted", as_predicted, V4_ONLY | V6_ONLY,
		 IN_AUDIT},
	};

	return stage_run("the chance of a collision", tests, COUNT_OF(tests), argc, argv);
}
