/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A proven collision with each action: what the client, the occupant and the log see of it. */
#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"
#include "stage.h"

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static uint64_t cookie_of(const struct mine *mine)
{
	const struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;
	int nl = must(sockdiag_open(), "open sock_diag");

	must(sockdiag_get(nl, &req, &info), "look the occupant up");
	close(nl);
	return (uint64_t)info.msg.id.idiag_cookie[1] << 32 | info.msg.id.idiag_cookie[0];
}

/* A server, a daemon with this default action, and a mine. */
static struct mine lay_mine(struct stage *s, const char *action)
{
	char conf[128];

	stage_listen(s, 8);
	snprintf(conf, sizeof(conf), "policy = { default = \"%s\"; };", action);
	stage_protect(s, conf);
	return stage_mine(s, CLIENT_PORT);
}

/* The event of the mine's collision, every field of it. */
static void check_event(struct stage *s, const struct mine *mine, const char *action,
			const char *result, uint64_t cookie)
{
	const json_t *event = daemon_event(&s->daemon, "collision");
	char text[32];

	stage_event_is_of(s, event, CLIENT_PORT);
	assert_string_equal(event_text(event, "proof"), "exact");
	assert_string_equal(event_text(event, "mode"), s->enforce ? "enforce" : "audit");
	assert_string_equal(event_text(event, "rule"), "default");
	assert_string_equal(event_text(event, "action"), action);
	assert_string_equal(event_text(event, "result"), s->enforce ? result : "audited");
	assert_string_equal(event_text(event, "claimant"), "syn-sent");
	assert_string_equal(event_text(event, "state"), "close-wait");
	assert_in_range(event_number(event, "age_ms"), 0, 60000);
	assert_int_equal(event_number(event, "unread"), 0);
	assert_int_equal(event_number(event, "uid"), 0);
	assert_int_equal(event_number(event, "inode"), inode_of(mine->fd));
	snprintf(text, sizeof(text), "%llx", (unsigned long long)cookie);
	assert_string_equal(event_text(event, "cookie"), text);
	assert_in_range(event_number(event, "verdict_us"), 1, 1000000);
	assert_null(json_object_get(event, "error"));
}

static void check_totals(struct stage *s, long collisions, long destroyed)
{
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), collisions);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), destroyed);
	assert_int_equal(daemon_total(&s->daemon, "unproven"), 0);
	assert_int_equal(daemon_total(&s->daemon, "lookup-failed"), 0);
	assert_int_equal(daemon_total(&s->daemon, "overruns"), 0);
	assert_int_equal(daemon_count_events(&s->daemon, NULL), collisions);
}

/* The daemon lets the SYN pass, and the kernel heals the collision in its own way. */
static void check_kernel_heals(struct stage *s, const struct mine *mine)
{
	long challenges = stage_challenges();

	stage_connects(s, CLIENT_PORT);
	assert_int_equal(stage_challenges(), challenges + 1);
	assert_int_equal(sock_error(mine->fd), EPIPE);
	assert_int_equal(sock_state(mine->fd), TCP_CLOSE);
}

static void log_only(struct stage *s)
{
	struct mine mine = lay_mine(s, "log");
	uint64_t cookie = cookie_of(&mine);

	check_kernel_heals(s, &mine);
	check_event(s, &mine, "log", "logged", cookie);
	/* The kernel's heal ends in a second SYN, which finds the listener. */
	check_totals(s, 1, 0);
}

static void destroy(struct stage *s)
{
	struct mine mine = lay_mine(s, "destroy");
	uint64_t cookie = cookie_of(&mine);
	long challenges = stage_challenges();
	char text[8];
	int client, server;

	if (!s->enforce) {
		check_kernel_heals(s, &mine);
		check_event(s, &mine, "destroy", "audited", cookie);
		check_totals(s, 1, 0);
		return;
	}
	client = stage_connects(s, CLIENT_PORT);
	stage_expect_challenges(challenges);
	/* The kernel's own way would have been EPIPE. */
	assert_int_equal(sock_error(mine.fd), ECONNABORTED);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE);
	assert_int_equal(read(mine.fd, text, sizeof(text)), 0);

	server = stage_accept_from(s, CLIENT_PORT);
	assert_int_equal(write(client, "hello", 5), 5);
	assert_int_equal(read(server, text, sizeof(text)), 5);
	check_event(s, &mine, "destroy", "destroyed", cookie);
	check_totals(s, 1, 1);
}

