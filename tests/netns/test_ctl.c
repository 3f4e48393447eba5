/* SPDX-License-Identifier: GPL-2.0-or-later */
/* closewaitctl and the control socket: what is asked is what happens. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "load.h"
#include "stage.h"

#define NOBODY 65534

/* A daemon that can be asked, and a server. */
static void set_the_stage(struct stage *s, const char *conf)
{
	daemon_want_control(&s->daemon);
	stage_listen(s, 8);
	stage_protect(s, conf);
}

static const char *end_text(const union endpoint *ep, char text[ENDPOINT_TEXT])
{
	endpoint_format(ep, text);
	return text;
}

/* A collision of this client, told and over; what came of it. */
static const char *collide(struct stage *s, uint16_t port)
{
	stage_mine(s, port);
	stage_connects(s, port);
	stage_accept_from(s, port);
	return event_text(daemon_event(&s->daemon, "collision"), "result");
}

static json_t *explain(struct stage *s, uint16_t port)
{
	union endpoint client = stage_client(s, port);
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];

	return ctl_json(&s->daemon, "explain", end_text(&client, src), end_text(&s->server, dst),
			NULL);
}

/* --- asking -----------------------------------------------------------------------------------*/

static void answers_questions(struct stage *s)
{
	json_t *answer;

	set_the_stage(s, NULL);
	answer = ctl_json(&s->daemon, "ping", NULL);
	assert_int_equal(ctl_number(answer, "pid"), s->daemon.pid);
	assert_string_equal(ctl_text(answer, "release"), PACKAGE_VERSION);
	json_decref(answer);

	stage_connects(s, CLIENT_PORT);
	stage_accept_from(s, CLIENT_PORT);
	answer = ctl_json(&s->daemon, "status", NULL);
	assert_string_equal(ctl_text(answer, "mode"), s->enforce ? "enforce" : "audit");
	assert_string_equal(ctl_text(answer, "mode_source"), "file");
	assert_string_equal(ctl_text(answer, "config.path"), s->daemon.conf_path);
	assert_int_equal(ctl_number(answer, "queue.number"), QUEUE_NUMBER);
	assert_int_equal(ctl_number(answer, "totals.syns"), 1);
	assert_string_equal(ctl_text(answer, "coverage.state"), "ok");
	assert_null(json_object_get(answer, "last_collision"));
	json_decref(answer);

	answer = ctl_json(&s->daemon, "stats", NULL);
	assert_int_equal(ctl_number(answer, "findings.listener"), 1);
	assert_int_equal(ctl_number(answer, "packets.syn"), 1);
	json_decref(answer);

	answer = ctl_json(&s->daemon, "metrics", NULL);
	assert_non_null(strstr(ctl_text(answer, "metrics"),
			       "closewaitd_syns_total{finding=\"listener\"} 1\n"));
	json_decref(answer);
}

/* Every command writes for people too, whatever there is to tell. */
static void speaks_plainly(struct stage *s)
{
	static const char *const commands[] = {"ping", "status", "stats", "events", "metrics"};

	set_the_stage(s, NULL);
	collide(s, CLIENT_PORT);
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		const struct ctl_output *output = ctl_run(&s->daemon, commands[i], NULL);

		assert_int_equal(output->status, 0);
		assert_string_equal(output->err, "");
		assert_non_null(strchr(output->out, '\n'));
		assert_null(strchr(output->out, '\033'));
	}
	assert_non_null(strstr(ctl_run(&s->daemon, "events", NULL)->out, "collision"));
	assert_non_null(strstr(ctl_run(&s->daemon, "status", NULL)->out, "last collision:"));
}

static long syns(const struct stage *s)
{
	json_t *status = ctl_json(&s->daemon, "status", NULL);
	long n = ctl_number(status, "totals.syns");

	json_decref(status);
	return n;
}

