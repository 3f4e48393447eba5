/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/snmp.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"
#include "rules.h"

/* For what happens at once on an idle machine. */
#define PATIENCE_MS 5000

static const char *const way_names[WAY_COUNT] = {
	[WAY_V4] = "IPv4",
	[WAY_V6] = "IPv6",
	[WAY_DUAL] = "dual-stack listener",
	[WAY_MAPPED] = "v4-mapped client",
};

/* One run of a test: it comes to the set-up as its initial state. */
struct variant {
	const struct stage_test *test;
	enum way way;
	bool enforce;
	char name[160];
};

/* --- places -----------------------------------------------------------------------------------*/

static const char *address_of(enum way way)
{
	switch (way) {
	case WAY_V4:
	case WAY_DUAL:
		return "127.0.0.1";
	case WAY_V6:
		return "::1";
	case WAY_MAPPED:
		return "::ffff:127.0.0.1";
	case WAY_COUNT:
		break;
	}
	return NULL;
}

union endpoint stage_end(const char *address, uint16_t port)
{
	union endpoint ep;

	must(endpoint_parse(address, port, &ep), "parse an address");
	return ep;
}

union endpoint stage_client(const struct stage *stage, uint16_t port)
{
	return stage_end(address_of(stage->way), port);
}

void stage_listen(struct stage *stage, int backlog)
{
	union endpoint at = stage->server;

	if (stage->way == WAY_DUAL)
		at = stage_end("::", SERVER_PORT);
	if (stage->way == WAY_MAPPED)
		at = stage_end("127.0.0.1", SERVER_PORT);
	stage->listener = must(sock_listen(&at, backlog, stage->way == WAY_V6), "listen");
}

static void start_daemon(struct stage *stage, const char *conf)
{
	char text[4096];

	snprintf(text, sizeof(text), "mode = \"%s\";\n%s", stage->enforce ? "enforce" : "audit",
		 conf ? conf : "");
	daemon_start(&stage->daemon, text);
}

void stage_protect(struct stage *stage, const char *conf)
{
	start_daemon(stage, conf);
	must(rules_up(stage->daemon.conf_path), "put the rules in");
}