/* Firewalls between which the kernel cannot heal: without the daemon this connect never ends. */
static void destroy_where_kernel_cannot_heal(struct stage *s)
{
	int family = s->way == WAY_V6 ? AF_INET6 : AF_INET;

	lay_mine(s, "destroy");
	must(run_iptables(family, "-A", "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "SYN,RST,FIN,PSH,ACK", "ACK", "-j", "DROP", NULL),
	     "drop the server's challenge ACKs");
	if (s->enforce)
		stage_connects(s, CLIENT_PORT);
	else
		assert_int_equal(stage_connect(s, CLIENT_PORT, 300).rc, -EINPROGRESS);
}

static void drop(struct stage *s)
{
	struct mine mine = lay_mine(s, "drop");
	uint64_t cookie = cookie_of(&mine);
	long challenges = stage_challenges();
	int fd;

	if (!s->enforce) {
		check_kernel_heals(s, &mine);
		check_event(s, &mine, "drop", "audited", cookie);
		check_totals(s, 1, 0);
		return;
	}
	fd = must(sock_connect_start(&mine.client, &mine.server), "begin to connect");
	/* The client must not give up before the verdict: nothing would be proven then. */
	check_event(s, &mine, "drop", "dropped", cookie);
	assert_int_equal(sock_connect_finish(fd, 100), -EINPROGRESS);
	sock_reset(fd);
	assert_int_equal(stage_challenges(), challenges);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
	assert_int_equal(cookie_of(&mine), cookie);
	check_totals(s, 1, 0);
}

/* The client waits for its server: when that closes the occupant at last, the client gets through. */
static void drop_until_closed(struct stage *s)
{
	struct mine mine = lay_mine(s, "drop");
	int fd = must(sock_connect_start(&mine.client, &mine.server), "begin to connect");

	daemon_event(&s->daemon, "collision");
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
	close(mine.fd);
	must(sock_connect_finish(fd, 5000), "connect");
}

static void reject(struct stage *s)
{
	struct mine mine = lay_mine(s, "reject");
	uint64_t cookie = cookie_of(&mine);
	long challenges = stage_challenges();
	struct attempt attempt;

	if (!s->enforce) {
		check_kernel_heals(s, &mine);
		check_event(s, &mine, "reject", "audited", cookie);
		check_totals(s, 1, 0);
		return;
	}
	attempt = stage_connect(s, CLIENT_PORT, AT_ONCE_MS);
	assert_int_equal(attempt.rc, -ECONNREFUSED);
	assert_int_equal(stage_challenges(), challenges);
	check_event(s, &mine, "reject", "rejected", cookie);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
	assert_int_equal(cookie_of(&mine), cookie);
	check_totals(s, 1, 0);
}

/* The reset takes the SYN's place: a firewall that drops resets does not see it. */
static void reject_where_resets_are_dropped(struct stage *s)
{
	struct mine mine = lay_mine(s, "reject");
	struct attempt attempt;

	if (run_iptables(s->server.sa.sa_family, "-A", "INPUT", "-p", "tcp", "--tcp-flags", "RST",
			 "RST", "-j", "DROP", NULL) < 0 ||
	    run_iptables(s->server.sa.sa_family, "-A", "OUTPUT", "-p", "tcp", "--tcp-flags", "RST",
			 "RST", "-j", "DROP", NULL) < 0)
		skip();
	attempt = stage_connect(s, CLIENT_PORT, AT_ONCE_MS);
	assert_int_equal(attempt.rc, -ECONNREFUSED);
	assert_int_equal(sock_state(mine.fd), TCP_CLOSE_WAIT);
}

/* The mine comes about as in life: the client closes, FIN_WAIT_2 expires. */
static void honest_mine(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	const json_t *event;
	struct mine mine;

	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	stage_listen(s, 8);
	stage_protect(s, NULL);
	must(mine_plant_honest(s->listener, &client, &s->server, &mine), "plant a mine");
	stage_connects(s, CLIENT_PORT);
	event = daemon_event(&s->daemon, "collision");
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_in_range(event_number(event, "age_ms"), 900, 60000);
}

/* What the client sent before it closed is still there for the server that is told of the end. */
static void unread_bytes(struct stage *s)
{
	const json_t *event;
	char text[16];
	int fd, server;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	fd = stage_connects(s, CLIENT_PORT);
	server = stage_accept_from(s, CLIENT_PORT);
	assert_int_equal(write(fd, "seven b", 7), 7);
	must(mine_abandon(fd), "let the client vanish");

	stage_connects(s, CLIENT_PORT);
	event = daemon_event(&s->daemon, "collision");
	assert_int_equal(event_number(event, "unread"), 7);
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_int_equal(sock_error(server), ECONNABORTED);
	assert_int_equal(read(server, text, sizeof(text)), 7);
}

/* Nobody has accepted the occupant yet: it is no leak, and in the way all the same. */
static void not_accepted_occupant(struct stage *s)
{
	const json_t *event;
	int fd;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	fd = stage_connects(s, CLIENT_PORT);
	must(mine_abandon(fd), "let the client vanish");

	stage_connects(s, CLIENT_PORT);
	event = daemon_event(&s->daemon, "collision");
	assert_int_equal(event_number(event, "inode"), 0);
	assert_string_equal(event_text(event, "result"), "destroyed");
	stage_accept_from(s, CLIENT_PORT);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"log", log_only, EVERY_WAY, IN_BOTH},
		{"destroy", destroy, EVERY_WAY, IN_BOTH},
		{"drop", drop, EVERY_WAY, IN_BOTH},
		{"reject", reject, EVERY_WAY, IN_BOTH},
		{"reject where resets are dropped", reject_where_resets_are_dropped,
		 V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"destroy where the kernel cannot heal", destroy_where_kernel_cannot_heal,
		 EVERY_WAY, IN_BOTH},
		{"drop until the server closes", drop_until_closed, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"honest mine", honest_mine, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"unread bytes", unread_bytes, V4_ONLY | V6_ONLY, IN_ENFORCE},
		{"occupant that nobody has accepted", not_accepted_occupant, V4_ONLY | V6_ONLY,
		 IN_ENFORCE},
	};

	return stage_run("collision", tests, COUNT_OF(tests), argc, argv);
}
