/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and stopping costs no client anything, and a start that fails says why. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/run.h"
#include "lib/sockets.h"
#include "load.h"
#include "rules.h"
#include "stage.h"

/* Connects that pass between a start and a stop, so that both meet held SYNs. */
#define CONNECTS_BETWEEN 200

/*
 * Within the one request that binds a queue there is still a moment in which the kernel has made the
 * queue and not yet set its copy mode; a SYN that comes just then, on another processor, is dropped
 * (nfqnl_recv_config() and nfqnl_enqueue_packet()). It is short, unless the processor that binds is
 * taken away just then. The unit therefore has the rules out meanwhile.
 */
#define LOST_WHILE_BINDING 1

static void restart_under_load(struct stage *s, const char *conf, int signal)
{
	struct load_result result;
	struct load *load;
	long syns = 0;

	stage_protect(s, conf);
	load = load_start(&s->server, 2);
	for (int i = 0; i < 20; i++) {
		load_wait(load, CONNECTS_BETWEEN);
		daemon_signal(&s->daemon, signal);
		assert_int_equal(daemon_wait_exit(&s->daemon), 0);
		assert_int_equal(daemon_total(&s->daemon, "not-judged"), 0);
		assert_int_equal(daemon_total(&s->daemon, "lookup-failed"), 0);
		syns += daemon_total(&s->daemon, "syns");
		/* Without the daemon the rule's bypass lets them pass. */
		load_wait(load, CONNECTS_BETWEEN);
		daemon_spawn(&s->daemon, 0, NULL);
		daemon_message(&s->daemon, "ready: ");
	}
	result = load_stop(load);
	load_check(&result, LOST_WHILE_BINDING);
	assert_true(syns >= 20 * (CONNECTS_BETWEEN - 2));
}

static void sigterm(struct stage *s)
{
	restart_under_load(s, NULL, SIGTERM);
}

static void sigint(struct stage *s)
{
	restart_under_load(s, NULL, SIGINT);
}

static void one_worker(struct stage *s)
{
	restart_under_load(s, "queue = { workers = 1; };", SIGTERM);
}

/* As the unit does it: no rule is there while the queues are bound, and so nothing is lost. */
static void rules_after_the_daemon(struct stage *s)
{
	struct load_result result;
	struct load *load;
	long syns = 0;

	stage_protect(s, NULL);
	load = load_start(&s->server, 2);
	for (int i = 0; i < 10; i++) {
		load_wait(load, CONNECTS_BETWEEN);
		daemon_signal(&s->daemon, SIGTERM);
		assert_int_equal(daemon_wait_exit(&s->daemon), 0);
		syns += daemon_total(&s->daemon, "syns");
		must(rules_down(), "take the rules out");
		daemon_spawn(&s->daemon, 0, NULL);
		daemon_message(&s->daemon, "ready: ");
		must(rules_up(s->daemon.conf_path), "put the rules in");
	}
	result = load_stop(load);
	load_check(&result, 0);
	assert_true(syns >= 10 * (CONNECTS_BETWEEN - 2));
}

static void all_workers_work(struct stage *s)
{
	struct load_result result;
	struct load *load;
	long first, second;

	stage_protect(s, "queue = { number = 70; workers = 2; };");
	load = load_start(&s->server, 4);
	load_wait(load, 2000);
	first = rules_queued_to(70);
	second = rules_queued_to(71);
	result = load_stop(load);
	load_check(&result, 0);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip();
	if (first == 0 || second == 0)
		fail_msg("queue 70 was handed %ld SYNs, queue 71 %ld", first, second);
	daemon_stop(&s->daemon);
	assert_in_range(daemon_total(&s->daemon, "syns"), first + second, result.connects);
}

/* The rule stands, and nobody listens: connects and collisions are as without either. */
static void rules_without_daemon(struct stage *s)
{
	struct load_result result;
	struct load *load;

	stage_protect(s, NULL);
	daemon_stop(&s->daemon);
	load = load_start(&s->server, 2);
	load_wait(load, CONNECTS_BETWEEN);
	result = load_stop(load);
	load_check(&result, 0);
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	assert_int_equal(stage_challenges(), 1);
}

/* Killed, it cannot give the held SYNs their verdicts; those clients try again after 1 s. */
static void killed(struct stage *s)
{
	struct load_result result;
	struct load *load;

	stage_protect(s, NULL);
	load = load_start(&s->server, 2);
	load_wait(load, CONNECTS_BETWEEN);
	daemon_signal(&s->daemon, SIGKILL);
	assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGKILL);
	load_wait(load, CONNECTS_BETWEEN);
	result = load_stop(load);
	assert_int_equal(result.failed, 0);
}

/* --- starts that fail -------------------------------------------------------------------------*/

/* The last word of a start that fails, on stderr, whatever the configuration says of the log. */
static void check_start_fails(struct daemon *daemon, uid_t uid, const char *reason)
{
	daemon_spawn(daemon, uid, NULL);
	assert_int_equal(daemon_wait_exit(daemon), 1);
	daemon_message(daemon, reason);
}

static void queue_of_somebody_else(struct stage *s)
{
	struct daemon second;
	char reason[128];

	stage_listen(s, 8);
	stage_protect(s, NULL);
	daemon_init(&second);
	daemon_write_conf(&second, "mode = \"enforce\";");
	snprintf(reason, sizeof(reason), "queue 61 is already bound by netlink port %d",
		 s->daemon.pid);
	check_start_fails(&second, 0, reason);
	daemon_release(&second);
	/* The first one has not noticed. */
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	daemon_event(&s->daemon, "collision");
}

