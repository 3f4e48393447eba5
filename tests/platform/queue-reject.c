/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reject action: ACCEPT with a mark in mangle INPUT, a REJECT rule for the mark in filter INPUT. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/monotime.h"
#include "lib/run.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "scene.h"
#include "testqueue.h"

#define MARK 0x40000000

static void collide(int nl, const char *address, uint32_t mark, struct mine *mine, int want)
{
	long long challenges = snmp_counter("TcpExt", "TCPSYNChallenge");
	struct testqueue_packet packet;
	int fd = must(sock_connect_start(&mine->client, &mine->server), "begin to connect"), rc;
	char name[128];
	int64_t start;

	must(testqueue_receive(nl, 2000, &packet), "receive the SYN");
	start = mono_ns();
	must(testqueue_verdict(nl, TESTQUEUE, packet.id, NF_ACCEPT, mark), "give a verdict");
	rc = sock_connect_finish(fd, 5000);
	sock_reset(fd);
	snprintf(name, sizeof(name), "%s, %s", address, mark ? "ACCEPT with mark" : "ACCEPT");
	fact_is(name, errname(want), "%s", errname(rc));
	fact("  after ms", "%.3f", (double)(mono_ns() - start) / 1e6);
	if (!mark)
		return;
	fact_is("  the occupant then", "CLOSE_WAIT", "%s",
		sockdiag_state_name(sock_state(mine->fd)));
	fact_is("  TCPSYNChallenge", "+0", "+%lld",
		(long long)snmp_counter("TcpExt", "TCPSYNChallenge") - challenges);
}

static void reject(int family, const char *address)
{
	struct mine mine;
	int listener, nl;

	listener = scene_listen(address);
	mine = scene_mine(listener, address, CLIENT_PORT);
	testqueue_rule(family);
	need(run_iptables(family, "-A", "INPUT", "-p", "tcp", "-m", "mark", "--mark",
			  "0x40000000/0x40000000", "-j", "REJECT", "--reject-with", "tcp-reset",
			  NULL),
	     "iptables with REJECT");
	nl = testqueue_bind(64, 0);
	collide(nl, address, MARK, &mine, ECONNREFUSED);
	close(nl);
	close(mine.fd);
	close(listener);
}

int main(void)
{
	fact_begin("queue-reject");
	reject(AF_INET, "127.0.0.1");
	reject(AF_INET6, "::1");
	return fact_end();
}
