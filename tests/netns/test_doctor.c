/* SPDX-License-Identifier: GPL-2.0-or-later */
/* closewaitctl doctor: names each condition that is there, and none that is not. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "leaker.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "rules.h"
#include "stage.h"

#define NOBODY 65534

/* Exit statuses of closewaitctl. */
#define ALL_WELL 0
#define BAD	 5

/* The longest that a trial can take, and a reserve. */
#define TRIAL_MS 15000

/* The FIN_WAIT_2 of the first client may stay for its second, and a timer is late at times. */
#define GONE_MS 3000

/* --- asking it --------------------------------------------------------------------------------*/

static json_t *parse(const struct ctl_output *output, int status)
{
	json_t *answer = json_loads(output->out, 0, NULL);

	if (output->status != status || !answer)
		fail_msg("closewaitctl doctor has ended with %d, not %d: %s%s", output->status,
			 status, output->err, output->out);
	assert_string_equal(output->err, "");
	return answer;
}

static void name_programs(void)
{
	assert_int_equal(setenv("CLOSEWAITD_RULES", rules_program(), 1), 0);
	assert_int_equal(setenv("CLOSEWAITD", daemon_program(), 1), 0);
}

/* Its answer; to be released. */
static json_t *doctor(struct stage *s, int status)
{
	name_programs();
	return parse(ctl_run(&s->daemon, "--json", "doctor", NULL), status);
}

/* The only diagnosis of that name; fails the test if there is none. */
static const json_t *diagnosis(const json_t *answer, const char *name)
{
	const json_t *one, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(answer, "diagnoses"), i, one)
	{
		if (strcmp(ctl_text(one, "name"), name) == 0) {
			assert_null(found);
			found = one;
		}
	}
	if (!found)
		fail_msg("no diagnosis \"%s\"", name);
	return found;
}

static void check_verdict(const json_t *answer, const char *name, const char *verdict)
{
	const json_t *one = diagnosis(answer, name);

	if (strcmp(ctl_text(one, "verdict"), verdict) != 0)
		fail_msg("%s is %s, not %s: %s", name, ctl_text(one, "verdict"), verdict,
			 ctl_text(one, "value"));
}

static void check_value(const json_t *answer, const char *name, const char *part)
{
	const char *value = ctl_text(diagnosis(answer, name), "value");

	if (!strstr(value, part))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, value, part);
}

/* The first thing to do has to do with this. */
static void check_first_advice(const json_t *answer, const char *part)
{
	const json_t *first = json_array_get(json_object_get(answer, "advice"), 0);

	if (!first || !strstr(json_string_value(first), part))
		fail_msg("what to do first is \"%s\", which does not say \"%s\"",
			 first ? json_string_value(first) : "nothing", part);
}

/* Nothing but what depends on the kernel that the test runs on. */
static void check_no_advice(const json_t *answer)
{
	const json_t *of_kernel = json_object_get(diagnosis(answer, "port-reuse"), "advice");
	const json_t *advice;
	size_t i;

	json_array_foreach(json_object_get(answer, "advice"), i, advice)
	{
		if (!json_equal(advice, of_kernel))
			fail_msg("there is nothing to do, but it says: %s",
				 json_string_value(advice));
	}
}

static size_t count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];
	size_t n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		n++;
	fclose(file);
	return n;
}

