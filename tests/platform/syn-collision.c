/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a client whose SYN meets a CLOSE_WAIT socket, with and without our help. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "scene.h"

/* One retransmission: the client's own ETIMEDOUT comes after 2 s or 3 s, by kernel. */
#define SYN_RETRIES "1"
#define PATIENCE_MS 10000

static void drop_rst(const char *verb)
{
	need(run_iptables(AF_INET, verb, "INPUT", "-p", "tcp", "--dport", "8000", "--tcp-flags",
			  "RST", "RST", "-j", "DROP", NULL),
	     "iptables");
}

static void drop_bare_ack(const char *verb)
{
	need(run_iptables(AF_INET, verb, "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "SYN,RST,FIN,PSH,ACK", "ACK", "-j", "DROP", NULL),
	     "iptables");
}

static long long challenges(void)
{
	return snmp_counter("TcpExt", "TCPSYNChallenge");
}

/* The collision's connection, if there was one, must not wait in the accept queue. */
static void empty_queue(int listener)
{
	int fd = sock_accept(listener, 100);

	if (fd >= 0)
		close(fd);
}

static void stock(int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	long long before = challenges();
	double ms;

	fact_is("no firewall", "OK", "%s", errname(scene_collide(&mine, PATIENCE_MS, &ms)));
	fact("no firewall, after ms", "%.1f", ms);
	fact_is("no firewall, TCPSYNChallenge", "+1", "+%lld", challenges() - before);
	fact_is("no firewall, SO_ERROR of the occupant", "EPIPE", "%s",
		errname(sock_error(mine.fd)));
	close(mine.fd);
	empty_queue(listener);
}

/*
 * The kernel challenges one SYN in 500 ms (tcp_invalid_ratelimit); and a client that had to
 * retransmit its SYN does not repeat it at once after the reset that heals, but by its timer.
 */
static void second_within_500ms(int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1);
	double ms;
	int rc;

	drop_rst("-A");
	rc = scene_collide(&mine, 1, &ms); /* challenged, not healed */
	drop_rst("-D");
	fact_is("first SYN, RST dropped", "EINPROGRESS", "%s", errname(rc));
	rc = scene_collide(&mine, PATIENCE_MS, &ms);
	fact("second SYN at once, nothing dropped", "%s after %.1f ms", errname(rc), ms);
	close(mine.fd);
	empty_queue(listener);
}

static void never(int listener, uint16_t port, const char *what, void (*rule)(const char *verb))
{
	struct mine mine = scene_mine(listener, "127.0.0.1", port);
	double ms;
	int rc;

	rule("-A");
	rc = scene_collide(&mine, PATIENCE_MS, &ms);
	rule("-D");
	fact_is(what, "ETIMEDOUT, occupant CLOSE_WAIT", "%s, occupant %s", errname(rc),
		sockdiag_state_name(sock_state(mine.fd)));
	fact("  after ms, tcp_syn_retries being " SYN_RETRIES, "%.0f", ms);
	close(mine.fd);
}

/* What closewaitd does, under the two firewalls that make the stock kernel fail. */
static void destroyed_first(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 4);
	struct inet_diag_req_v2 req = sockdiag_request(&mine.server, &mine.client);
	long long before = challenges();
	struct sockdiag_info info;
	double ms;

	drop_rst("-A");
	must(sockdiag_get(nl, &req, &info), "look the mine up");
	memcpy(req.id.idiag_cookie, info.msg.id.idiag_cookie, sizeof(req.id.idiag_cookie));
	if (sockdiag_destroy(nl, &req) == -EOPNOTSUPP)
		fact_skip("this kernel is built without CONFIG_INET_DIAG_DESTROY");
	fact_is("occupant destroyed, then the SYN", "OK", "%s",
		errname(scene_collide(&mine, PATIENCE_MS, &ms)));
	fact_holds(ms < 500, "occupant destroyed, after ms", "%.3f", ms);
	fact_is("occupant destroyed, TCPSYNChallenge", "+0", "+%lld", challenges() - before);
	drop_rst("-D");
	close(mine.fd);
	empty_queue(listener);
}

int main(void)
{
	int nl, listener;

	fact_begin("syn-collision");
	must(netns_sysctl_set("ipv4/tcp_syn_retries", SYN_RETRIES), "set tcp_syn_retries");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	stock(listener);
	second_within_500ms(listener);
	never(listener, CLIENT_PORT + 2, "RST dropped in INPUT", drop_rst);
	never(listener, CLIENT_PORT + 3, "bare ACK of the server dropped in OUTPUT", drop_bare_ack);
	destroyed_first(nl, listener);
	return fact_end();
}
