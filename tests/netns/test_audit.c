/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Audit mode decides and reports, and neither the occupant nor the client can tell that it is there. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"
#include "stage.h"

/* Everything sock_diag says of the occupant, without the clocks that run by themselves. */
static struct sockdiag_info view_of(const struct mine *mine)
{
	const struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;
	int nl = must(sockdiag_open(), "open sock_diag");

	must(sockdiag_get(nl, &req, &info), "look the occupant up");
	close(nl);
	assert_true(info.has_tcp);
	info.tcp.tcpi_last_data_sent = info.tcp.tcpi_last_ack_sent = 0;
	info.tcp.tcpi_last_data_recv = info.tcp.tcpi_last_ack_recv = 0;
	return info;
}

/*
 * The SYN is held, judged and let pass, and then dropped by a rule behind ours: whatever has
 * changed about the occupant after that was the daemon's doing.
 */
static void check_untouched(struct stage *s, const char *action)
{
	int family = s->way == WAY_V6 ? AF_INET6 : AF_INET;
	struct sockdiag_info before, after;
	const json_t *event;
	struct mine mine;
	char conf[128];

	stage_listen(s, 8);
	snprintf(conf, sizeof(conf), "policy = { default = \"%s\"; };", action);
	stage_protect(s, conf);
	mine = stage_mine(s, CLIENT_PORT);
	must(run_iptables(family, "-A", "INPUT", "-p", "tcp", "--dport", "8000", "--syn", "-j",
			  "DROP", NULL),
	     "drop SYNs behind the queue");
	before = view_of(&mine);
	assert_int_equal(stage_connect(s, CLIENT_PORT, 100).rc, -EINPROGRESS);

	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "mode"), "audit");
	assert_string_equal(event_text(event, "action"), action);
	assert_string_equal(event_text(event, "result"), "audited");
	after = view_of(&mine);
	assert_memory_equal(&before, &after, sizeof(before));
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
}

static void untouched_by_log(struct stage *s)
{
	check_untouched(s, "log");
}

static void untouched_by_destroy(struct stage *s)
{
	check_untouched(s, "destroy");
}

static void untouched_by_drop(struct stage *s)
{
	check_untouched(s, "drop");
}

static void untouched_by_reject(struct stage *s)
{
	check_untouched(s, "reject");
}

/* What the kernel makes of a collision: nothing of it may depend on the daemon. */
struct outcome {
	int connect_rc, occupant_error, occupant_state;
	long challenges;
};

static struct outcome collide(struct stage *s, uint16_t port)
{
	struct mine mine = stage_mine(s, port);
	long before = stage_challenges();
	struct outcome outcome;

	outcome.connect_rc = stage_connect(s, port, AT_ONCE_MS).rc;
	outcome.challenges = stage_challenges() - before;
	outcome.occupant_error = sock_error(mine.fd);
	outcome.occupant_state = sock_state(mine.fd);
	if (outcome.connect_rc == 0)
		stage_accept_from(s, port);
	return outcome;
}

static void same_outcome_as_without_daemon(struct stage *s)
{
	struct outcome without, with;

	stage_listen(s, 8);
	without = collide(s, CLIENT_PORT);
	stage_protect(s, NULL);
	with = collide(s, CLIENT_PORT + 1);
	assert_int_equal(with.connect_rc, without.connect_rc);
	assert_int_equal(with.challenges, without.challenges);
	assert_int_equal(with.occupant_error, without.occupant_error);
	assert_int_equal(with.occupant_state, without.occupant_state);
	daemon_event(&s->daemon, "collision");
}

/* The option on the command line takes the place of the file's mode, after a reload too. */
static void audit_by_option(struct stage *s)
{
	static const char conf[] = "mode = \"enforce\";";
	static const char *const arguments[] = {"--audit", NULL};
	const json_t *event;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	daemon_stop(&s->daemon);
	daemon_write_conf(&s->daemon, conf);
	daemon_spawn(&s->daemon, 0, arguments);
	assert_non_null(strstr(daemon_message(&s->daemon, "ready: "), "mode audit"));
	for (uint16_t i = 0; i < 2; i++) {
		stage_mine(s, CLIENT_PORT + i);
		stage_connects(s, CLIENT_PORT + i);
		stage_accept_from(s, CLIENT_PORT + i);
		event = daemon_event(&s->daemon, "collision");
		assert_string_equal(event_text(event, "result"), "audited");
		daemon_reload(&s->daemon, conf);
	}
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"untouched by log", untouched_by_log, V4_ONLY | V6_ONLY, IN_AUDIT},
		{"untouched by destroy", untouched_by_destroy, EVERY_WAY, IN_AUDIT},
		{"untouched by drop", untouched_by_drop, V4_ONLY | V6_ONLY, IN_AUDIT},
		{"untouched by reject", untouched_by_reject, V4_ONLY | V6_ONLY, IN_AUDIT},
		{"same outcome as without the daemon", same_outcome_as_without_daemon, EVERY_WAY,
		 IN_AUDIT},
		{"--audit", audit_by_option, V4_ONLY, IN_AUDIT},
	};

	return stage_run("audit", tests, COUNT_OF(tests), argc, argv);
}