static size_t count_names(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* TCP sockets of this namespace, those in TIME_WAIT too; without the two headings. */
static size_t count_sockets(void)
{
	return count_lines("/proc/thread-self/net/tcp") +
	       count_lines("/proc/thread-self/net/tcp6") - 2;
}

static bool no_socket(void *arg)
{
	(void)arg;
	return count_sockets() == 0;
}

static void drop(int family, const char *chain, const char *flags, const char *set)
{
	must(run_iptables(family, "-A", chain, "-p", "tcp", "--tcp-flags", flags, set, "-j", "DROP",
			  NULL),
	     "drop packets");
}

/* There is a configuration, and no daemon. */
static void without_daemon(struct stage *s)
{
	daemon_want_control(&s->daemon);
	daemon_write_conf(&s->daemon, "");
}

/* --- without a daemon -------------------------------------------------------------------------*/

static void all_is_well(struct stage *s)
{
	static const char *const good[] = {
		"kernel",
		"collision-alone",
		"collision-ipv4",
		"resets-ipv4",
		"acks-ipv4",
		"collision-ipv6",
		"resets-ipv6",
		"acks-ipv6",
		"tcp_fin_timeout",
		"tcp_tw_reuse",
		"tcp_challenge_ack_limit",
		"ip_local_port_range",
		"somaxconn",
		"accept-queues",
		"overflows",
		"descriptors",
		"mines",
	};
	json_t *answer;

	without_daemon(s);
	answer = doctor(s, ALL_WELL);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		check_verdict(answer, good[i], "good");
	check_verdict(answer, "closewaitd", "note");
	check_verdict(answer, "rules", "note");
	check_no_advice(answer);
	assert_string_equal(ctl_text(answer, "verdict"), "note");
	json_decref(answer);
	assert_int_equal(count_sockets(), 0);
}

static void speaks_plainly(struct stage *s)
{
	const struct ctl_output *output;

	without_daemon(s);
	name_programs();
	output = ctl_run(&s->daemon, "doctor", NULL);
	assert_int_equal(output->status, ALL_WELL);
	assert_string_equal(output->err, "");
	assert_non_null(strstr(output->out, "\n  good     collision-ipv4 "));
	assert_non_null(strstr(output->out, "What to do"));
	assert_null(strchr(output->out, '\033'));
	assert_int_equal(ctl_run(&s->daemon, "doctor", "x", NULL)->status, 2);
}

/* Every RST on loopback, in either hook: no collision heals, and a doctor's own sockets still go. */
static void resets_dropped(struct stage *s, const char *chain)
{
	json_t *answer;

	without_daemon(s);
	drop(AF_INET, chain, "RST", "RST");
	answer = doctor(s, BAD);
	check_verdict(answer, "collision-alone", "good");
	check_verdict(answer, "collision-ipv4", "bad");
	check_value(answer, "collision-ipv4", "no answer");
	check_verdict(answer, "resets-ipv4", "bad");
	assert_int_equal(ctl_number(diagnosis(answer, "resets-ipv4"), "number"), 0);
	check_verdict(answer, "acks-ipv4", "good");
	check_verdict(answer, "collision-ipv6", "good");
	check_verdict(answer, "resets-ipv6", "good");
	check_verdict(answer, "closewaitd", "note");
	check_first_advice(answer, "RST");
	json_decref(answer);
	assert_int_equal(count_sockets(), 0);
}

static void resets_dropped_on_input(struct stage *s)
{
	resets_dropped(s, "INPUT");
}

static void resets_dropped_on_output(struct stage *s)
{
	resets_dropped(s, "OUTPUT");
}

static void resets_limited(struct stage *s)
{
	json_t *answer;

	without_daemon(s);
	must(run_iptables(AF_INET, "-A", "INPUT", "-p", "tcp", "--tcp-flags", "RST", "RST", "-m",
			  "limit", "--limit", "1/s", "--limit-burst", "3", "-j", "ACCEPT", NULL),
	     "limit resets");
	drop(AF_INET, "INPUT", "RST", "RST");
	answer = doctor(s, BAD);
	check_verdict(answer, "collision-ipv4", "good");
	check_verdict(answer, "resets-ipv4", "bad");
	assert_in_range(ctl_number(diagnosis(answer, "resets-ipv4"), "number"), 1, 4);
	json_decref(answer);
}

static void acks_dropped(struct stage *s)
{
	json_t *answer;

	without_daemon(s);
	drop(AF_INET, "OUTPUT", "SYN,RST,FIN,PSH,ACK", "ACK");
	answer = doctor(s, BAD);
	check_verdict(answer, "acks-ipv4", "bad");
	check_verdict(answer, "collision-ipv4", "unknown");
	check_verdict(answer, "collision-ipv6", "good");
	check_first_advice(answer, "ACK");
	json_decref(answer);
	must(wait_until(no_socket, NULL, GONE_MS), "see every socket gone");
}

/* Those of servers only: handshakes work, and no FIN is ever acknowledged. */
static void server_acks_dropped(struct stage *s)
{
	json_t *answer;

	without_daemon(s);
	must(run_iptables(AF_INET, "-A", "INPUT", "-p", "tcp", "--tcp-flags", "SYN,RST,FIN,PSH,ACK",
			  "ACK", "-m", "conntrack", "--ctdir", "REPLY", "-j", "DROP", NULL),
	     "drop the server's ACKs");
	answer = doctor(s, BAD);
	check_verdict(answer, "acks-ipv4", "bad");
	assert_non_null(strstr(ctl_text(diagnosis(answer, "collision-ipv4"), "meaning"),
			       "could not be closed on one side"));
	json_decref(answer);
	must(wait_until(no_socket, NULL, GONE_MS), "see every socket gone");
}

/* Heals on every kernel that this was measured on, and so there is nothing to say. */
static void invalid_dropped(struct stage *s)
{
	static const char *const chains[] = {"INPUT", "OUTPUT"};
	json_t *answer;

	without_daemon(s);
	for (size_t i = 0; i < COUNT_OF(chains); i++)
		must(run_iptables(AF_INET, "-A", chains[i], "-m", "conntrack", "--ctstate",
				  "INVALID", "-j", "DROP", NULL),
		     "drop what conntrack calls invalid");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "collision-ipv4", "good");
	check_verdict(answer, "resets-ipv4", "good");
	check_verdict(answer, "acks-ipv4", "good");
	check_no_advice(answer);
	json_decref(answer);
}

