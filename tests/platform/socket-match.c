/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfilter's socket match without --nowildcard: which SYNs does it match in INPUT? The ones that
 * it matches are rejected here, so that each client tells by itself.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "fact.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "scene.h"

#define CONNECTS 20
#define MINES	 20

/* Connects CONNECTS times from fresh ports; returns how many were matched. */
static int fresh(int listener, const char *address)
{
	union endpoint dst = scene_endpoint(address, SERVER_PORT);
	int matched = 0;

	for (int i = 0; i < CONNECTS; i++) {
		int fd = sock_connect(NULL, &dst, 3000);

		if (fd == -ECONNREFUSED) {
			matched++;
			continue;
		}
		must(fd, "connect");
		close(must(sock_accept(listener, 3000), "accept"));
		close(fd);
	}
	return matched;
}

static void listener_on(const char *at, const char *address, const char *fresh_matched)
{
	int family = scene_endpoint(address, 0).sa.sa_family, matched = 0;
	int listener = scene_listen(at);
	struct mine mines[MINES];
	char name[128], want[32];
	double ms;

	for (int i = 0; i < MINES; i++)
		mines[i] = scene_mine(listener, address, (uint16_t)(CLIENT_PORT + i));
	need(run_iptables(family, "-A", "INPUT", "-p", "tcp", "--dport", "8000", "--syn", "-m",
			  "socket", "-j", "REJECT", "--reject-with", "tcp-reset", NULL),
	     "iptables with the socket match and REJECT");
	snprintf(name, sizeof(name), "listener on %s: ordinary SYNs to %s matched", at, address);
	fact_is(name, fresh_matched, "%d of %d", fresh(listener, address), CONNECTS);
	for (int i = 0; i < MINES; i++)
		matched += scene_collide(&mines[i], 3000, &ms) == -ECONNREFUSED;
	snprintf(name, sizeof(name), "listener on %s: colliding SYNs to %s matched", at, address);
	snprintf(want, sizeof(want), "%d of %d", MINES, MINES);
	fact_is(name, want, "%d of %d", matched, MINES);
	must(run_iptables(family, "-F", "INPUT", NULL), "remove the rule");
	for (int i = 0; i < MINES; i++)
		close(mines[i].fd);
	close(listener);
}

int main(void)
{
	fact_begin("socket-match");
	listener_on("0.0.0.0", "127.0.0.1", "0 of 20");
	listener_on("::", "127.0.0.1", "0 of 20");
	listener_on("::", "::1", "0 of 20");
	listener_on("127.0.0.1", "127.0.0.1", "20 of 20");
	listener_on("::1", "::1", "20 of 20");
	return fact_end();
}