/* Everything that can be asked and changed, while workers judge SYNs and sweeps go on. */
static void answers_while_busy(struct stage *s)
{
	static const char *const commands[] = {"stats", "events", "metrics", "reload"};
	union endpoint busy = s->server;
	struct load_result result;
	struct load *load;
	long before = 0;

	set_the_stage(s, "queue = { workers = 2; }; sweep = { interval = \"1s\"; };");
	endpoint_set_port(&busy, SERVER_PORT + 1);
	load = load_start(&busy, 2);
	for (uint16_t round = 0; round < 10; round++) {
		const char *mode = round % 2 ? "enforce" : "audit";
		long now = syns(s);

		assert_true(now > before);
		before = now;
		collide(s, CLIENT_PORT + round);
		for (size_t i = 0; i < COUNT_OF(commands); i++)
			assert_int_equal(ctl_run(&s->daemon, commands[i], NULL)->status, 0);
		assert_int_equal(ctl_run(&s->daemon, "mode", mode, NULL)->status, 0);
		json_decref(explain(s, CLIENT_PORT));
		load_wait(load, 100);
	}
	result = load_stop(load);
	assert_int_equal(result.failed, 0);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 10);
	assert_in_range(daemon_total(&s->daemon, "syns"), result.connects, LONG_MAX);
}

/* A server that hangs: one line at once and one for all the rest, and status names it. */
static void full_accept_queue(struct stage *s)
{
	json_t *answer;
	const json_t *entry, *event;

	daemon_want_control(&s->daemon);
	stage_listen(s, 1); /* room for two */
	stage_protect(s, NULL);
	for (uint16_t i = 0; i < 2; i++)
		stage_connects(s, CLIENT_PORT + i);
	for (uint16_t i = 2; i < 5; i++) {
		assert_int_equal(stage_connect(s, CLIENT_PORT + i, 50).rc, -EINPROGRESS);
		if (i == 2) {
			event = daemon_event(&s->daemon, "accept-queue-full");
			assert_int_equal(event_number(event, "syns"), 1);
		}
	}
	answer = ctl_json(&s->daemon, "status", NULL);
	assert_int_equal(json_array_size(ctl_member(answer, "full_queues")), 1);
	entry = json_array_get(ctl_member(answer, "full_queues"), 0);
	assert_string_equal(ctl_text(entry, "listener"), "127.0.0.1:8000");
	assert_int_equal(ctl_number(entry, "syns"), 3);
	assert_int_equal(ctl_number(entry, "queued"), 2);
	assert_int_equal(ctl_number(entry, "backlog"), 1);
	assert_true(strcmp(ctl_text(entry, "first_time"), ctl_text(entry, "time")) < 0);
	json_decref(answer);
	assert_non_null(
		strstr(ctl_run(&s->daemon, "status", NULL)->out, "127.0.0.1:8000         3 SYNs"));

	daemon_stop(&s->daemon);
	event = daemon_event(&s->daemon, "accept-queue-full");
	assert_int_equal(event_number(event, "syns"), 2);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 2);
}

static void exit_statuses(struct stage *s)
{
	daemon_want_control(&s->daemon);
	daemon_write_conf(&s->daemon, "");
	assert_int_equal(ctl_run(&s->daemon, "status", NULL)->status, 3);
	assert_int_equal(ctl_run(&s->daemon, "-s", "/nonexistent/x", "ping", NULL)->status, 3);
	assert_int_equal(ctl_run(&s->daemon, NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "stattus", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "status", "x", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "status", "--follow", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "mode", "off", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "events", "--port", "0", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "explain", "127.0.0.1:1", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "--help", NULL)->status, 0);
	assert_int_equal(ctl_run(&s->daemon, "--version", NULL)->status, 0);

	daemon_start(&s->daemon, "");
	assert_int_equal(ctl_run(&s->daemon, "status", NULL)->status, 0);
	assert_int_equal(ctl_run_as(NOBODY, NOBODY, &s->daemon, "status", NULL)->status, 4);
	/* Whoever may connect may ask; to change something takes more. */
	assert_int_equal(chmod(s->daemon.control_path, 0666), 0);
	assert_int_equal(ctl_run_as(NOBODY, NOBODY, &s->daemon, "status", NULL)->status, 0);
	assert_int_equal(ctl_run_as(NOBODY, NOBODY, &s->daemon, "reload", NULL)->status, 4);
	assert_int_equal(ctl_run_as(NOBODY, NOBODY, &s->daemon, "mode", "audit", NULL)->status, 4);
	daemon_stop(&s->daemon);
	assert_int_equal(access(s->daemon.control_path, F_OK), -1);
}