static bool can_have_user_namespace(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

void stage_protect_contained(struct stage *stage, const char *conf)
{
	char path[64];
	int fd;

	if (!can_have_user_namespace()) {
		print_message(
			"SKIP: no user namespace for this process (with ThreadSanitizer it has "
			"two threads)\n");
		skip();
	}
	stage->daemon.contained = true;
	start_daemon(stage, conf);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", stage->daemon.pid);
	fd = must(open(path, O_RDONLY | O_CLOEXEC), "open its network namespace");
	must(setns(fd, CLONE_NEWNET), "enter it");
	close(fd);
	must(rules_up(stage->daemon.conf_path), "put the rules in");
}

struct mine stage_mine(struct stage *stage, uint16_t port)
{
	union endpoint client = stage_client(stage, port);
	struct mine mine;

	must(mine_plant(stage->listener, &client, &stage->server, &mine), "plant a mine");
	return mine;
}

/* --- traffic ----------------------------------------------------------------------------------*/

struct attempt stage_connect(struct stage *stage, uint16_t port, int timeout_ms)
{
	union endpoint client = stage_client(stage, port);
	struct attempt attempt = {.fd = -1};
	int64_t start = mono_ns();

	attempt.fd = must(sock_connect_start(&client, &stage->server), "begin to connect");
	attempt.rc = sock_connect_finish(attempt.fd, timeout_ms);
	attempt.ms = (mono_ns() - start) / 1000000;
	if (attempt.rc < 0) {
		sock_reset(attempt.fd);
		attempt.fd = -1;
	}
	return attempt;
}

int stage_connects(struct stage *stage, uint16_t port)
{
	struct attempt attempt = stage_connect(stage, port, PATIENCE_MS);

	must(attempt.rc, "connect");
	if (attempt.ms >= AT_ONCE_MS)
		fail_msg("the connect took %lld ms", (long long)attempt.ms);
	return attempt.fd;
}

static bool is_half_closed(void *arg)
{
	return mine_is_armed(*(int *)arg);
}

void stage_half_close(int client_fd)
{
	must(mine_arm(client_fd), "send the FIN");
	must(wait_until(is_half_closed, &client_fd, PATIENCE_MS), "see the FIN acknowledged");
}

static bool is_from(int fd, uint16_t port)
{
	union endpoint peer;

	/* -ENOTCONN: it was reset while it waited. */
	return endpoint_peer(fd, &peer) == 0 && endpoint_port(&peer) == port;
}

int stage_accept_from(struct stage *stage, uint16_t port)
{
	for (;;) {
		int fd = must(sock_accept(stage->listener, PATIENCE_MS), "accept");

		if (is_from(fd, port))
			return fd;
		close(fd);
	}
}

void stage_drop_resets(struct stage *stage)
{
	must(run_iptables(stage->way == WAY_V6 ? AF_INET6 : AF_INET, "-A", "OUTPUT", "-p", "tcp",
			  "--tcp-flags", "RST", "RST", "-j", "DROP", NULL),
	     "drop resets");
}

/* --- what can be seen from outside ------------------------------------------------------------*/

long stage_challenges(void)
{
	int64_t count = snmp_counter("TcpExt", "TCPSYNChallenge");

	return must((int)count, "read the counter TCPSYNChallenge");
}

void stage_expect_challenges(long count)
{
	long challenges = stage_challenges();
	/* Where the kernel heals a collision, one SYN is sent again too. */
	long again =
		must((int)snmp_counter("TcpExt", "TCPSynRetrans"), "read TCPSynRetrans") - count;

	if (challenges < count || challenges > count + (again > 0 ? again : 0))
		fail_msg("%ld SYNs were challenged, not %ld; %ld were sent again", challenges,
			 count, again + count);
}

static bool was_queued(void *arg)
{
	return rules_queued() >= *(const long *)arg;
}

void stage_wait_queued(long count)
{
	if (wait_until(was_queued, &count, PATIENCE_MS) < 0)
		fail_msg("the queue was handed %ld SYNs, not %ld", rules_queued(), count);
}

/* As the daemon prints it: a v4-mapped address as IPv4, no scope. */
static void format_end(const union endpoint *ep, char text[ENDPOINT_TEXT])
{
	union endpoint plain = endpoint_unmapped(ep);

	if (plain.sa.sa_family == AF_INET6)
		plain.v6.sin6_scope_id = 0;
	endpoint_format(&plain, text);
}

void stage_event_is_of(const struct stage *stage, const json_t *event, uint16_t port)
{
	union endpoint client = stage_client(stage, port);
	char text[ENDPOINT_TEXT];

	format_end(&client, text);
	assert_string_equal(event_text(event, "src"), text);
	format_end(&stage->server, text);
	assert_string_equal(event_text(event, "dst"), text);
}

/* --- running ----------------------------------------------------------------------------------*/

static int set_up(void **state)
{
	const struct variant *variant = *state;
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	*state = stage;
	stage->test = variant->test;
	stage->way = variant->way;
	stage->enforce = variant->enforce;
	stage->listener = -1;
	stage->first_fd = dup(STDERR_FILENO);
	must(netns_enter(), "enter a network namespace");
	stage->server = stage_client(stage, SERVER_PORT);
	daemon_init(&stage->daemon);
	return 0;
}

static void run_body(void **state)
{
	struct stage *stage = *state;

	stage->test->body(stage);
	stage->passed = true;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	if (!stage->passed)
		daemon_print(&stage->daemon);
	daemon_release(&stage->daemon);
	/* The test's sockets, and with the last of them its namespace. */
	close_range((unsigned int)stage->first_fd, ~0U, 0);
	free(stage);
	return 0;
}

static void need(bool there, const char *what)
{
	if (there)
		return;
	printf("SKIP %s\n", what);
	exit(77);
}

/* Tried in a child, whose namespace is thrown away. */
static bool kernel_can_queue(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(netns_enter() < 0 ||
		      run_iptables(AF_INET, "-t", "mangle", "-A", "INPUT", "-j", "NFQUEUE",
				   "--queue-bypass", NULL) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void check_needs(void)
{
	need(geteuid() == 0, "needs root");
	need(access(daemon_program(), X_OK) == 0,
	     "closewaitd is not built, or $CLOSEWAITD names something else");
	need(access(rules_program(), X_OK) == 0,
	     "closewaitd-rules is not built, or $CLOSEWAITD_RULES names something else");
	need(kernel_can_queue(), "needs network namespaces and iptables with NFQUEUE");
}

static void name_variant(struct variant *variant)
{
	const struct stage_test *test = variant->test;
	size_t size = sizeof(variant->name);
	int len = snprintf(variant->name, size, "%s", test->name);

	if (test->ways)
		len += snprintf(variant->name + len, size - (size_t)len, ", %s",
				way_names[variant->way]);
	if (test->modes == IN_BOTH)
		snprintf(variant->name + len, size - (size_t)len, ", %s",
			 variant->enforce ? "enforce" : "audit");
}

/* Each way and mode that the test asks for; returns how many. */
static size_t add_variants(const struct stage_test *test, struct variant *variants)
{
	unsigned int ways = test->ways ? test->ways : V4_ONLY;
	size_t n = 0;

	for (unsigned int way = 0; way < WAY_COUNT; way++) {
		for (unsigned int mode = IN_AUDIT; mode <= IN_ENFORCE; mode <<= 1) {
			if (!(ways & (1U << way)) || !(test->modes & mode))
				continue;
			variants[n] = (struct variant){
				.test = test,
				.way = (enum way)way,
				.enforce = mode == IN_ENFORCE,
			};
			name_variant(&variants[n++]);
		}
	}
	return n;
}

int stage_run(const char *theme, const struct stage_test *tests, size_t n, int argc, char **argv)
{
	const size_t most = n * WAY_COUNT * 2;
	struct variant *variants = calloc(most, sizeof(*variants));
	struct CMUnitTest *units = calloc(most, sizeof(*units));
	size_t count = 0;
	int failed;

	check_needs();
	if (!variants || !units)
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t added = add_variants(&tests[i], &variants[count]);

		if (added == 0) {
			fprintf(stderr, "the test \"%s\" would never run\n", tests[i].name);
			return 1;
		}
		count += added;
	}
	for (size_t i = 0; i < count; i++)
		units[i] = (struct CMUnitTest){variants[i].name, run_body, set_up, tear_down,
					       &variants[i]};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	/* What the macro cmocka_run_group_tests() calls, for a table whose size is not constant. */
	failed = _cmocka_run_group_tests(theme, units, count, NULL, NULL);
	free(units);
	free(variants);
	return failed != 0;
}
