/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and routes: everything that reaches a local server through lo is protected, behind
 * rewritten destinations too, and a source that is not this host's never proves anything.
 */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claimant.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "stage.h"

#define OTHER_PORT 9000

/* Runs a command given as one line of words. */
static void run_line(const char *line)
{
	const char *argv[16];
	char words[256], *word, *rest;
	size_t n = 0;

	assert_true(strlen(line) < sizeof(words));
	strcpy(words, line);
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n + 1 < COUNT_OF(argv));
		argv[n++] = word;
	}
	argv[n] = NULL;
	if (run_command(argv) != 0)
		fail_msg("failed: %s", line);
}

/* The server is at `server`; a client at `client` collides with what it left there before. */
static const json_t *collide(struct stage *s, const char *client, const char *server)
{
	union endpoint src = stage_end(client, CLIENT_PORT);
	struct mine mine;
	int64_t start;
	const json_t *event;

	s->server = stage_end(server, SERVER_PORT);
	stage_listen(s, 8);
	stage_protect(s, NULL);
	must(mine_plant(s->listener, &src, &s->server, &mine), "plant a mine");
	start = mono_ns();
	must(sock_connect(&src, &s->server, 5000), "connect");
	assert_true((mono_ns() - start) / 1000000 < AT_ONCE_MS);
	assert_int_equal(sock_error(mine.fd), ECONNABORTED);
	stage_expect_challenges(0);

	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "proof"), "exact");
	assert_string_equal(event_text(event, "result"), "destroyed");
	return event;
}

static void check_ends(const json_t *event, const char *src, const char *dst)
{
	assert_string_equal(event_text(event, "src"), src);
	assert_string_equal(event_text(event, "dst"), dst);
}

static void other_loopback_addresses(struct stage *s)
{
	check_ends(collide(s, "127.0.0.2", "127.1.2.3"), "127.0.0.2:20000", "127.1.2.3:8000");
}

/* A host's real addresses are reached through lo, too. */
static void address_of_a_device(struct stage *s)
{
	run_line("ip link add near type veth peer name far");
	run_line("ip addr add 192.0.2.1/24 dev near");
	run_line("ip link set near up");
	check_ends(collide(s, "192.0.2.1", "192.0.2.1"), "192.0.2.1:20000", "192.0.2.1:8000");
}

static void loopback_to_address_of_a_device(struct stage *s)
{
	run_line("ip link add near type veth peer name far");
	run_line("ip addr add 192.0.2.1/24 dev near");
	run_line("ip link set near up");
	check_ends(collide(s, "127.0.0.1", "192.0.2.1"), "127.0.0.1:20000", "192.0.2.1:8000");
}

static void address_of_a_device_v6(struct stage *s)
{
	run_line("ip link add near type veth peer name far");
	run_line("ip addr add 2001:db8::1/64 dev near nodad");
	run_line("ip link set near up");
	check_ends(collide(s, "2001:db8::1", "2001:db8::1"), "[2001:db8::1]:20000",
		   "[2001:db8::1]:8000");
}

