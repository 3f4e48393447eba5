/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps: the mines are gone before a SYN meets them, and whoever lives does not notice. */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claimant.h"
#include "ctl.h"
#include "lib/fdlimit.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "load.h"
#include "rules.h"
#include "stage.h"

#define MINES  10000
#define LIVING 1000
/* The living clients' ports, away from the mines' and from what the kernel gives others. */
#define LIVING_PORT 31000
/* A port that is redirected to the server's. */
#define OTHER_PORT  9000
#define PATIENCE_MS 5000
/* Events that the daemon keeps. */
#define KEPT 256

/* Two looks a second apart (set_the_stage()), and the next sweep at once. */
#define SWEEP "sweep = { interval = \"1s\"; min_age = \"0s\"; max_per_second = 100000; };"
#define FAST  "limits = { destroy_per_second = 0; }; " SWEEP

/* Mines that are planted and living connections, by their last digits. */
static struct mine mines[MINES];
static struct living {
	int client, server;
} living[LIVING];

/* --- the stage --------------------------------------------------------------------------------*/

static void set_the_stage(struct stage *s)
{
	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "shorten tcp_fin_timeout");
	daemon_want_control(&s->daemon);
	stage_listen(s, 1024);
}

/* The daemon alone: a sweep needs no rules. */
static void start(struct stage *s, const char *conf)
{
	char text[1024];

	snprintf(text, sizeof(text), "mode = \"%s\";\n%s", s->enforce ? "enforce" : "audit", conf);
	daemon_start(&s->daemon, text);
}

/* The end of a sweep that has found so many mines. */
static void wait_for_sweep(struct stage *s, unsigned int found)
{
	char text[64];

	snprintf(text, sizeof(text), "sweep: mines=%u ", found);
	daemon_message(&s->daemon, text);
}

static struct living half_closed(struct stage *s, uint16_t port)
{
	struct living pair = {.client = stage_connects(s, port)};

	pair.server = stage_accept_from(s, port);
	stage_half_close(pair.client);
	return pair;
}

static void is_gone(const struct mine *mine)
{
	assert_int_equal(sock_error(mine->fd), ECONNABORTED);
}

static void is_untouched(int server)
{
	assert_int_equal(sock_error(server), 0);
	assert_int_equal(sock_state(server), TCP_CLOSE_WAIT);
}

