/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Behind a REDIRECT the claimant's socket has the original destination, which the SYN in INPUT no
 * longer shows. Which questions find it by the SYN's source alone? The claimant may be an AF_INET
 * socket, or an AF_INET6 one that connects to a ::ffff: address.
 */
#include "config.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <stdio.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "scene.h"

/* Where the clients connect to; the rule sends them to SERVER_PORT. */
#define FRONT_PORT 9000

#define MAX_FOUND 8

/* "1 SYN_SENT", the sockets that a dump finds. */
static const char *dump(int nl, int family, bool legacy, const union endpoint *source)
{
	struct inet_diag_req_v2 req = sockdiag_request(source, source);
	struct sockdiag_info found[MAX_FOUND];
	static char text[64];
	int count;

	req.sdiag_family = (uint8_t)family;
	req.id = (struct inet_diag_sockid){0}; /* the filter alone chooses */
	count = sockdiag_dump_from(nl, &req, source, legacy, found, MAX_FOUND);
	if (count < 0)
		snprintf(text, sizeof(text), "%s", errname(count));
	else
		snprintf(text, sizeof(text), "%d%s%s", count, count ? " " : "",
			 count ? sockdiag_state_name(found[0].msg.idiag_state) : "");
	return text;
}

/* Through the rule, so that conntrack knows the tuple and does not choose another source port. */
static struct mine plant(int listener, uint16_t port)
{
	union endpoint src = scene_endpoint("127.0.0.1", port);
	union endpoint front = scene_endpoint("127.0.0.1", FRONT_PORT);
	struct mine mine;

	must(mine_plant(listener, &src, &front, &mine), "plant a mine through the REDIRECT");
	return mine;
}

/* A claimant whose SYN stays unanswered: its occupant's challenge ACK is dropped. */
static int claim(const union endpoint *source, const union endpoint *front)
{
	int fd = must(sock_connect_start(source, front), "begin to connect");

	must(sock_state(fd) == TCP_SYN_SENT ? 0 : -EISCONN, "see the claimant in SYN_SENT");
	return fd;
}

static void exact_lookups(int nl, const union endpoint *source)
{
	union endpoint server = scene_endpoint("127.0.0.1", SERVER_PORT);
	union endpoint front = scene_endpoint("127.0.0.1", FRONT_PORT);
	struct inet_diag_req_v2 req = sockdiag_request(&server, source);

	fact_is("exact lookup of the occupant, as the SYN in INPUT has it", "CLOSE_WAIT", "%s",
		scene_lookup(nl, &req));
	req = sockdiag_request(source, &server);
	fact_is("exact lookup of the claimant, as the SYN in INPUT has it", "ENOENT", "%s",
		scene_lookup(nl, &req));
	req = sockdiag_request(source, &front);
	fact_is("exact lookup of the claimant with the original destination", "SYN_SENT", "%s",
		scene_lookup(nl, &req));
}

static void dumps(int nl, const char *claimant, const union endpoint *source, const char *want_v4,
		  const char *want_v6)
{
	union endpoint mapped = endpoint_mapped(source);
	char name[128];

	snprintf(name, sizeof(name), "%s claimant: AF_INET dump, filter 127.0.0.1", claimant);
	fact_is(name, want_v4, "%s", dump(nl, AF_INET, false, source));
	snprintf(name, sizeof(name), "%s claimant: AF_INET6 dump, filter 127.0.0.1", claimant);
	fact_is(name, want_v6, "%s", dump(nl, AF_INET6, false, source));
	snprintf(name, sizeof(name), "%s claimant: AF_INET6 dump, filter ::ffff:127.0.0.1",
		 claimant);
	fact_is(name, want_v6, "%s", dump(nl, AF_INET6, false, &mapped));
	snprintf(name, sizeof(name), "%s claimant: AF_UNSPEC dump", claimant);
	fact(name, "%s", dump(nl, AF_UNSPEC, false, source));
	snprintf(name, sizeof(name), "%s claimant: TCPDIAG_GETSOCK dump, filter 127.0.0.1",
		 claimant);
	fact_is(name, "1 SYN_SENT", "%s", dump(nl, AF_INET, true, source));
}

int main(void)
{
	union endpoint source, mapped_source, front, mapped_front;
	struct mine first, second;
	int nl, listener, fd;

	fact_begin("redirect-claimant");
	need(run_iptables(AF_INET, "-t", "nat", "-A", "OUTPUT", "-d", "127.0.0.1", "-p", "tcp",
			  "--dport", "9000", "-j", "REDIRECT", "--to-ports", "8000", NULL),
	     "iptables with REDIRECT");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	first = plant(listener, CLIENT_PORT);
	second = plant(listener, CLIENT_PORT + 1);
	need(run_iptables(AF_INET, "-A", "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "SYN,RST,FIN,PSH,ACK", "ACK", "-j", "DROP", NULL),
	     "iptables");

	source = first.client;
	front = scene_endpoint("127.0.0.1", FRONT_PORT);
	fd = claim(&source, &front);
	exact_lookups(nl, &source);
	dumps(nl, "AF_INET", &source, "1 SYN_SENT", "0");
	sock_reset(fd);

	source = second.client;
	mapped_source = endpoint_mapped(&source);
	mapped_front = endpoint_mapped(&front);
	fd = claim(&mapped_source, &mapped_front);
	exact_lookups(nl, &source);
	dumps(nl, "AF_INET6", &source, "0", "1 SYN_SENT");
	sock_reset(fd);

	close(first.fd);
	close(second.fd);
	close(listener);
	return fact_end();
}