/* Of two queues the second one is taken: the first is given back, too. */
static void second_queue_of_somebody_else(struct stage *s)
{
	struct daemon second;

	stage_protect(s, NULL);
	daemon_init(&second);
	daemon_write_conf(&second, "queue = { number = 60; workers = 2; };");
	check_start_fails(&second, 0, "queue 61 is already bound");
	daemon_release(&second);
	assert_int_equal(rules_queued_to(60), -ENOENT);
}

static void no_privilege(struct stage *s)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (!nobody)
		skip();
	daemon_write_conf(&s->daemon, "mode = \"enforce\";");
	check_start_fails(&s->daemon, nobody->pw_uid, "run as root or with CAP_NET_ADMIN");
	daemon_write_conf(&s->daemon, "mode = \"audit\";");
	check_start_fails(&s->daemon, nobody->pw_uid, "run as root or with CAP_NET_ADMIN");
}

/* A container without root: CAP_NET_ADMIN over its network is enough. */
static void root_of_a_user_namespace(struct stage *s)
{
	stage_protect_contained(s, NULL);
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	assert_string_equal(event_text(daemon_event(&s->daemon, "collision"), "result"),
			    "destroyed");
	daemon_stop(&s->daemon);
}

static void bad_configuration(struct stage *s)
{
	char reason[128];

	daemon_write_conf(&s->daemon, "mode = \"enforced\";");
	snprintf(reason, sizeof(reason), "closewaitd: %s:%u: ", s->daemon.conf_path,
		 daemon_conf_first_line);
	check_start_fails(&s->daemon, 0, reason);
}

/* --- two daemons ------------------------------------------------------------------------------*/

/* Each with a queue of its own, one of them by rules of the administrator's. */
static void two_daemons(struct stage *s)
{
	union endpoint other = stage_client(s, SERVER_PORT + 1);
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct daemon second;
	struct mine mine;
	int listener;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	daemon_init(&second);
	daemon_start(&second, "mode = \"enforce\"; queue = { number = 90; };"
			      "policy = { default = \"reject\"; };");
	must(run_iptables(AF_INET, "-t", "mangle", "-I", "INPUT", "1", "-p", "tcp", "--syn",
			  "--dport", "8001", "-j", "NFQUEUE", "--queue-num", "90", "--queue-bypass",
			  NULL),
	     "queue one port elsewhere");
	listener = must(sock_listen(&other, 8, false), "listen");
	must(mine_plant(listener, &client, &other, &mine), "plant a mine");
	assert_int_equal(sock_connect(&client, &other, AT_ONCE_MS), -ECONNREFUSED);
	stage_mine(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT + 1);

	assert_string_equal(event_text(daemon_event(&second, "collision"), "result"), "rejected");
	assert_string_equal(event_text(daemon_event(&s->daemon, "collision"), "result"),
			    "destroyed");
	daemon_stop(&second);
	daemon_release(&second);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 1);
}

/* --- what it writes ---------------------------------------------------------------------------*/

/* The default format, as an administrator sees it. */
static void text_format(struct stage *s)
{
	static const char *const arguments[] = {"--debug", NULL};
	const char *line;

	stage_listen(s, 8);
	stage_protect(s, "queue = { workers = 1; };");
	daemon_stop(&s->daemon);
	s->daemon.text_format = true;
	daemon_write_conf(&s->daemon, "mode = \"enforce\"; queue = { workers = 1; };");
	daemon_spawn(&s->daemon, 0, arguments);
	daemon_message(&s->daemon,
		       "closewaitd: ready: queue 61, 1 worker, filter all, mode enforce, "
		       "default action destroy, 0 rules");
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	line = daemon_message(&s->daemon, "event=collision");
	assert_non_null(strstr(line, " src=127.0.0.1:20000 dst=127.0.0.1:8000 proof=exact "
				     "mode=enforce rule=default action=destroy result=destroyed "));
	daemon_stop(&s->daemon);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"20 stops by SIGTERM and starts under load", sigterm, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"20 stops by SIGINT and starts under load", sigint, 0, IN_ENFORCE},
		{"20 stops and starts of one worker", one_worker, 0, IN_ENFORCE},
		{"10 restarts as the unit does them", rules_after_the_daemon, 0, IN_ENFORCE},
		{"all workers work", all_workers_work, 0, IN_ENFORCE},
		{"rules without a daemon", rules_without_daemon, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"killed", killed, 0, IN_ENFORCE},
		{"queue of somebody else", queue_of_somebody_else, 0, IN_ENFORCE},
		{"second queue of somebody else", second_queue_of_somebody_else, 0, IN_ENFORCE},
		{"no privilege", no_privilege, 0, IN_ENFORCE},
		{"root of a user namespace", root_of_a_user_namespace, 0, IN_ENFORCE},
		{"bad configuration", bad_configuration, 0, IN_ENFORCE},
		{"two daemons", two_daemons, 0, IN_ENFORCE},
		{"text format", text_format, 0, IN_ENFORCE},
	};

	return stage_run("start and stop", tests, COUNT_OF(tests), argc, argv);
}