/* A policy for certain ports: nothing can be measured, and that is no fault. */
static void ports_closed(struct stage *s)
{
	json_t *answer;

	without_daemon(s);
	drop(AF_INET, "INPUT", "SYN,ACK", "SYN");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "collision-ipv4", "unknown");
	check_verdict(answer, "collision-ipv6", "good");
	check_no_advice(answer);
	json_decref(answer);
}

static void no_ipv6(struct stage *s)
{
	json_t *answer;

	without_daemon(s);
	must(netns_sysctl_set("ipv6/conf/all/disable_ipv6", "1"), "disable IPv6");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "collision-ipv6", "good");
	check_value(answer, "collision-ipv6", "no IPv6");
	json_decref(answer);
}

static void settings(struct stage *s)
{
	json_t *answer;

	without_daemon(s);
	must(netns_sysctl_set("ipv4/ip_local_port_range", "40000 40999"), "set the ports");
	must(netns_sysctl_set("ipv4/ip_local_reserved_ports", "40990-41010,50000"),
	     "reserve ports");
	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "5"), "shorten FIN_WAIT_2");
	must(netns_sysctl_set("core/somaxconn", "16"), "shorten accept queues");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "ip_local_port_range", "note");
	assert_int_equal(ctl_number(diagnosis(answer, "ip_local_port_range"), "number"), 990);
	check_verdict(answer, "tcp_fin_timeout", "note");
	check_verdict(answer, "somaxconn", "note");
	check_first_advice(answer, "somaxconn");
	json_decref(answer);
}

static void full_queue(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	json_t *answer;

	without_daemon(s);
	stage_listen(s, 0);
	must(sock_connect(&client, &s->server, AT_ONCE_MS), "fill the accept queue");
	answer = doctor(s, BAD);
	check_verdict(answer, "accept-queues", "bad");
	check_verdict(answer, "accept-queue", "bad");
	check_value(answer, "accept-queue", "127.0.0.1:8000: 1 wait, 0 may");
	check_verdict(answer, "overflows", "good");
	check_first_advice(answer, "127.0.0.1:8000");
	json_decref(answer);

	/* Whoever comes now overflows it; that was before the doctor came. */
	client = stage_client(s, CLIENT_PORT + 1);
	assert_int_equal(sock_connect(&client, &s->server, 10), -EINPROGRESS);
	close(s->listener);
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "accept-queues", "good");
	check_verdict(answer, "overflows", "note");
	json_decref(answer);
}

