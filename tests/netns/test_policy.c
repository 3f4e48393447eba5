/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each condition of a rule against real occupants: the rule rejects what it matches, and the
 * default destroys the rest.
 */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/netns.h"
#include "leaker.h"
#include "stage.h"

/* conditions: of the only rule. */
static void protect_with_rule(struct stage *s, const char *conditions)
{
	char conf[512];

	snprintf(conf, sizeof(conf),
		 "policy = { default = \"destroy\"; rules = (\n"
		 "  { name = \"mine\"; %s action = \"reject\"; }\n"
		 "); };",
		 conditions);
	stage_protect(s, conf);
}

/* Another server of the test takes the stage. */
static void serve(struct stage *s, const char *address, uint16_t port)
{
	s->server = stage_end(address, port);
	stage_listen(s, 8);
}

static const json_t *check_rule(struct stage *s, uint16_t port, const char *rule)
{
	const json_t *event;

	assert_int_equal(stage_connect(s, port, AT_ONCE_MS).rc, -ECONNREFUSED);
	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "rule"), rule);
	assert_string_equal(event_text(event, "action"), "reject");
	assert_string_equal(event_text(event, "result"), "rejected");
	return event;
}

static const json_t *check_default(struct stage *s, uint16_t port)
{
	const json_t *event;

	stage_connects(s, port);
	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "rule"), "default");
	assert_string_equal(event_text(event, "action"), "destroy");
	assert_string_equal(event_text(event, "result"), "destroyed");
	return event;
}

static void by_port(struct stage *s)
{
	protect_with_rule(s, "port = [ 8001, \"8100-8199\" ];");
	serve(s, "127.0.0.1", 8000);
	stage_mine(s, CLIENT_PORT);
	check_default(s, CLIENT_PORT);
	serve(s, "127.0.0.1", 8001);
	stage_mine(s, CLIENT_PORT + 1);
	check_rule(s, CLIENT_PORT + 1, "mine");
	serve(s, "127.0.0.1", 8199);
	stage_mine(s, CLIENT_PORT + 2);
	check_rule(s, CLIENT_PORT + 2, "mine");
	/* The client's port is not what is meant. */
	serve(s, "127.0.0.1", 8200);
	stage_mine(s, 8150);
	check_default(s, 8150);
}

static void by_local_address(struct stage *s)
{
	protect_with_rule(s, "local = [ \"127.0.1.0/24\", \"::1\" ];");
	serve(s, "127.0.0.1", SERVER_PORT);
	stage_mine(s, CLIENT_PORT);
	check_default(s, CLIENT_PORT);
	serve(s, "127.0.1.1", SERVER_PORT);
	stage_mine(s, CLIENT_PORT + 1);
	check_rule(s, CLIENT_PORT + 1, "mine");
}

static void by_local_address_v6(struct stage *s)
{
	protect_with_rule(s, "local = [ \"127.0.0.0/8\", \"::1\" ];");
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	check_rule(s, CLIENT_PORT, "mine");
}

/* A dual-stack listener's occupant is an IPv4 one: only its descriptor is of the other family. */
static void by_local_address_dual(struct stage *s)
{
	protect_with_rule(s, "local = [ \"127.0.0.0/8\" ];");
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	check_rule(s, CLIENT_PORT, "mine");
}

/* --- whose occupant it is ---------------------------------------------------------------------*/

static void leave_mine(struct stage *s, uint16_t port)
{
	union endpoint client = stage_client(s, port);

	leaker_leave_mine(&s->server, &client);
}

static void by_user(struct stage *s)
{
	const struct passwd *nobody = getpwnam("nobody");
	pid_t leaker;

	if (!nobody)
		skip();
	leaker = leaker_start(&s->server, nobody->pw_uid, NULL);
	protect_with_rule(s, "user = \"nobody\";");
	leave_mine(s, CLIENT_PORT);
	assert_int_equal(event_number(check_rule(s, CLIENT_PORT, "mine"), "uid"), nobody->pw_uid);

	s->server = stage_client(s, SERVER_PORT + 1);
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT + 1);
	assert_int_equal(event_number(check_default(s, CLIENT_PORT + 1), "uid"), 0);
	leaker_stop(leaker);
}

