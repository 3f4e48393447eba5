/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue.filter = "bpf": which SYNs the program on lo marks, what becomes of the mark, and what is
 * left of it all afterwards. Built twice: as test_filter, and with WITHOUT_TCX as
 * test_filter_clsact, in which the kernel behaves as one before 6.6.
 */
#include "config.h"

#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>

#include "lib/kernel.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "rawsyn.h"
#include "rules.h"
#include "stage.h"

#define BPF_FILTER  "queue = { filter = \"bpf\"; };\n"
#define FILTER_MARK "0x20000000"
#define OTHER_BIT   4
#define ROUNDS	    20

static void protect(struct stage *s, const char *conf)
{
	stage_protect(s, conf);
	if (!daemon_has_said(&s->daemon, "ready: ") || daemon_has_said(&s->daemon, "filter bpf"))
		return;
	print_message("the daemon cannot have the bpf filter here\n");
	skip();
}

static int family_of(const struct stage *s)
{
	return s->way == WAY_V6 ? AF_INET6 : AF_INET;
}

/* From here on a SYN that carries the mark when it is through with the daemon's rule is lost. */
static void drop_marked(const struct stage *s)
{
	must(run_iptables(family_of(s), "-A", "INPUT", "-p", "tcp", "-m", "mark", "--mark",
			  FILTER_MARK "/" FILTER_MARK, "-j", "DROP", NULL),
	     "drop what is marked");
}

static void every_collision_and_nothing_else(struct stage *s)
{
	stage_listen(s, ROUNDS);
	protect(s, BPF_FILTER);
	for (uint16_t i = 0; i < ROUNDS; i++)
		stage_mine(s, CLIENT_PORT + i); /* an ordinary connect, to begin with */
	assert_int_equal(rules_queued(), 0);

	stage_drop_resets(s);
	for (uint16_t i = 0; i < ROUNDS; i++)
		stage_connects(s, CLIENT_PORT + i);
	assert_int_equal(rules_queued(), ROUNDS);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), ROUNDS);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), ROUNDS);
	assert_true(daemon_has_said(&s->daemon, "bpf filter: syns=40 marked=20"));
}

/* A SYN that nobody waits behind comes to the daemon, which can then not prove anything. */
static void check_found(struct stage *s, void (*change)(struct rawsyn *syn),
			int (*send)(const struct rawsyn *syn))
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct rawsyn syn = rawsyn_make(&client, &s->server);

	stage_listen(s, 8);
	protect(s, BPF_FILTER);
	stage_drop_resets(s);
	stage_mine(s, CLIENT_PORT);
	if (change)
		change(&syn);
	must(send(&syn), "send a SYN");

	stage_event_is_of(s, daemon_event(&s->daemon, "unproven"), CLIENT_PORT);
}

static void ip_options(struct stage *s)
{
	check_found(s, rawsyn_add_ip_options, rawsyn_send);
}

/* The daemon does not judge what has extension headers, so they need not come to it. */
static void extension_headers(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct rawsyn plain = rawsyn_make(&client, &s->server);
	struct rawsyn extended = plain, first = plain, second;

	stage_listen(s, 8);
	protect(s, BPF_FILTER);
	stage_drop_resets(s);
	stage_mine(s, CLIENT_PORT);
	rawsyn_add_extension(&extended, IPPROTO_DSTOPTS);
	must(rawsyn_send(&extended), "send a SYN behind destination options");
	rawsyn_fragment(&first, 8, &second);
	must(rawsyn_send(&first), "send half a SYN");
	must(rawsyn_send(&second), "send the other half");
	must(rawsyn_send(&plain), "send a plain SYN");

	daemon_event(&s->daemon, "unproven");
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 1);
}

/* Nothing of it can be read directly. */
static void headers_in_pieces(struct stage *s)
{
	check_found(s, NULL, rawsyn_send_in_pieces);
}