static void as_another_user(struct stage *s)
{
	json_t *answer;

	daemon_write_conf(&s->daemon, "");
	answer = parse(ctl_run_as(NOBODY, NOBODY, &s->daemon, "-c", "/nonexistent", "-s",
				  "/nonexistent", "--json", "doctor", NULL),
		       ALL_WELL);
	check_verdict(answer, "collision-ipv4", "good");
	check_verdict(answer, "resets-ipv4", "good");
	check_verdict(answer, "accept-queues", "good");
	check_verdict(answer, "rules", "unknown");
	json_decref(answer);
}

static void passive(struct stage *s)
{
	int64_t opens = snmp_counter("Tcp", "ActiveOpens");
	json_t *answer;

	without_daemon(s);
	answer = parse(ctl_run(&s->daemon, "--json", "doctor", "--passive", NULL), ALL_WELL);
	check_verdict(answer, "collision-alone", "unknown");
	check_verdict(answer, "collision-ipv4", "unknown");
	check_verdict(answer, "collision-ipv6", "unknown");
	check_verdict(answer, "port-reuse", "unknown");
	check_verdict(answer, "accept-queues", "good");
	json_decref(answer);
	assert_int_equal(snmp_counter("Tcp", "ActiveOpens"), opens);
	assert_int_equal(stage_challenges(), 0);
}

/* --- leaks ------------------------------------------------------------------------------------*/

/* A server of its own that leaks the connections of this many clients. */
static pid_t leak(struct stage *s, uint16_t clients)
{
	pid_t pid = leaker_start(&s->server, 0, NULL);

	for (uint16_t i = 0; i < clients; i++) {
		union endpoint client = stage_client(s, (uint16_t)(CLIENT_PORT + i));

		leaker_leave_mine(&s->server, &client);
	}
	return pid;
}

static void mines(struct stage *s)
{
	json_t *answer;
	char who[32];
	pid_t pid;

	without_daemon(s);
	pid = leak(s, 7);
	snprintf(who, sizeof(who), "(pid %d", (int)pid);
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "mines", "note");
	assert_int_equal(ctl_number(diagnosis(answer, "mines"), "number"), 7);
	check_verdict(answer, "listener", "note");
	check_value(answer, "listener", "127.0.0.1:8000: 7 mines");
	assert_non_null(strstr(ctl_text(diagnosis(answer, "listener"), "advice"), who));
	check_verdict(answer, "descriptors", "good");
	check_first_advice(answer, "closewaitd in audit mode");
	json_decref(answer);

	/* Where they hurt, and nobody steps in, that is the failure. */
	drop(AF_INET, "INPUT", "RST", "RST");
	answer = doctor(s, BAD);
	check_verdict(answer, "mines", "bad");
	check_verdict(answer, "listener", "bad");
	check_verdict(answer, "closewaitd", "bad");
	check_first_advice(answer, "RST");
	json_decref(answer);
	leaker_stop(pid);
}

/* closewaitd enforces: they are no danger, and a leak all the same. */
static void mines_disarmed(struct stage *s)
{
	json_t *answer;
	pid_t pid;

	daemon_want_control(&s->daemon);
	drop(AF_INET, "OUTPUT", "RST", "RST");
	stage_protect(s, NULL);
	pid = leak(s, 3);
	answer = doctor(s, BAD);
	check_verdict(answer, "resets-ipv4", "bad");
	check_verdict(answer, "collision-ipv4", "good");
	check_verdict(answer, "mines", "note");
	json_decref(answer);
	leaker_stop(pid);
}

static void near_the_limit(struct stage *s)
{
	struct rlimit limit;
	json_t *answer;
	char path[64];
	pid_t pid;

	without_daemon(s);
	pid = leak(s, 30);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	limit.rlim_cur = limit.rlim_max = count_names(path) + 1;
	must(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), "set its limit");
	answer = doctor(s, BAD);
	check_verdict(answer, "process", "bad");
	check_verdict(answer, "descriptors", "note");
	assert_int_equal(ctl_number(diagnosis(answer, "process"), "number"), limit.rlim_cur - 1);
	json_decref(answer);
	leaker_stop(pid);
}