/* --- events -----------------------------------------------------------------------------------*/

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void keeps_events(struct stage *s)
{
	static const char *const names[] = {"collision",	 "unproven", "foreign-source",
					    "accept-queue-full", "mine",     "lookup-failed"};

	set_the_stage(
		s, "policy = { rules = ( { name = \"none\"; port = 1; action = \"log\"; } ); };");
	for (uint16_t i = 0; i < 3; i++)
		collide(s, CLIENT_PORT + i);
	assert_int_equal(count_lines(ctl_run(&s->daemon, "events", NULL)->out), 3);
	assert_int_equal(count_lines(ctl_run(&s->daemon, "events", "-n", "2", NULL)->out), 2);
	assert_int_equal(count_lines(ctl_run(&s->daemon, "events", "-n", "0", NULL)->out), 0);
	assert_non_null(strstr(ctl_run(&s->daemon, "events", "-n", "1", NULL)->out, ":20002 "));
	assert_int_equal(count_lines(ctl_run(&s->daemon, "events", "--port", "8000", NULL)->out),
			 3);
	assert_int_equal(count_lines(ctl_run(&s->daemon, "events", "--port", "80", NULL)->out), 0);
	assert_int_equal(
		count_lines(ctl_run(&s->daemon, "events", "--event", "collision", NULL)->out), 3);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(ctl_run(&s->daemon, "events", "--event", names[i], NULL)->status,
				 0);
	assert_int_equal(
		count_lines(ctl_run(&s->daemon, "events", "--event", "unproven", NULL)->out), 0);
	assert_int_equal(
		count_lines(ctl_run(&s->daemon, "events", "--action", "destroy", NULL)->out), 3);
	assert_int_equal(count_lines(ctl_run(&s->daemon, "events", "--action", "drop", NULL)->out),
			 0);
	assert_int_equal(
		count_lines(ctl_run(&s->daemon, "events", "--unit", "no.service", NULL)->out), 0);
}

/* The log is limited to a few a second; whoever follows gets them all. */
static void follows_events(struct stage *s)
{
	struct ctl_stream stream;
	json_t *event;

	set_the_stage(s, "limits = { events_per_second = 1; };");
	collide(s, CLIENT_PORT);
	stream = ctl_follow(&s->daemon, NULL);
	event = ctl_next(&stream);
	stage_event_is_of(s, event, CLIENT_PORT);
	json_decref(event);
	for (uint16_t i = 1; i <= 10; i++) {
		stage_mine(s, CLIENT_PORT + i);
		stage_connects(s, CLIENT_PORT + i);
		stage_accept_from(s, CLIENT_PORT + i);
		event = ctl_next(&stream);
		assert_non_null(event);
		stage_event_is_of(s, event, CLIENT_PORT + i);
		assert_string_equal(event_text(event, "result"), "destroyed");
		json_decref(event);
	}
	daemon_stop(&s->daemon);
	assert_null(ctl_next(&stream));
	assert_int_equal(ctl_end(&stream), 3);
}

/* --- explaining -------------------------------------------------------------------------------*/