/* Sockets on link-local addresses are bound to their interface: a look-up has to name it. */
/* A socket that is bound to a device is found only by who names that device. */
static void listener_bound_to_lo(struct stage *s)
{
	stage_listen(s, 8);
	must(setsockopt(s->listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")),
	     "bind the listener to lo");
	stage_protect(s, NULL);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
}

static void link_local(struct stage *s)
{
	run_line("ip link add near type veth peer name far");
	run_line("ip link set far up");
	run_line("ip link set near up");
	run_line("ip addr add fe80::1/64 dev near nodad");
	check_ends(collide(s, "fe80::1%near", "fe80::1%near"), "[fe80::1]:20000", "[fe80::1]:8000");
}

/* The same link-local address on two interfaces: the SYN does not tell which. Never a guess. */
static void link_local_twice(struct stage *s)
{
	union endpoint src;
	struct mine mine;

	run_line("ip link add near type veth peer name far");
	run_line("ip link set far up");
	run_line("ip link set near up");
	run_line("ip addr add fe80::1/64 dev near nodad");
	run_line("ip addr add fe80::1/64 dev far nodad");
	src = stage_end("fe80::1%near", CLIENT_PORT);
	s->server = stage_end("fe80::1%near", SERVER_PORT);
	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	must(mine_plant(s->listener, &src, &s->server, &mine), "plant a mine");
	must(sock_connect_start(&src, &s->server), "begin to connect");
	stage_wait_queued(2);

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

/* --- rewritten destinations -------------------------------------------------------------------*/

static int family_of(const struct stage *s)
{
	return s->way == WAY_V6 ? AF_INET6 : AF_INET;
}

/* From here on connection tracking is at work, too: plant first. */
static void redirect(struct stage *s, const char *from, const char *to)
{
	if (run_iptables(family_of(s), "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "--dport", from,
			 "-j", "REDIRECT", "--to-ports", to, NULL) < 0)
		skip();
}

/* Begins to connect to the port that is redirected to the server, from the mine's client end. */
static int claim_redirected(struct stage *s, const struct mine *mine)
{
	union endpoint dst = stage_client(s, OTHER_PORT);

	return must(claimant_shared(&mine->client, &dst), "begin to connect");
}

static void redirected(struct stage *s)
{
	const json_t *event;
	struct mine mine;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	mine = stage_mine(s, CLIENT_PORT);
	redirect(s, "9000", "8000");
	must(sock_connect_finish(claim_redirected(s, &mine), AT_ONCE_MS), "connect");

	event = daemon_event(&s->daemon, "collision");
	stage_event_is_of(s, event, CLIENT_PORT);
	assert_string_equal(event_text(event, "proof"), "source");
	assert_string_equal(event_text(event, "claimant"), "syn-sent");
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_int_equal(sock_error(mine.fd), ECONNABORTED);
}

/* The reset has to come from where the client wanted to go. */
static void redirected_and_rejected(struct stage *s)
{
	const json_t *event;
	struct mine mine;

	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };");
	mine = stage_mine(s, CLIENT_PORT);
	redirect(s, "9000", "8000");
	assert_int_equal(sock_connect_finish(claim_redirected(s, &mine), AT_ONCE_MS),
			 -ECONNREFUSED);

	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "proof"), "source");
	assert_string_equal(event_text(event, "result"), "rejected");
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

/* Another address that leads here: its client has a tuple of which nothing but the source is left. */
static void destination_nat(struct stage *s)
{
	union endpoint dst = stage_end("127.0.0.53", OTHER_PORT);
	const json_t *event;
	struct mine mine;
	int fd;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	mine = stage_mine(s, CLIENT_PORT);
	if (run_iptables(AF_INET, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", "127.0.0.53",
			 "-j", "DNAT", "--to-destination", "127.0.0.1:8000", NULL) < 0)
		skip();
	fd = must(claimant_shared(&mine.client, &dst), "begin to connect");
	must(sock_connect_finish(fd, AT_ONCE_MS), "connect");

	event = daemon_event(&s->daemon, "collision");
	stage_event_is_of(s, event, CLIENT_PORT);
	assert_string_equal(event_text(event, "proof"), "source");
	assert_string_equal(event_text(event, "result"), "destroyed");
}

/* A connection that shares the client's end, with a server of its own. */
static void connect_elsewhere(struct stage *s, uint16_t port)
{
	union endpoint src = stage_client(s, CLIENT_PORT), dst = stage_client(s, port);
	int fd;

	must(sock_listen(&dst, 8, false), "listen elsewhere");
	fd = must(claimant_shared(&src, &dst), "begin to connect elsewhere");
	must(sock_connect_finish(fd, AT_ONCE_MS), "connect elsewhere");
}

/*
 * Two sockets on the SYN's source: the other one could be the living peer of the occupant, under
 * a destination that was rewritten as well.
 */