/* --- interrupted ------------------------------------------------------------------------------*/

static bool has_collided(void *arg)
{
	(void)arg;
	return stage_challenges() >= 2;
}

/* In the middle of collisions that do not heal, so that there is most to be left behind. */
static void interrupted(struct stage *s, int signal)
{
	const char *const argv[] = {ctl_program(), "-c", s->daemon.conf_path, "doctor", NULL};
	int status;
	pid_t pid;

	without_daemon(s);
	name_programs();
	drop(AF_INET, "INPUT", "RST", "RST");
	drop(AF_INET6, "INPUT", "RST", "RST");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	must(wait_until(has_collided, NULL, TRIAL_MS), "see both collisions");
	assert_true(count_sockets() > 0);
	assert_int_equal(kill(pid, signal), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signal);
	must(wait_until(no_socket, NULL, GONE_MS), "see every socket gone");
}

static void interrupted_at_the_terminal(struct stage *s)
{
	interrupted(s, SIGINT);
}

static void killed(struct stage *s)
{
	interrupted(s, SIGKILL);
}

/* --- with a daemon ----------------------------------------------------------------------------*/

static const char *coverage(struct stage *s)
{
	static char state[32];
	json_t *answer = ctl_json(&s->daemon, "status", NULL);

	snprintf(state, sizeof(state), "%s", ctl_text(answer, "coverage.state"));
	json_decref(answer);
	return state;
}

/* The daemon sees both collisions and its totals stay true. */
static void with_a_daemon(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	stage_protect(s, NULL);
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "closewaitd", s->enforce ? "good" : "note");
	check_value(answer, "closewaitd", s->enforce ? "enforce" : "audit");
	check_verdict(answer, "rules", "good");
	check_verdict(answer, "coverage", "good");
	check_verdict(answer, "own-collision-ipv4", "good");
	check_verdict(answer, "own-collision-ipv6", "good");
	check_value(answer, "own-collision-ipv4", s->enforce ? "destroyed" : "audited");
	check_verdict(answer, "collision-ipv4", "good");
	check_value(answer, "collision-ipv4", s->enforce ? "destroyed" : "reset");
	check_no_advice(answer);
	json_decref(answer);
	assert_string_equal(coverage(s), "ok");
	assert_int_equal(count_sockets(), 0);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 2);
}

/* Its own faults, and those of others, do not hide each other. */
static void protected_from_rules(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	drop(AF_INET, "OUTPUT", "RST", "RST");
	stage_protect(s, NULL);
	answer = doctor(s, BAD);
	check_verdict(answer, "collision-ipv4", s->enforce ? "good" : "bad");
	check_verdict(answer, "resets-ipv4", "bad");
	check_verdict(answer, "own-collision-ipv4", "good");
	json_decref(answer);
	assert_string_equal(coverage(s), "ok");
}

static void by_policy(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	stage_protect(s, "policy = { default = \"reject\"; };");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "collision-ipv4", "good");
	check_value(answer, "collision-ipv4", "refused");
	json_decref(answer);

	daemon_reload(&s->daemon, "mode = \"enforce\";\npolicy = { default = \"drop\"; };");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "collision-ipv4", "note");
	check_value(answer, "collision-ipv4", "no answer");
	check_verdict(answer, "resets-ipv4", "good");
	json_decref(answer);
}

/* A collision that they do not hold would become traffic that they miss. */
static void no_rules(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	daemon_start(&s->daemon, "");
	answer = doctor(s, BAD);
	check_verdict(answer, "rules", "bad");
	check_verdict(answer, "collision-alone", "good");
	check_verdict(answer, "collision-ipv4", "unknown");
	check_first_advice(answer, "closewaitd-rules up");
	json_decref(answer);
	assert_int_equal(stage_challenges(), 0);
	assert_string_equal(coverage(s), "idle");
}

