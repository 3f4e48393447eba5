/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that are no plain SYN on loopback: they pass unjudged. Behind each stands a mine on the
 * packet's tuple, so that a packet which was judged after all shows as an unproven collision.
 */
#include "config.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "rawsyn.h"
#include "stage.h"

static int family_of(const struct stage *s)
{
	return s->way == WAY_V6 ? AF_INET6 : AF_INET;
}

static struct mine prepare(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	return stage_mine(s, CLIENT_PORT);
}

static struct rawsyn plain_syn(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);

	return rawsyn_make(&client, &s->server);
}

/* The mine's own SYN and so many others were held; all of those passed unjudged. */
static void check_not_judged(struct stage *s, const struct mine *mine, long count)
{
	stage_wait_queued(1 + count);
	assert_int_equal(sock_state(mine->fd), TCP_CLOSE_WAIT);
	/* It lives, and does its work. */
	stage_mine(s, CLIENT_PORT + 1);
	stage_connects(s, CLIENT_PORT + 1);
	daemon_event(&s->daemon, "collision");

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "not-judged"), count);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 1);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 1);
}

static void check_judged(struct stage *s, const struct mine *mine)
{
	daemon_event(&s->daemon, "unproven");
	assert_int_equal(sock_state(mine->fd), TCP_CLOSE_WAIT);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "not-judged"), 0);
}

static void send_one(const struct rawsyn *syn)
{
	must(rawsyn_send(syn), "send a packet");
}

/* The measure of the others: without a fault it is judged. */
static void no_fault(struct stage *s)
{
	struct mine mine = prepare(s);
	const struct rawsyn syn = plain_syn(s);

	send_one(&syn);
	check_judged(s, &mine);
}

static void bad_checksum(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_break_checksum(&syn);
	send_one(&syn);
	check_not_judged(s, &mine, 1);
}

static void header_longer_than_packet(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_set_data_offset(&syn, 15);
	send_one(&syn);
	check_not_judged(s, &mine, 1);
}

static void header_shorter_than_header(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_set_data_offset(&syn, 2);
	send_one(&syn);
	check_not_judged(s, &mine, 1);
}

/* More than is copied to the daemon: it cannot prove the checksum. */
static void long_data(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_add_data(&syn, 600);
	send_one(&syn);
	check_not_judged(s, &mine, 1);
}

static void some_data(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_add_data(&syn, 33);
	send_one(&syn);
	check_judged(s, &mine);
}

static void extension_headers(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_add_extension(&syn, IPPROTO_DSTOPTS);
	send_one(&syn);
	syn = plain_syn(s);
	rawsyn_add_extension(&syn, IPPROTO_HOPOPTS);
	send_one(&syn);
	check_not_judged(s, &mine, 2);
}

/* IPv6 is put together behind INPUT: the rule sees the first fragment only, with TCP's header. */
static void fragments_v6(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn second, syn = plain_syn(s);

	rawsyn_add_data(&syn, 40);
	rawsyn_fragment(&syn, 32, &second);
	send_one(&syn);
	send_one(&second);
	check_not_judged(s, &mine, 1);
}

/* IPv4 is put together before INPUT: one packet, in several pieces of memory. */
static void fragments_v4(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn second, syn = plain_syn(s);

	rawsyn_add_data(&syn, 40);
	rawsyn_fragment(&syn, 32, &second);
	send_one(&syn);
	send_one(&second);
	check_judged(s, &mine);
}

static void ip_options(struct stage *s)
{
	struct mine mine = prepare(s);
	struct rawsyn syn = plain_syn(s);

	rawsyn_add_ip_options(&syn);
	send_one(&syn);
	check_judged(s, &mine);
}

/* A client that sets options on its socket is a claimant like any other. */
static void ip_options_of_a_claimant(struct stage *s)
{
	static const uint8_t options[] = {IPOPT_NOOP, IPOPT_NOOP, IPOPT_NOOP, IPOPT_EOL};
	struct mine mine = prepare(s);
	const json_t *event;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, sizeof(options)), 0);
	assert_int_equal(bind(fd, &mine.client.sa, endpoint_len(&mine.client)), 0);
	assert_int_equal(connect(fd, &mine.server.sa, endpoint_len(&mine.server)), 0);
	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "result"), "destroyed");
}

/* --- rules of somebody's own that queue more than they should ---------------------------------*/