static void explains(struct stage *s)
{
	json_t *answer;

	set_the_stage(s, NULL);
	answer = explain(s, CLIENT_PORT);
	assert_string_equal(ctl_text(answer, "asked"), "daemon");
	assert_string_equal(ctl_text(answer, "explanation.event"), "listener");
	json_decref(answer);

	stage_mine(s, CLIENT_PORT);
	answer = explain(s, CLIENT_PORT);
	assert_string_equal(ctl_text(answer, "explanation.event"), "unproven");
	assert_string_equal(ctl_text(answer, "explanation.state"), "close-wait");
	assert_string_equal(ctl_text(answer, "explanation.if_proven.rule"), "default");
	assert_string_equal(ctl_text(answer, "explanation.if_proven.action"), "destroy");
	assert_string_equal(ctl_text(answer, "explanation.if_proven.result"),
			    s->enforce ? "destroyed" : "audited");
	json_decref(answer);

	/* Nothing was touched: it is what then happens. */
	stage_connects(s, CLIENT_PORT);
	assert_string_equal(event_text(daemon_event(&s->daemon, "collision"), "result"),
			    s->enforce ? "destroyed" : "audited");
}

/* Held back by a rule of its own, a client stays in SYN_SENT: that is proof. */
static void explains_a_collision(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	json_t *answer;

	set_the_stage(s, NULL);
	stage_mine(s, CLIENT_PORT);
	must(run_iptables(AF_INET, "-A", "OUTPUT", "-p", "tcp", "--syn", "-j", "DROP", NULL),
	     "drop SYNs");
	must(sock_connect_start(&client, &s->server), "begin to connect");
	answer = explain(s, CLIENT_PORT);
	assert_string_equal(ctl_text(answer, "explanation.event"), "collision");
	assert_string_equal(ctl_text(answer, "explanation.proof"), "exact");
	assert_string_equal(ctl_text(answer, "explanation.claimant"), "syn-sent");
	assert_string_equal(ctl_text(answer, "explanation.action"), "destroy");
	assert_string_equal(ctl_text(answer, "explanation.result"), "destroyed");
	json_decref(answer);
}

static void explains_without_a_daemon(struct stage *s)
{
	json_t *answer;

	stage_listen(s, 8);
	daemon_want_control(&s->daemon);
	daemon_write_conf(&s->daemon, "mode = \"enforce\"; policy = { rules = ( { name = \"keep\"; "
				      "port = 8000; action = \"drop\"; } ); };");
	stage_mine(s, CLIENT_PORT);
	answer = explain(s, CLIENT_PORT);
	assert_string_equal(ctl_text(answer, "asked"), "kernel");
	assert_string_equal(ctl_text(answer, "explanation.event"), "unproven");
	assert_string_equal(ctl_text(answer, "explanation.if_proven.rule"), "keep");
	assert_string_equal(ctl_text(answer, "explanation.if_proven.result"), "dropped");
	json_decref(answer);
}

/* --- changing ---------------------------------------------------------------------------------*/

static void changes_the_mode(struct stage *s)
{
	json_t *answer;

	set_the_stage(s, NULL);
	answer = ctl_json(&s->daemon, "mode", "audit", NULL);
	assert_string_equal(ctl_text(answer, "mode"), "audit");
	json_decref(answer);
	assert_string_equal(collide(s, CLIENT_PORT), "audited");

	/* A reload does not take it back. */
	assert_int_equal(ctl_run(&s->daemon, "reload", NULL)->status, 0);
	answer = ctl_json(&s->daemon, "status", NULL);
	assert_string_equal(ctl_text(answer, "mode"), "audit");
	assert_string_equal(ctl_text(answer, "mode_source"), "control");
	assert_string_equal(ctl_text(answer, "mode_in_file"), "enforce");
	assert_int_equal(ctl_number(answer, "config.generation"), 2);
	json_decref(answer);

	json_decref(ctl_json(&s->daemon, "mode", "enforce", NULL));
	assert_string_equal(collide(s, CLIENT_PORT + 1), "destroyed");
}