static void by_unit(struct stage *s)
{
	const json_t *event;
	char name[64], path[80], dir[128], rule[96];
	pid_t leaker;
	int rc;

	snprintf(name, sizeof(name), "closewaitd-test-%d.service", getpid());
	rc = leaker_make_cgroup(name, dir, sizeof(dir));
	if (rc == -ENOENT || rc == -EROFS)
		skip();
	must(rc, "make a control group");
	leaker = leaker_start(&s->server, 0, dir);
	snprintf(rule, sizeof(rule), "unit = \"%s\";", name);
	protect_with_rule(s, rule);
	leave_mine(s, CLIENT_PORT);
	event = check_rule(s, CLIENT_PORT, "mine");
	assert_string_equal(event_text(event, "unit"), name);
	snprintf(path, sizeof(path), "/%s", name);
	assert_string_equal(event_text(event, "cgroup"), path);

	s->server = stage_client(s, SERVER_PORT + 1);
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT + 1);
	check_default(s, CLIENT_PORT + 1);
	leaker_stop(leaker);
	leaker_remove_cgroup(dir);
}

/* --- what the occupant is like ----------------------------------------------------------------*/

static void plant_old(struct stage *s, uint16_t port)
{
	union endpoint client = stage_client(s, port);
	struct mine mine;

	must(mine_plant_honest(s->listener, &client, &s->server, &mine), "plant a mine");
}

static void by_min_age(struct stage *s)
{
	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	protect_with_rule(s, "min_age = \"1s\";");
	stage_listen(s, 8);
	plant_old(s, CLIENT_PORT);
	stage_mine(s, CLIENT_PORT + 1);
	check_default(s, CLIENT_PORT + 1);
	check_rule(s, CLIENT_PORT, "mine");
}

static void by_max_unread(struct stage *s)
{
	int fd;

	protect_with_rule(s, "max_unread = 4;");
	stage_listen(s, 8);
	for (uint16_t unread = 4; unread <= 5; unread++) {
		fd = stage_connects(s, CLIENT_PORT + unread);
		stage_accept_from(s, CLIENT_PORT + unread);
		assert_int_equal(write(fd, "12345", unread), unread);
		must(mine_abandon(fd), "let the client vanish");
	}
	check_rule(s, CLIENT_PORT + 4, "mine");
	check_default(s, CLIENT_PORT + 5);
}

/* Every condition has to hold, and the first rule that matches wins. */
static void in_order(struct stage *s)
{
	stage_protect(
		s,
		"policy = { default = \"log\"; rules = (\n"
		"  { name = \"both\"; port = 8000; local = \"127.0.0.9\"; action = \"drop\"; },\n"
		"  { name = \"first\"; port = 8000; action = \"reject\"; },\n"
		"  { name = \"second\"; local = \"127.0.0.1\"; action = \"drop\"; }\n"
		"); };");
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	check_rule(s, CLIENT_PORT, "first");
}

/* The default's own limit: what is younger is only logged. */
static void too_young(struct stage *s)
{
	const json_t *event;

	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	stage_protect(s, "policy = { default = \"reject\"; min_age = \"1s\"; };");
	stage_listen(s, 8);
	plant_old(s, CLIENT_PORT);
	stage_mine(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT + 1);
	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "rule"), "min-age");
	assert_string_equal(event_text(event, "result"), "logged");
	check_rule(s, CLIENT_PORT, "default");
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"by port", by_port, 0, IN_ENFORCE},
		{"by local address", by_local_address, 0, IN_ENFORCE},
		{"by local address", by_local_address_v6, V6_ONLY, IN_ENFORCE},
		{"by local address", by_local_address_dual, 1U << WAY_DUAL, IN_ENFORCE},
		{"by user", by_user, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"by unit", by_unit, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"by min_age", by_min_age, 0, IN_ENFORCE},
		{"by max_unread", by_max_unread, 0, IN_ENFORCE},
		{"in order", in_order, 0, IN_ENFORCE},
		{"too young", too_young, 0, IN_ENFORCE},
	};

	return stage_run("policy", tests, COUNT_OF(tests), argc, argv);
}