static void not_tcp(struct stage *s)
{
	struct mine mine = prepare(s);
	int server = socket(s->server.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int client = socket(s->server.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[8];

	must(run_iptables(family_of(s), "-t", "mangle", "-A", "INPUT", "-p", "udp", "-j", "NFQUEUE",
			  "--queue-num", "61", "--queue-bypass", NULL),
	     "queue UDP");
	assert_int_equal(bind(server, &s->server.sa, endpoint_len(&s->server)), 0);
	assert_int_equal(sendto(client, "hello", 5, 0, &s->server.sa, endpoint_len(&s->server)), 5);
	assert_int_equal(recv(server, text, sizeof(text), 0), 5);
	check_not_judged(s, &mine, 1);
}

static void not_syn(struct stage *s)
{
	struct mine mine = prepare(s);
	int client, server;
	char text[8];

	client = stage_connects(s, CLIENT_PORT + 9);
	server = stage_accept_from(s, CLIENT_PORT + 9);
	must(run_iptables(family_of(s), "-t", "mangle", "-A", "INPUT", "-p", "tcp", "--tcp-flags",
			  "PSH", "PSH", "-j", "NFQUEUE", "--queue-num", "61", "--queue-bypass",
			  NULL),
	     "queue data");
	assert_int_equal(write(client, "hello", 5), 5);
	assert_int_equal(read(server, text, sizeof(text)), 5);

	stage_wait_queued(3);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "not-judged"), 1);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), 0);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

static void run_ip(const char *const argv[])
{
	if (run_command(argv) != 0)
		fail_msg("%s %s %s: failed", argv[0], argv[1], argv[2]);
}

/* In the child: the other host, which connects as soon as it has its end of the wire. */
_Noreturn static void be_other_host(int ready, int go)
{
	static const char *const address[] = {"ip",  "addr", "add", "192.0.2.2/24",
					      "dev", "far",  NULL};
	union endpoint server;
	char byte = 0;
	bool good;

	good = netns_enter() == 0 && write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 1 &&
	       run_command(address) == 0 && netns_link_up("far") == 0 &&
	       endpoint_parse("192.0.2.1", SERVER_PORT, &server) == 0 &&
	       sock_connect(NULL, &server, 5000) >= 0;
	_exit(good ? 0 : 1);
}

/* A SYN of another host: whatever it meets here, the claimant's socket cannot be seen. */
static void not_loopback(struct stage *s)
{
	const char *const veth[] = {"ip",   "link", "add",  "near", "type",
				    "veth", "peer", "name", "far",  NULL};
	const char *const address[] = {"ip", "addr", "add", "192.0.2.1/24", "dev", "near", NULL};
	const char *move[] = {"ip", "link", "set", "far", "netns", NULL, NULL};
	int ready[2], go[2], status;
	char pid_text[16], byte;
	pid_t pid;

	s->server = stage_end("192.0.2.1", SERVER_PORT);
	run_ip(veth);
	run_ip(address);
	must(netns_link_up("near"), "bring the interface up");
	stage_listen(s, 8);
	stage_protect(s, NULL);
	must(run_iptables(AF_INET, "-t", "mangle", "-A", "INPUT", "-i", "near", "-p", "tcp",
			  "--syn", "-j", "NFQUEUE", "--queue-num", "61", "--queue-bypass", NULL),
	     "queue SYNs from another host");

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0)
		be_other_host(ready[1], go[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	move[5] = pid_text;
	run_ip(move);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 1);
	assert_int_equal(daemon_total(&s->daemon, "not-judged"), 1);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"no fault", no_fault, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"bad checksum", bad_checksum, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"header longer than its packet", header_longer_than_packet, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"header shorter than a header", header_shorter_than_header, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"a little data", some_data, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"more data than is copied", long_data, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"extension headers", extension_headers, V6_ONLY, IN_ENFORCE},
		{"fragments", fragments_v6, V6_ONLY, IN_ENFORCE},
		{"fragments", fragments_v4, V4_ONLY, IN_ENFORCE},
		{"IP options", ip_options, V4_ONLY, IN_ENFORCE},
		{"IP options of a claimant", ip_options_of_a_claimant, V4_ONLY, IN_ENFORCE},
		{"not TCP", not_tcp, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"not a SYN", not_syn, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"not loopback", not_loopback, V4_ONLY, IN_ENFORCE},
	};

	return stage_run("strange packets", tests, COUNT_OF(tests), argc, argv);
}