/* When reload returns, the next SYN is judged by the new file, and explain says so before. */
static void reloads(struct stage *s)
{
	json_t *answer;

	set_the_stage(s, NULL);
	stage_mine(s, CLIENT_PORT);
	daemon_write_conf(&s->daemon,
			  "mode = \"enforce\"; policy = { rules = ( { name = \"refuse\"; "
			  "port = 8000; action = \"reject\"; } ); };");
	answer = ctl_json(&s->daemon, "reload", NULL);
	assert_int_equal(ctl_number(answer, "rules"), 1);
	assert_true(json_is_false(ctl_member(answer, "restart_needed")));
	json_decref(answer);
	answer = explain(s, CLIENT_PORT);
	assert_string_equal(ctl_text(answer, "explanation.if_proven.rule"), "refuse");
	json_decref(answer);
	assert_int_equal(stage_connect(s, CLIENT_PORT, AT_ONCE_MS).rc, -ECONNREFUSED);

	daemon_write_conf(&s->daemon, "queue = { max_held = 77; };");
	answer = ctl_json(&s->daemon, "reload", NULL);
	assert_true(json_is_true(ctl_member(answer, "restart_needed")));
	json_decref(answer);
}

static void refuses_a_bad_file(struct stage *s)
{
	const struct ctl_output *output;
	json_t *answer;

	set_the_stage(s, NULL);
	daemon_write_conf(&s->daemon, "polcy = { };");
	/* Its socket is not to be found in that file. */
	output = ctl_run(&s->daemon, "ping", NULL);
	assert_int_equal(output->status, 3);
	assert_non_null(strstr(output->err, "closewaitd.conf:3: "));
	output = ctl_run(&s->daemon, "-s", s->daemon.control_path, "reload", NULL);
	assert_int_equal(output->status, 1);
	assert_non_null(strstr(output->err, "closewaitd.conf:3: "));
	assert_non_null(strstr(output->err, "did you mean"));
	answer = ctl_json(&s->daemon, "-s", s->daemon.control_path, "status", NULL);
	assert_non_null(strstr(ctl_text(answer, "config.reload_error"), "closewaitd.conf:3: "));
	assert_int_equal(ctl_number(answer, "config.generation"), 0);
	json_decref(answer);
	assert_non_null(
		strstr(ctl_run(&s->daemon, "-s", s->daemon.control_path, "metrics", NULL)->out,
		       "closewaitd_config_last_reload_successful 0\n"));

	daemon_write_conf(&s->daemon, "");
	assert_int_equal(ctl_run(&s->daemon, "reload", NULL)->status, 0);
	answer = ctl_json(&s->daemon, "status", NULL);
	assert_null(json_object_get(ctl_member(answer, "config"), "reload_error"));
	json_decref(answer);
}

/* --- whether the rules miss traffic -----------------------------------------------------------*/

static json_t *coverage(struct stage *s)
{
	return ctl_json(&s->daemon, "status", NULL);
}

static void says_that_no_rule_feeds_it(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	stage_listen(s, 64);
	daemon_start(&s->daemon, "");
	for (uint16_t i = 0; i < 30; i++)
		stage_connects(s, CLIENT_PORT + i);
	answer = coverage(s);
	assert_string_equal(ctl_text(answer, "coverage.state"), "not-fed");
	assert_non_null(strstr(ctl_text(answer, "coverage.text"), "no rule feeds queue 61"));
	json_decref(answer);
}

static void says_that_the_rules_miss_traffic(struct stage *s)
{
	json_t *answer;

	set_the_stage(s, NULL);
	/* What comes through the queue is no riddle, in either mode. */
	collide(s, CLIENT_PORT);
	answer = coverage(s);
	assert_string_equal(ctl_text(answer, "coverage.state"), "ok");
	json_decref(answer);

	/* Somebody else takes the rules away, whichever backend they are on. */
	run_command((const char *const[]){"nft", "flush", "ruleset", NULL});
	must(run_iptables(AF_INET, "-t", "mangle", "-F", NULL), "flush the rules");
	stage_mine(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT + 1);
	answer = coverage(s);
	assert_string_equal(ctl_text(answer, "coverage.state"), "missed");
	assert_int_equal(ctl_number(answer, "coverage.missed"), 1);
	assert_non_null(strstr(ctl_text(answer, "coverage.text"), "the rules miss traffic"));
	json_decref(answer);
}