static void redirected_beside_another(struct stage *s)
{
	struct mine mine;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	mine = stage_mine(s, CLIENT_PORT);
	connect_elsewhere(s, 7000);
	redirect(s, "9000", "8000");
	claim_redirected(s, &mine);

	daemon_event(&s->daemon, "unproven");
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

/*
 * The very case that this is for: the other one is the occupant's living peer. Connection tracking
 * would give the claimant another source port, unless it has forgotten the older connection.
 */
static void beside_living_peer(struct stage *s, const union endpoint *claimed)
{
	static const char *const forget[] = {"conntrack", "-F", NULL};
	union endpoint client = stage_client(s, CLIENT_PORT);
	union endpoint old = stage_client(s, OTHER_PORT + 1);
	int fd, server;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	redirect(s, "9001", "8000");
	redirect(s, "9000", "8000");
	fd = must(claimant_shared(&client, &old), "begin to connect");
	must(sock_connect_finish(fd, AT_ONCE_MS), "connect");
	server = stage_accept_from(s, CLIENT_PORT);
	stage_half_close(fd);
	if (run_command(forget) != 0)
		skip();
	must(claimant_shared(&client, claimed), "begin to connect");

	daemon_event(&s->daemon, "unproven");
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
	assert_int_equal(sock_state(server), TCP_CLOSE_WAIT);
	assert_int_equal(sock_state(fd), TCP_FIN_WAIT2);
}

static void redirected_beside_living_peer(struct stage *s)
{
	union endpoint other = stage_client(s, OTHER_PORT);

	beside_living_peer(s, &other);
}

/* Here the claimant is on the SYN's own tuple, and yet the occupant's peer lives. */
static void direct_beside_redirected_peer(struct stage *s)
{
	beside_living_peer(s, &s->server);
}

/* A socket that is only bound has no peer: it takes nothing from the proof. */
static void redirected_beside_bound_socket(struct stage *s)
{
	const int on = 1;
	struct mine mine;
	const json_t *event;
	int fd;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	mine = stage_mine(s, CLIENT_PORT);
	fd = socket(mine.client.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, &mine.client.sa, endpoint_len(&mine.client)), 0);
	redirect(s, "9000", "8000");
	must(sock_connect_finish(claim_redirected(s, &mine), AT_ONCE_MS), "connect");

	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "proof"), "source");
	assert_string_equal(event_text(event, "result"), "destroyed");
}

/* --- what connection tracking remembers ---------------------------------------------------------*/

/* The new connection must work, not just begin: what is invalid is not rewritten, or dropped. */
static void check_works(struct stage *s, const union endpoint *dialled)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	char bytes[6] = "";
	int fd, server;

	/* Some 10 ms; what this is about is the data after it. */
	fd = must(sock_connect(&client, dialled, 5000), "connect");
	server = stage_accept_from(s, CLIENT_PORT);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(fd, "there", 5, MSG_NOSIGNAL), 5);
		assert_int_equal(recv(server, bytes, 5, MSG_WAITALL), 5);
		assert_int_equal(send(server, "back!", 5, MSG_NOSIGNAL), 5);
		assert_int_equal(recv(fd, bytes, 5, MSG_WAITALL), 5);
		assert_string_equal(bytes, "back!");
	}
}

/* Waits until `conntrack -L` has an entry of TCP that matches: an ACK may be a delayed one. */
static void wait_for_entry(struct stage *s, const char *pattern)
{
	static const char *const count[] = {"conntrack", "-C", NULL};
	const char *const find[] = {
		"timeout",
		"5",
		"sh",
		"-c",
		"until conntrack -L -p tcp -f $0 2>&1 | grep \"$1\"; do sleep 0.05; done",
		s->way == WAY_V6 ? "ipv6" : "ipv4",
		pattern,
		NULL};

	if (run_command(count) != 0)
		skip();
	assert_int_equal(run_command(find), 0);
}

static void check_destroyed(struct stage *s, int old)
{
	assert_int_equal(sock_error(old), ECONNABORTED);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 1);
	stage_expect_challenges(0);
}

/*
 * The stale socket's connection is tracked still: it takes another minute to be forgotten, and
 * tcp_fin_timeout is often shorter.
 */
static void collide_remembered(struct stage *s, const union endpoint *dialled)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	int fd, old;

	fd = must(sock_connect(&client, dialled, 5000), "connect");
	old = stage_accept_from(s, CLIENT_PORT);
	must(mine_abandon(fd), "let the client vanish");
	check_works(s, dialled);
	/* The five days of a healthy connection. */
	wait_for_entry(s, " 43[0-9]* ESTABLISHED .*ASSURED");
	check_destroyed(s, old);
}

