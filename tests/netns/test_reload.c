/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGHUP: the next SYN is judged by the new file, or by the old one if the new one is bad. */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sockets.h"
#include "load.h"
#include "stage.h"

static const char rejecting[] = "mode = \"enforce\"; policy = { default = \"reject\"; };";
static const char destroying[] = "mode = \"enforce\"; policy = { default = \"destroy\"; };";
static const char auditing[] = "mode = \"audit\"; policy = { default = \"reject\"; };";

static void check_result(struct stage *s, const char *result)
{
	assert_string_equal(event_text(daemon_event(&s->daemon, "collision"), "result"), result);
}

static void changes_the_action(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };");
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(stage_connect(s, CLIENT_PORT, AT_ONCE_MS).rc, -ECONNREFUSED);
	check_result(s, "rejected");
	/* The very same occupant, judged anew. */
	daemon_reload(&s->daemon, destroying);
	stage_connects(s, CLIENT_PORT);
	check_result(s, "destroyed");
	stage_accept_from(s, CLIENT_PORT);

	daemon_reload(&s->daemon, auditing);
	stage_mine(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT + 1);
	check_result(s, "audited");
	stage_accept_from(s, CLIENT_PORT + 1);

	daemon_reload(&s->daemon, rejecting);
	stage_mine(s, CLIENT_PORT + 2);
	assert_int_equal(stage_connect(s, CLIENT_PORT + 2, AT_ONCE_MS).rc, -ECONNREFUSED);
	check_result(s, "rejected");
}

static void check_refused(struct stage *s, const char *conf, unsigned int line, const char *reason)
{
	const char *message;
	char place[96];

	daemon_write_conf(&s->daemon, conf);
	daemon_signal(&s->daemon, SIGHUP);
	snprintf(place, sizeof(place), "%s:%u: ", s->daemon.conf_path,
		 daemon_conf_first_line + line - 1);
	message = daemon_message(&s->daemon, place);
	assert_non_null(strstr(message, reason));
	daemon_message(&s->daemon, "the old configuration stays in force");
}

static void bad_file_changes_nothing(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };");
	check_refused(s, "mode = \"enforce\";\npolicy = { default = \"destory\"; };", 2,
		      "did you mean \"destroy\"");
	check_refused(s, "mode = \"enforce\";\n\nqeue = { number = 1; };", 3, "qeue");
	check_refused(s, "mode = \"enforce\";\nlimits = { events_per_second = -1; };", 2, "-1");
	check_refused(s, "mode = \"enforce\";\npolicy = {\n", 2, "never closed");
	/* Every source of nsswitch.conf(5) is asked for this one, with modules of their own. */
	check_refused(s,
		      "mode = \"enforce\";\n"
		      "policy = { rules = ( { name = \"x\"; user = \"nobody-has-this-name\"; "
		      "action = \"log\"; } ); };",
		      2, "a user that exists");
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(stage_connect(s, CLIENT_PORT, AT_ONCE_MS).rc, -ECONNREFUSED);
	check_result(s, "rejected");
}

static void missing_file_changes_nothing(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };");
	assert_int_equal(unlink(s->daemon.conf_path), 0);
	daemon_signal(&s->daemon, SIGHUP);
	assert_non_null(strstr(daemon_message(&s->daemon, s->daemon.conf_path),
			       "No such file or directory"));
	daemon_message(&s->daemon, "the old configuration stays in force");
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(stage_connect(s, CLIENT_PORT, AT_ONCE_MS).rc, -ECONNREFUSED);
}

static void queue_waits_for_restart(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, NULL);
	daemon_write_conf(&s->daemon, "mode = \"enforce\"; queue = { number = 77; };");
	daemon_signal(&s->daemon, SIGHUP);
	daemon_message(&s->daemon, "take effect at the next restart");
	daemon_message(&s->daemon, "reloaded ");
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	check_result(s, "destroyed");
}

/* Many reloads while SYNs come in: none is lost, and the last file is what holds in the end. */
static void under_load(struct stage *s)
{
	struct load_result result;
	struct load *load;

	stage_protect(s, NULL);
	load = load_start(&s->server, 2);
	for (int i = 0; i < 20; i++)
		daemon_reload(&s->daemon, i % 2 ? rejecting : auditing);
	/* More than one at a time: those that come while one is under way are one. */
	for (int i = 0; i < 20; i++)
		daemon_signal(&s->daemon, SIGHUP);
	result = load_stop(load);
	load_check(&result, 0);

	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(stage_connect(s, CLIENT_PORT, AT_ONCE_MS).rc, -ECONNREFUSED);
	daemon_stop(&s->daemon);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"changes the action", changes_the_action, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"a bad file changes nothing", bad_file_changes_nothing, 0, IN_ENFORCE},
		{"a missing file changes nothing", missing_file_changes_nothing, 0, IN_ENFORCE},
		{"the queue waits for a restart", queue_waits_for_restart, 0, IN_ENFORCE},
		{"under load", under_load, 0, IN_ENFORCE},
	};

	return stage_run("reload", tests, COUNT_OF(tests), argc, argv);
}