/* Carried by lo, while the sockets are bound to the interface that has the address. */
static void link_local(struct stage *s)
{
	const char *const link[] = {"ip",   "link", "add",  "name", "owner", "type",
				    "veth", "peer", "name", "peer", NULL};
	const char *const address[] = {"ip",  "-6",    "address", "add", "fe80::c0de/64",
				       "dev", "owner", "nodad",	  NULL};
	union endpoint client;
	struct mine mine;

	if (run_command(link) != 0) {
		print_message("needs the ip command and veth interfaces\n");
		skip();
	}
	must(netns_link_up("owner"), "set the interface up");
	must(netns_link_up("peer"), "set its peer up");
	assert_int_equal(run_command(address), 0);
	must(endpoint_parse("fe80::c0de%owner", SERVER_PORT, &s->server), "parse an address");
	must(endpoint_parse("fe80::c0de%owner", CLIENT_PORT, &client), "parse an address");
	s->listener = must(sock_listen(&s->server, 8, true), "listen");
	protect(s, BPF_FILTER);
	stage_drop_resets(s);
	must(mine_plant(s->listener, &client, &s->server, &mine), "plant a mine");
	must(sock_connect(&client, &s->server, AT_ONCE_MS), "connect");

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

static int mark_of(int fd)
{
	socklen_t len = sizeof(int);
	int mark;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	return mark;
}

static void the_mark_stays_behind(struct stage *s)
{
	must(netns_sysctl_set("ipv4/tcp_fwmark_accept", "1"), "let accepted sockets inherit marks");
	must(run_iptables(family_of(s), "-t", "mangle", "-A", "PREROUTING", "-j", "MARK",
			  "--or-mark", "4", NULL),
	     "give packets a mark of somebody else's");
	stage_listen(s, 8);
	protect(s, BPF_FILTER);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);

	assert_int_equal(mark_of(stage_accept_from(s, CLIENT_PORT)), OTHER_BIT);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

static void a_reload_changes_the_states(struct stage *s)
{
	stage_listen(s, 8);
	protect(s, BPF_FILTER "stale = { states = \"last-ack\"; };");
	stage_mine(s, CLIENT_PORT);
	stage_mine(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT);
	assert_int_equal(rules_queued(), 0);

	daemon_reload(&s->daemon, "mode = \"enforce\"; " BPF_FILTER);
	stage_connects(s, CLIENT_PORT + 1);
	assert_int_equal(rules_queued(), 1);
}

static void a_stop_takes_it_away(struct stage *s)
{
	stage_listen(s, 8);
	protect(s, BPF_FILTER);
	stage_mine(s, CLIENT_PORT);
	daemon_stop(&s->daemon);

	drop_marked(s);
	stage_connects(s, CLIENT_PORT);
}

/* The kernel takes the program away with the process that has attached it, from tcx on. */
static bool goes_with_its_process(void)
{
#ifdef WITHOUT_TCX
	return false;
#else
	return kernel_is_since(6, 6);
#endif
}

static void a_killed_daemon_does_no_harm(struct stage *s)
{
	stage_listen(s, 8);
	protect(s, BPF_FILTER);
	for (uint16_t i = 0; i < 3; i++)
		stage_mine(s, CLIENT_PORT + i);
	daemon_signal(&s->daemon, SIGKILL);
	assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGKILL);
	if (goes_with_its_process())
		drop_marked(s);
	stage_connects(s, CLIENT_PORT);

	daemon_start(&s->daemon, "mode = \"enforce\"; " BPF_FILTER);
	stage_connects(s, CLIENT_PORT + 1);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
	if (!goes_with_its_process())
		drop_marked(s);
	stage_connects(s, CLIENT_PORT + 2);
}