/*
 * The entry is the SYN's own, the old connection was never tracked; the reset of its end must not be
 * held against the new one. The numbers that the reset and the listener's answer have are as after
 * seconds, and as after 206 s, when those of the listener have turned around.
 */
static void collide_forgotten(struct stage *s, void (*track)(struct stage *),
			      const union endpoint *dialled, uint32_t ahead)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct mine mine;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	must(mine_plant_ahead(s->listener, &client, &s->server, ahead, &mine), "plant a mine");
	track(s);
	check_works(s, dialled);
	/* The five days of a healthy connection. */
	wait_for_entry(s, " 43[0-9]* ESTABLISHED .*ASSURED");
	check_destroyed(s, mine.fd);
}

static void redirect_to_server(struct stage *s)
{
	redirect(s, "9000", "8000");
}

/* Many firewalls drop it. */
static void drop_invalid(struct stage *s)
{
	static const char *const chains[] = {"INPUT", "OUTPUT"};

	for (size_t i = 0; i < COUNT_OF(chains); i++) {
		if (run_iptables(family_of(s), "-A", chains[i], "-m", "conntrack", "--ctstate",
				 "INVALID", "-j", "DROP", NULL) < 0)
			skip();
	}
}

static void redirected_and_remembered(struct stage *s)
{
	union endpoint other = stage_client(s, OTHER_PORT);

	stage_listen(s, 8);
	stage_protect(s, NULL);
	redirect_to_server(s);
	collide_remembered(s, &other);
}

static void redirected_and_forgotten(struct stage *s)
{
	union endpoint other = stage_client(s, OTHER_PORT);

	collide_forgotten(s, redirect_to_server, &other, 0);
}

static void redirected_and_long_forgotten(struct stage *s)
{
	union endpoint other = stage_client(s, OTHER_PORT);

	collide_forgotten(s, redirect_to_server, &other, 1U << 30);
}

static void invalid_is_dropped(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, NULL);
	drop_invalid(s);
	collide_remembered(s, &s->server);
}

static void invalid_is_dropped_forgotten(struct stage *s)
{
	collide_forgotten(s, drop_invalid, &s->server, 0);
}

static void invalid_is_dropped_long_forgotten(struct stage *s)
{
	collide_forgotten(s, drop_invalid, &s->server, 1U << 30);
}

/* What makes the client send its SYN again must come through. */
static void remembered_and_resets_dropped(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, NULL);
	drop_invalid(s);
	stage_drop_resets(s);
	collide_remembered(s, &s->server);
}

/* In audit mode an entry stays as it is. */
static void entries_are_left_alone(struct stage *s)
{
	int fd, server;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	drop_invalid(s);
	fd = stage_connects(s, CLIENT_PORT);
	server = stage_accept_from(s, CLIENT_PORT);
	must(mine_abandon(fd), "let the client vanish");
	/* So that the kernel does nothing about it either. */
	must(run_iptables(AF_INET, "-A", "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "SYN,RST,FIN,PSH,ACK", "ACK", "-j", "DROP", NULL),
	     "drop the challenge ACK");
	stage_connect(s, CLIENT_PORT, 100);
	daemon_event(&s->daemon, "collision");
	wait_for_entry(s, " CLOSE_WAIT .* sport=20000 .*ASSURED");
	assert_int_equal(sock_state(server), TCP_CLOSE_WAIT);
}

/* --- foreign sources --------------------------------------------------------------------------*/

/* What a transparent proxy does: replies to that network come back to this host, by a mark. */
static const char *be_transparent(struct stage *s)
{
	bool v6 = s->way == WAY_V6;
	const char *address = v6 ? "2001:db8::7" : "198.51.100.7";
	const char *ip = v6 ? "ip -6" : "ip";
	char line[128];

	snprintf(line, sizeof(line), "%s route add default dev lo", ip);
	run_line(line);
	snprintf(line, sizeof(line), "%s rule add fwmark 7 lookup 100", ip);
	run_line(line);
	snprintf(line, sizeof(line), "%s route add local default dev lo table 100", ip);
	run_line(line);
	must(run_iptables(family_of(s), "-t", "mangle", "-A", "OUTPUT", "-d", address, "-j", "MARK",
			  "--set-mark", "7", NULL),
	     "mark what goes to the foreign address");
	return address;
}

/* A mine whose peer, for all that this host knows, is on another one; *ret_src is its end. */
static int mine_from_abroad(struct stage *s, union endpoint *ret_src)
{
	int fd, server;

	*ret_src = stage_end(be_transparent(s), CLIENT_PORT);
	fd = must(claimant_foreign(ret_src, &s->server), "begin to connect");
	must(sock_connect_finish(fd, 5000), "connect");
	server = stage_accept_from(s, CLIENT_PORT);
	must(mine_abandon(fd), "let the client vanish");
	return server;
}

/* The rules leave such SYNs alone. */
static void foreign_source(struct stage *s)
{
	union endpoint src;
	int server;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_drop_resets(s);
	server = mine_from_abroad(s, &src);
	must(claimant_foreign(&src, &s->server), "begin to connect");

	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "syns"), 0);
	assert_int_equal(sock_state(server), TCP_CLOSE_WAIT);
}

