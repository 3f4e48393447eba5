/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that connects to its own link-local address: the packets travel over lo, but the sockets
 * are bound to the interface that owns the address, and the exact lookup wants its index.
 */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "scene.h"

#define ADDRESS "fe80::c0de"

/* Packets received by an interface, from /proc/net/dev: "  lo: bytes packets ...". */
static long received(const char *ifname)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	char line[512], name[64];
	long packets, found = -ENODEV;

	while (file && found < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, " %63[^:]: %*s %ld", name, &packets) == 2 &&
		    strcmp(name, ifname) == 0)
			found = packets;
	if (file)
		fclose(file);
	return found;
}

static void set_up(void)
{
	const char *const link[] = {"ip",   "link", "add",  "name", "owner", "type",
				    "veth", "peer", "name", "peer", NULL};
	const char *const address[] = {"ip",  "-6",    "address", "add", ADDRESS "/64",
				       "dev", "owner", "nodad",	  NULL};

	need(run_command(link) ? -EOPNOTSUPP : 0, "the ip command and veth interfaces");
	must(netns_link_up("owner"), "set the interface up");
	must(netns_link_up("peer"), "set its peer up");
	need(run_command(address) ? -EOPNOTSUPP : 0, "IPv6");
}

static void ask(int nl, const char *name, const union endpoint *local, const union endpoint *peer,
		unsigned int ifindex, const char *want)
{
	struct inet_diag_req_v2 req = sockdiag_request(local, peer);

	req.id.idiag_if = ifindex;
	fact_is(name, want, "%s", scene_lookup(nl, &req));
}

int main(void)
{
	unsigned int lo, owner;
	union endpoint src, dst;
	struct inet_diag_req_v2 req;
	struct sockdiag_info info;
	struct mine mine;
	int nl, listener, fd;
	int64_t challenges;
	long on_lo, on_owner;

	fact_begin("link-local");
	set_up();
	lo = if_nametoindex("lo");
	owner = if_nametoindex("owner");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("::");
	src = scene_endpoint(ADDRESS "%owner", CLIENT_PORT);
	dst = scene_endpoint(ADDRESS "%owner", SERVER_PORT);

	on_lo = received("lo");
	on_owner = received("owner");
	must(mine_plant(listener, &src, &dst, &mine), "plant a mine");
	fact_holds(received("lo") - on_lo >= 5, "packets of the connection on lo", "%ld",
		   received("lo") - on_lo);
	fact("packets on the owning interface", "%ld", received("owner") - on_owner);

	ask(nl, "occupant, idiag_if 0", &dst, &src, 0, "LISTEN");
	ask(nl, "occupant, idiag_if of lo", &dst, &src, lo, "LISTEN");
	ask(nl, "occupant, idiag_if of the owning interface", &dst, &src, owner, "CLOSE_WAIT");
	req = sockdiag_request(&dst, &src);
	must(sockdiag_get(nl, &req, &info), "look the occupant up");
	fact_is("idiag_if in the answer", "the owning interface", "%s",
		info.msg.id.idiag_if == owner ? "the owning interface"
		: info.msg.id.idiag_if == lo  ? "lo"
					      : "another");

	need(run_iptables(AF_INET6, "-A", "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "SYN,RST,FIN,PSH,ACK", "ACK", "-j", "DROP", NULL),
	     "ip6tables");
	challenges = snmp_counter("TcpExt", "TCPSYNChallenge");
	fd = must(sock_connect_start(&src, &dst), "begin to connect");
	fact_is("a SYN from its client's port collides (TCPSYNChallenge)", "+1", "+%lld",
		(long long)(snmp_counter("TcpExt", "TCPSYNChallenge") - challenges));
	ask(nl, "claimant, idiag_if 0", &src, &dst, 0, "ENOENT");
	ask(nl, "claimant, idiag_if of lo", &src, &dst, lo, "ENOENT");
	ask(nl, "claimant, idiag_if of the owning interface", &src, &dst, owner, "SYN_SENT");
	sock_reset(fd);
	close(mine.fd);
	close(listener);
	return fact_end();
}