/* Asking which filter can be had must not disturb the daemon that has it. */
static void a_probe_leaves_it_alone(struct stage *s)
{
	const char *const probe[] = {daemon_program(), "-c", s->daemon.conf_path, "--filter", NULL};

	stage_listen(s, 8);
	protect(s, BPF_FILTER);
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(run_command(probe), 0);
	stage_connects(s, CLIENT_PORT);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

/* As under systemd: the daemon with these capabilities (setpriv(1)), then the rules as root. */
static void protect_as_a_service(struct stage *s, const char *capabilities)
{
	char *real = strdup(daemon_program());
	char wrapper[sizeof(s->daemon.dir) + 16];
	FILE *file;

	snprintf(wrapper, sizeof(wrapper), "%s/unprivileged", s->daemon.dir);
	file = fopen(wrapper, "we");
	assert_non_null(file);
	/* 8 MiB are what systemd allows; before Linux 5.11 the program counts. */
	fprintf(file, "#!/bin/sh\nulimit -l 8192\nexec setpriv --bounding-set %s %s \"$@\"\n",
		capabilities, real);
	fclose(file);
	must(chmod(wrapper, 0755) < 0 ? -errno : 0, "make the wrapper a program");
	daemon_want_control(&s->daemon);
	setenv("CLOSEWAITD", wrapper, 1);
	daemon_start(&s->daemon, "mode = \"enforce\"; " BPF_FILTER);
	setenv("CLOSEWAITD", real, 1);
	must(rules_up(s->daemon.conf_path), "put the rules in");
	free(real);
	remove(wrapper);
}

/* Root could load it: the rules are for what the daemon has. */
static void without_the_right_to_load_it(struct stage *s)
{
	stage_listen(s, 8);
	protect_as_a_service(s, "-bpf,-sys_admin");
	assert_true(daemon_has_said(&s->daemon,
				    "the filter is \"all\" (queue.filter_fallback) instead"));
	assert_true(daemon_has_said(&s->daemon, "filter all"));
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(rules_queued(), 1);
	stage_connects(s, CLIENT_PORT);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

/* Nothing but what the manual has for it. */
static void with_the_right_to_load_it(struct stage *s)
{
	stage_listen(s, 8);
	protect(s, BPF_FILTER); /* skips where nobody can have it */
	daemon_stop(&s->daemon);
	protect_as_a_service(s, "-all,+bpf,+perfmon,+net_admin");
	assert_true(daemon_has_said(&s->daemon, "filter bpf"));
	stage_mine(s, CLIENT_PORT);
	assert_int_equal(rules_queued(), 0);
	stage_connects(s, CLIENT_PORT);
	assert_int_equal(rules_queued(), 1);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

#ifdef WITHOUT_TCX
/* For this process and all that it starts. */
static void forbid_tcx(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(bpf), 1,
			     SCMP_A0(SCMP_CMP_EQ, BPF_LINK_CREATE, 0)) < 0 ||
	    seccomp_load(filter) < 0) {
		printf("SKIP needs the right to load a seccomp filter\n");
		exit(77);
	}
	seccomp_release(filter);
}
#endif

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"every collision and nothing else", every_collision_and_nothing_else, EVERY_WAY,
		 IN_ENFORCE},
		{"IP options", ip_options, V4_ONLY, IN_ENFORCE},
		{"extension headers", extension_headers, V6_ONLY, IN_ENFORCE},
		{"headers in pieces", headers_in_pieces, V6_ONLY, IN_ENFORCE},
		{"link-local", link_local, V6_ONLY, IN_ENFORCE},
		{"the mark stays behind", the_mark_stays_behind, EVERY_WAY, IN_ENFORCE},
		{"a reload changes the states", a_reload_changes_the_states, V4_ONLY, IN_ENFORCE},
		{"a stop takes it away", a_stop_takes_it_away, V4_ONLY, IN_ENFORCE},
		{"a killed daemon does no harm", a_killed_daemon_does_no_harm, V4_ONLY, IN_ENFORCE},
		{"a probe leaves it alone", a_probe_leaves_it_alone, V4_ONLY, IN_ENFORCE},
		{"without the right to load it", without_the_right_to_load_it, V4_ONLY, IN_ENFORCE},
		{"with the right to load it", with_the_right_to_load_it, V4_ONLY, IN_ENFORCE},
	};

#ifdef WITHOUT_TCX
	forbid_tcx();
#endif
	return stage_run("bpf filter", tests, COUNT_OF(tests), argc, argv);
}