/* So does the daemon, whoever's rules queue them. */
static void foreign_source_by_other_rules(struct stage *s)
{
	const json_t *event;
	union endpoint src;
	char text[ENDPOINT_TEXT];
	int server;

	stage_listen(s, 8);
	daemon_start(&s->daemon, "mode = \"enforce\";");
	must(run_iptables(family_of(s), "-t", "mangle", "-A", "INPUT", "-p", "tcp", "--syn", "-j",
			  "NFQUEUE", "--queue-num", "61", "--queue-bypass", NULL),
	     "queue every SYN");
	stage_drop_resets(s);
	server = mine_from_abroad(s, &src);
	must(claimant_foreign(&src, &s->server), "begin to connect");

	event = daemon_event(&s->daemon, "foreign-source");
	assert_string_equal(event_text(event, "src"), endpoint_format(&src, text));
	assert_string_equal(event_text(event, "state"), "close-wait");
	assert_null(json_object_get(event, "action"));
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), 0);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 0);
	assert_int_equal(sock_state(server), TCP_CLOSE_WAIT);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"other loopback addresses", other_loopback_addresses, 0, IN_ENFORCE},
		{"address of a device", address_of_a_device, 0, IN_ENFORCE},
		{"loopback to the address of a device", loopback_to_address_of_a_device, 0,
		 IN_ENFORCE},
		{"address of a device, IPv6", address_of_a_device_v6, 0, IN_ENFORCE},
		{"listener bound to lo", listener_bound_to_lo, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"link-local address", link_local, 0, IN_ENFORCE},
		{"link-local address on two interfaces", link_local_twice, V6_ONLY, IN_ENFORCE},
		{"REDIRECT", redirected, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"DNAT", destination_nat, V4_ONLY, IN_ENFORCE},
		{"REDIRECT, rejected", redirected_and_rejected, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"REDIRECT beside another connection", redirected_beside_another, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"REDIRECT beside the living peer", redirected_beside_living_peer,
		 V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"direct beside the redirected peer", direct_beside_redirected_peer,
		 V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"REDIRECT beside a bound socket", redirected_beside_bound_socket,
		 V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"REDIRECT, remembered", redirected_and_remembered, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"REDIRECT, forgotten", redirected_and_forgotten, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"REDIRECT, long forgotten", redirected_and_long_forgotten, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
		{"what is invalid is dropped, remembered", invalid_is_dropped, EVERY_WAY,
		 IN_ENFORCE},
		{"what is invalid is dropped, forgotten", invalid_is_dropped_forgotten, EVERY_WAY,
		 IN_ENFORCE},
		{"what is invalid is dropped, long forgotten", invalid_is_dropped_long_forgotten,
		 EVERY_WAY, IN_ENFORCE},
		{"what is invalid is dropped, and resets, remembered",
		 remembered_and_resets_dropped, EVERY_WAY, IN_ENFORCE},
		{"entries are left alone", entries_are_left_alone, V4_ONLY, IN_AUDIT},
		{"foreign source", foreign_source, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"foreign source by other rules", foreign_source_by_other_rules, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
	};

	return stage_run("places", tests, COUNT_OF(tests), argc, argv);
}