/* The server goes on sending, and the client hears it. */
static void carries_data(const struct living *pair)
{
	struct pollfd pfd = {.fd = pair->client, .events = POLLIN};
	char byte = 0;

	is_untouched(pair->server);
	assert_int_equal(send(pair->server, "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(pair->client, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
}

/* --- many -------------------------------------------------------------------------------------*/

static void plant_field(struct stage *s)
{
	assert_true(fdlimit_raise() > MINES + 2 * LIVING + 100);
	for (unsigned int i = 0; i < LIVING; i++)
		living[i] = half_closed(s, (uint16_t)(LIVING_PORT + i));
	for (unsigned int i = 0; i < MINES; i++)
		mines[i] = stage_mine(s, (uint16_t)(CLIENT_PORT + i));
}

/* All mines and nothing else, while others connect as quickly as ever. */
static void ten_thousand(struct stage *s)
{
	struct load_result result;
	union endpoint busy = s->server;
	struct load *load;
	json_t *status;

	set_the_stage(s);
	plant_field(s);
	start(s, FAST);
	must(rules_up(s->daemon.conf_path), "put the rules in");
	endpoint_set_port(&busy, SERVER_PORT + 1);
	load = load_start(&busy, 2);
	wait_for_sweep(s, MINES);
	result = load_stop(load);
	load_check(&result, 0);

	for (unsigned int i = 0; i < MINES; i++)
		is_gone(&mines[i]);
	for (unsigned int i = 0; i < LIVING; i++)
		carries_data(&living[i]);
	status = ctl_json(&s->daemon, "status", NULL);
	assert_int_equal(ctl_number(status, "sweep.destroyed"), MINES);
	json_decref(status);
	/* Where they were, clients connect. */
	for (uint16_t i = 0; i < 10; i++)
		stage_connects(s, CLIENT_PORT + i);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
}

/* In audit mode the same is found, told once, and left. */
static void audit(struct stage *s)
{
	const json_t *event;
	struct living alive;

	set_the_stage(s);
	alive = half_closed(s, LIVING_PORT);
	for (uint16_t i = 0; i < 5; i++)
		mines[i] = stage_mine(s, CLIENT_PORT + i);
	start(s, SWEEP);
	wait_for_sweep(s, 5);
	wait_for_sweep(s, 5);
	event = daemon_event(&s->daemon, "mine");
	assert_string_equal(event_text(event, "mode"), "audit");
	assert_string_equal(event_text(event, "action"), "destroy");
	assert_string_equal(event_text(event, "result"), "audited");
	for (uint16_t i = 0; i < 5; i++)
		is_untouched(mines[i].fd);
	carries_data(&alive);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_count_events(&s->daemon, "mine"), 5);
}

/* --- one by one -------------------------------------------------------------------------------*/

static void tells(struct stage *s)
{
	const json_t *event;

	set_the_stage(s);
	mines[0] = stage_mine(s, CLIENT_PORT);
	start(s, SWEEP);
	event = daemon_event(&s->daemon, "mine");
	stage_event_is_of(s, event, CLIENT_PORT);
	assert_string_equal(event_text(event, "state"), "close-wait");
	assert_string_equal(event_text(event, "rule"), "default");
	assert_string_equal(event_text(event, "action"), "destroy");
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_int_equal(event_number(event, "uid"), 0);
	assert_null(json_object_get(event, "verdict_us"));
	assert_null(json_object_get(event, "proof"));
	is_gone(&mines[0]);
	wait_for_sweep(s, 1);
	assert_non_null(
		strstr(ctl_run(&s->daemon, "status", NULL)->out, "sweep           destroy"));
	assert_non_null(strstr(ctl_run(&s->daemon, "events", NULL)->out, "mine"));
	daemon_stop(&s->daemon);
}

static size_t count_kept(struct stage *s, const char *event)
{
	const char *text = ctl_run(&s->daemon, "events", "-n", "256", "--event", event, NULL)->out;
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* More mines than events are kept: the collisions are still among them. */
static void leaves_room(struct stage *s)
{
	set_the_stage(s);
	mines[0] = stage_mine(s, CLIENT_PORT);
	start(s, "");
	must(rules_up(s->daemon.conf_path), "put the rules in");
	stage_connects(s, CLIENT_PORT);
	stage_accept_from(s, CLIENT_PORT);
	daemon_event(&s->daemon, "collision");
	for (uint16_t i = 1; i <= KEPT; i++)
		mines[i] = stage_mine(s, CLIENT_PORT + i);
	daemon_reload(&s->daemon, "mode = \"enforce\"; " SWEEP);
	wait_for_sweep(s, KEPT);
	assert_int_equal(count_kept(s, "collision"), 1);
	assert_int_equal(count_kept(s, "mine"), KEPT - 1);
	daemon_stop(&s->daemon);
}

/* A client that closed and is gone when tcp_fin_timeout is over, as in real life. */
static void an_orphan_that_expires(struct stage *s)
{
	struct living pair;

	set_the_stage(s);
	pair = half_closed(s, CLIENT_PORT);
	mines[0] = stage_mine(s, CLIENT_PORT + 1);
	start(s, SWEEP);
	wait_for_sweep(s, 1);
	is_untouched(pair.server);
	close(pair.client);
	wait_for_sweep(s, 1);
	assert_int_equal(sock_error(pair.server), ECONNABORTED);
	daemon_stop(&s->daemon);
}

static void what_rules_keep(struct stage *s)
{
	static const char conf[] =
		SWEEP "policy = { rules = ( { name = \"a\"; port = 8001; action = \"log\"; },\n"
		      "{ name = \"b\"; port = 8002; action = \"drop\"; },\n"
		      "{ name = \"c\"; port = 8003; action = \"reject\"; },\n"
		      "{ name = \"d\"; port = 8004; user = \"nobody\"; action = \"destroy\"; },\n"
		      "{ name = \"e\"; port = 8004; action = \"log\"; } ); };";

	set_the_stage(s);
	for (uint16_t i = 0; i < 5; i++) {
		union endpoint server = s->server, client = stage_client(s, CLIENT_PORT);

		endpoint_set_port(&server, (uint16_t)(SERVER_PORT + i));
		if (i > 0)
			s->listener = must(sock_listen(&server, 8, false), "listen");
		must(mine_plant(s->listener, &client, &server, &mines[i]), "plant a mine");
	}
	start(s, conf);
	wait_for_sweep(s, 5);
	is_gone(&mines[0]);
	for (uint16_t i = 1; i < 5; i++)
		is_untouched(mines[i].fd);
	daemon_stop(&s->daemon);
}

static void only_logs(struct stage *s)
{
	set_the_stage(s);
	mines[0] = stage_mine(s, CLIENT_PORT);
	start(s, "sweep = { interval = \"1s\"; min_age = \"0s\"; action = \"log\"; };");
	assert_string_equal(event_text(daemon_event(&s->daemon, "mine"), "rule"), "sweep-action");
	is_untouched(mines[0].fd);
	daemon_stop(&s->daemon);
}

/* --- whose peer cannot be seen ----------------------------------------------------------------*/

static void ip(const char *verb, const char *address)
{
	const char *const command[] = {"ip", "addr", verb, address, "dev", "lo", NULL};

	if (run_command(command) != 0)
		fail_msg("ip addr %s %s", verb, address);
}

static struct mine mine_from(struct stage *s, const char *address)
{
	union endpoint client = stage_end(address, CLIENT_PORT);
	struct mine mine;

	must(mine_plant(s->listener, &client, &s->server, &mine), "plant a mine");
	return mine;
}

/* Loopback addresses, the host's own, and one that is no longer this host's. */
static void addresses(struct stage *s)
{
	static const char local[] = "mode = \"enforce\"; sweep = { interval = \"1s\"; min_age = "
				    "\"0s\"; addresses = \"local\"; };";

	set_the_stage(s);
	ip("add", "192.0.2.1/32");
	ip("add", "192.0.2.2/32");
	mines[0] = mine_from(s, "127.0.0.9");
	mines[1] = mine_from(s, "192.0.2.1");
	mines[2] = mine_from(s, "192.0.2.2");
	ip("del", "192.0.2.2/32");
	start(s, SWEEP);
	wait_for_sweep(s, 1);
	is_gone(&mines[0]);
	is_untouched(mines[1].fd);
	daemon_reload(&s->daemon, local);
	wait_for_sweep(s, 1);
	is_gone(&mines[1]);
	is_untouched(mines[2].fd);
	daemon_stop(&s->daemon);
}

static struct living redirected(struct stage *s)
{
	union endpoint src = stage_client(s, LIVING_PORT), dst = stage_client(s, OTHER_PORT);
	struct living pair = {.client = must(claimant_shared(&src, &dst), "begin to connect")};

	must(sock_connect_finish(pair.client, PATIENCE_MS), "connect");
	pair.server = stage_accept_from(s, LIVING_PORT);
	stage_half_close(pair.client);
	return pair;
}

static bool has_young(void *arg)
{
	const struct stage *s = arg;
	json_t *status = ctl_json(&s->daemon, "status", NULL);
	bool ended = json_object_get(ctl_member(status, "sweep"), "last") != NULL;
	bool young = ended && ctl_number(status, "sweep.last.young") > 0;

	json_decref(status);
	return young;
}

/* The end of a sweep that has left something alone since it is too young. */
static void wait_for_young(struct stage *s)
{
	must(wait_until(has_young, s, 2 * PATIENCE_MS), "see a sweep end");
}

static void min_age(struct stage *s)
{
	set_the_stage(s);
	mines[0] = stage_mine(s, CLIENT_PORT);
	start(s, "sweep = { interval = \"1s\"; min_age = \"1h\"; };");
	wait_for_young(s);
	is_untouched(mines[0].fd);
	daemon_reload(&s->daemon, "mode = \"enforce\"; " SWEEP);
	wait_for_sweep(s, 1);
	is_gone(&mines[0]);
	daemon_stop(&s->daemon);
}

/* So that what is idle for longer counts as forgotten; entries that are there stay. */
static void remember(const char *seconds)
{
	must(netns_sysctl_set("netfilter/nf_conntrack_tcp_timeout_fin_wait", seconds), "set");
	must(netns_sysctl_set("netfilter/nf_conntrack_tcp_timeout_close_wait", seconds), "set");
}

/*
 * A peer whose destination was rewritten is found by its source. And since sources may be rewritten
 * too, nothing is a mine that connection tracking may still remember.
 */
static void rewritten_destination(struct stage *s)
{
	struct living pair;

	set_the_stage(s);
	if (run_iptables(AF_INET, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport", "9000", "-j",
			 "REDIRECT", "--to-ports", "8000", NULL) < 0)
		skip();
	pair = redirected(s);
	mines[0] = stage_mine(s, CLIENT_PORT);
	start(s, SWEEP);
	wait_for_young(s);
	is_untouched(mines[0].fd);
	remember("1");
	wait_for_sweep(s, 1);
	is_gone(&mines[0]);
	carries_data(&pair);
	daemon_stop(&s->daemon);
}

/* The server knows the living peer by an address and port on which there is no socket. */
static void rewritten_source(struct stage *s)
{
	struct living pair;

	set_the_stage(s);
	if (run_iptables(AF_INET, "-t", "nat", "-A", "POSTROUTING", "-p", "tcp", "--dport", "8000",
			 "-j", "SNAT", "--to-source", "127.0.0.7", NULL) < 0)
		skip();
	pair.client = stage_connects(s, LIVING_PORT);
	pair.server = must(sock_accept(s->listener, PATIENCE_MS), "accept");
	stage_half_close(pair.client);
	start(s, SWEEP);
	wait_for_young(s);
	carries_data(&pair);
	daemon_stop(&s->daemon);
}

/* --- changes ----------------------------------------------------------------------------------*/

/* Off, on, off again in the middle of a sweep, on in audit mode, enforce. */
static void changes(struct stage *s)
{
	set_the_stage(s);
	mines[0] = stage_mine(s, CLIENT_PORT);
	start(s, "");
	assert_non_null(strstr(ctl_run(&s->daemon, "status", NULL)->out, "sweep           off"));
	daemon_reload(&s->daemon, "mode = \"enforce\"; " SWEEP);
	daemon_reload(&s->daemon, "mode = \"enforce\";");
	is_untouched(mines[0].fd);
	daemon_reload(&s->daemon, "mode = \"audit\"; " SWEEP);
	wait_for_sweep(s, 1);
	is_untouched(mines[0].fd);
	assert_int_equal(ctl_run(&s->daemon, "mode", "enforce", NULL)->status, 0);
	wait_for_sweep(s, 1);
	is_gone(&mines[0]);
	daemon_stop(&s->daemon);
}

/* A sweep that would take half a minute is in hand: nobody has to wait for its end. */
static void stops_in_the_middle(struct stage *s)
{
	static const char slow[] =
		"sweep = { interval = \"1s\"; min_age = \"0s\"; max_per_second = 1; };";
	char again[128];
	unsigned int left = 0;

	set_the_stage(s);
	for (uint16_t i = 0; i < 30; i++)
		mines[i] = stage_mine(s, CLIENT_PORT + i);
	start(s, slow);
	daemon_event(&s->daemon, "mine");
	snprintf(again, sizeof(again), "mode = \"enforce\"; %s", slow);
	daemon_reload(&s->daemon, again);
	daemon_stop(&s->daemon);
	for (unsigned int i = 0; i < 30; i++)
		left += sock_state(mines[i].fd) == TCP_CLOSE_WAIT;
	assert_in_range(left, 1, 29);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"ten thousand mines and a thousand living", ten_thousand, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"audit", audit, EVERY_WAY, IN_AUDIT},
		{"tells", tells, EVERY_WAY, IN_ENFORCE},
		{"leaves room", leaves_room, 0, IN_ENFORCE},
		{"an orphan that expires", an_orphan_that_expires, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"what rules keep", what_rules_keep, 0, IN_ENFORCE},
		{"only logs", only_logs, 0, IN_ENFORCE},
		{"min_age", min_age, 0, IN_ENFORCE},
		{"addresses", addresses, 0, IN_ENFORCE},
		{"rewritten destination", rewritten_destination, 0, IN_ENFORCE},
		{"rewritten source", rewritten_source, 0, IN_ENFORCE},
		{"changes", changes, 0, IN_ENFORCE},
		{"stops in the middle", stops_in_the_middle, 0, IN_ENFORCE},
	};

	return stage_run("sweep", tests, COUNT_OF(tests), argc, argv);
}