/* --- the socket over a daemon's life ----------------------------------------------------------*/

static void survives_a_crash(struct stage *s)
{
	daemon_want_control(&s->daemon);
	daemon_start(&s->daemon, "");
	daemon_signal(&s->daemon, SIGKILL);
	assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGKILL);
	assert_int_equal(access(s->daemon.control_path, F_OK), 0);
	assert_int_equal(ctl_run(&s->daemon, "ping", NULL)->status, 3);
	daemon_start(&s->daemon, "");
	assert_int_equal(ctl_run(&s->daemon, "ping", NULL)->status, 0);
}

static void two_daemons_on_one_socket(struct stage *s)
{
	struct daemon second;
	json_t *answer;
	pid_t first;

	daemon_want_control(&s->daemon);
	daemon_start(&s->daemon, "");
	first = s->daemon.pid;
	daemon_init(&second);
	strcpy(second.control_path, s->daemon.control_path);
	daemon_write_conf(&second, "queue = { number = 62; };");
	daemon_spawn(&second, 0, NULL);
	daemon_message(&second, "answers there already");
	assert_int_equal(daemon_wait_exit(&second), 1);
	second.control_path[0] = '\0';
	daemon_release(&second);
	answer = ctl_json(&s->daemon, "ping", NULL);
	assert_int_equal(ctl_number(answer, "pid"), first);
	json_decref(answer);
}

/* It gives up root, and takes its socket away all the same. */
static void as_another_user(struct stage *s)
{
	static const char *const arguments[] = {"--user", "nobody", NULL};
	char folder[sizeof(s->daemon.control_path)];

	snprintf(folder, sizeof(folder), "%s/run", s->daemon.dir);
	snprintf(s->daemon.control_path, sizeof(s->daemon.control_path), "%s/run/c.sock",
		 s->daemon.dir);
	daemon_write_conf(&s->daemon, "");
	daemon_spawn(&s->daemon, 0, arguments);
	daemon_message(&s->daemon, "ready: ");
	assert_int_equal(ctl_run(&s->daemon, "mode", "enforce", NULL)->status, 0);
	assert_int_equal(ctl_run_as(NOBODY, NOBODY, &s->daemon, "mode", "audit", NULL)->status, 0);
	assert_int_equal(ctl_run_as(1234, 1234, &s->daemon, "status", NULL)->status, 4);
	daemon_stop(&s->daemon);
	assert_int_equal(access(s->daemon.control_path, F_OK), -1);
	assert_int_equal(rmdir(folder), 0);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"answers questions", answers_questions, V4_ONLY, IN_BOTH},
		{"speaks plainly", speaks_plainly, 0, IN_BOTH},
		{"answers while busy", answers_while_busy, 0, IN_ENFORCE},
		{"full accept queue", full_accept_queue, V4_ONLY, IN_AUDIT},
		{"exit statuses", exit_statuses, 0, IN_AUDIT},
		{"keeps events", keeps_events, 0, IN_BOTH},
		{"follows events", follows_events, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"explains", explains, EVERY_WAY, IN_BOTH},
		{"explains a collision", explains_a_collision, 0, IN_ENFORCE},
		{"explains without a daemon", explains_without_a_daemon, 0, IN_ENFORCE},
		{"changes the mode", changes_the_mode, 0, IN_ENFORCE},
		{"reloads", reloads, 0, IN_ENFORCE},
		{"refuses a bad file", refuses_a_bad_file, 0, IN_ENFORCE},
		{"says that no rule feeds it", says_that_no_rule_feeds_it, 0, IN_AUDIT},
		{"says that the rules miss traffic", says_that_the_rules_miss_traffic, 0, IN_BOTH},
		{"survives a crash", survives_a_crash, 0, IN_AUDIT},
		{"two daemons on one socket", two_daemons_on_one_socket, 0, IN_AUDIT},
		{"as another user", as_another_user, 0, IN_ENFORCE},
	};

	return stage_run("ctl", tests, COUNT_OF(tests), argc, argv);
}
