/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suites plant their mines with TCP_REPAIR: is such a mine what an honest client leaves? */
#include "config.h"

#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "scene.h"

static void describe(int nl, const char *way, const struct mine *mine)
{
	const struct inet_diag_req_v2 server = sockdiag_request(&mine->server, &mine->client);
	const struct inet_diag_req_v2 client = sockdiag_request(&mine->client, &mine->server);

	fact_is(way, "server CLOSE_WAIT, client ENOENT", "server %s, client %s",
		scene_lookup(nl, &server), scene_lookup(nl, &client));
}

/* Segments that a dying connection might have sent and must not. */
static long long resets(void)
{
	return snmp_counter("Tcp", "OutRsts") + snmp_counter("Tcp", "EstabResets");
}

static void collide(int listener, const char *name, const struct mine *mine)
{
	double ms;
	int rc = scene_collide(mine, 5000, &ms);

	fact_is(name, "connect OK, occupant EPIPE", "connect %s, occupant %s", errname(rc),
		errname(sock_error(mine->fd)));
	close(must(sock_accept(listener, 3000), "accept"));
	close(mine->fd);
}

int main(void)
{
	union endpoint src, dst;
	struct mine fast, honest;
	long long before;
	int nl, listener;
	int64_t start;

	fact_begin("mine-fixture");
	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	before = resets();

	start = mono_ns();
	fast = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	fact("TCP_REPAIR, ms", "%.1f", (double)(mono_ns() - start) / 1e6);
	describe(nl, "TCP_REPAIR", &fast);

	src = scene_endpoint("127.0.0.1", CLIENT_PORT + 1);
	dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	start = mono_ns();
	must(mine_plant_honest(listener, &src, &dst, &honest), "plant an honest mine");
	fact_holds(mono_ns() - start > 900000000, "tcp_fin_timeout of 1 s, ms", "%.1f",
		   (double)(mono_ns() - start) / 1e6);
	describe(nl, "tcp_fin_timeout", &honest);

	fact_is("resets sent meanwhile", "0", "%lld", resets() - before);
	collide(listener, "a SYN that meets the TCP_REPAIR mine", &fast);
	collide(listener, "a SYN that meets the honest mine", &honest);
	return fact_end();
}