static void rules_for_a_port(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	stage_protect(s, NULL);
	name_programs();
	must(run_command((const char *const[]){rules_program(), "up", "-c", s->daemon.conf_path,
					       "--port", "8000", NULL}),
	     "put the rules in");
	answer = doctor(s, ALL_WELL);
	check_verdict(answer, "rules", "good");
	check_value(answer, "rules", "certain ports");
	check_verdict(answer, "collision-ipv4", "unknown");
	json_decref(answer);
	assert_int_equal(stage_challenges(), 0);
	assert_string_equal(coverage(s), "idle");
}

/* Whether the rules hold everything can be seen by root only. */
static void daemon_and_another_user(struct stage *s)
{
	json_t *answer;

	daemon_want_control(&s->daemon);
	stage_protect(s, NULL);
	answer = parse(ctl_run_as(NOBODY, NOBODY, &s->daemon, "-c", "/nonexistent", "-s",
				  s->daemon.control_path, "--json", "doctor", NULL),
		       ALL_WELL);
	check_verdict(answer, "closewaitd", "unknown");
	check_verdict(answer, "collision-ipv4", "unknown");
	json_decref(answer);
	assert_int_equal(stage_challenges(), 0);
}

/* SYNs are held and nobody lets them go. */
static void daemon_that_hangs(struct stage *s)
{
	const struct ctl_output *output;
	int64_t start = mono_ns();
	json_t *answer;

	daemon_want_control(&s->daemon);
	stage_protect(s, NULL);
	name_programs();
	daemon_freeze(&s->daemon);
	output = ctl_run(&s->daemon, "--json", "doctor", NULL);
	daemon_thaw(&s->daemon);
	assert_true(mono_ns() - start < 40 * INT64_C(1000000000));
	assert_int_equal(output->status, BAD);
	answer = json_loads(output->out, 0, NULL);
	assert_non_null(answer);
	check_verdict(answer, "closewaitd", "bad");
	check_value(answer, "closewaitd", "does not answer");
	check_first_advice(answer, "Start closewaitd again");
	json_decref(answer);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"all is well", all_is_well, 0, IN_AUDIT},
		{"speaks plainly", speaks_plainly, 0, IN_AUDIT},
		{"resets dropped on input", resets_dropped_on_input, 0, IN_AUDIT},
		{"resets dropped on output", resets_dropped_on_output, 0, IN_AUDIT},
		{"resets limited", resets_limited, 0, IN_AUDIT},
		{"ACKs dropped", acks_dropped, 0, IN_AUDIT},
		{"the server's ACKs dropped", server_acks_dropped, 0, IN_AUDIT},
		{"what conntrack calls invalid dropped", invalid_dropped, 0, IN_AUDIT},
		{"ports closed", ports_closed, 0, IN_AUDIT},
		{"no IPv6", no_ipv6, 0, IN_AUDIT},
		{"settings", settings, 0, IN_AUDIT},
		{"full queue", full_queue, 0, IN_AUDIT},
		{"as another user", as_another_user, 0, IN_AUDIT},
		{"passive", passive, 0, IN_AUDIT},
		{"mines", mines, 0, IN_AUDIT},
		{"mines disarmed", mines_disarmed, 0, IN_ENFORCE},
		{"near the limit", near_the_limit, 0, IN_AUDIT},
		{"interrupted at the terminal", interrupted_at_the_terminal, 0, IN_AUDIT},
		{"killed", killed, 0, IN_AUDIT},
		{"with a daemon", with_a_daemon, 0, IN_BOTH},
		{"protected from rules", protected_from_rules, 0, IN_BOTH},
		{"by policy", by_policy, 0, IN_ENFORCE},
		{"no rules", no_rules, 0, IN_ENFORCE},
		{"rules for a port", rules_for_a_port, 0, IN_ENFORCE},
		{"daemon and another user", daemon_and_another_user, 0, IN_AUDIT},
		{"daemon that hangs", daemon_that_hangs, 0, IN_AUDIT},
	};

	return stage_run("doctor", tests, COUNT_OF(tests), argc, argv);
}
