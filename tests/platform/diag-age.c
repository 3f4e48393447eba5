/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a socket has been in CLOSE_WAIT: which clock of tcp_info says it, and what moves it. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "fact.h"
#include "lib/monotime.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "scene.h"

/* The kernel counts in jiffies (10 ms at HZ=100), and we are not alone on the machine. */
#define SLACK_MS 150

/* From the client's data to its FIN: far more than the slack. */
#define PAUSE_MS 500

/* Long enough for the SYN and one retransmission. */
#define COLLIDE_MS 1500

static struct tcp_info ask(int nl, const struct mine *mine)
{
	const struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;

	must(sockdiag_get(nl, &req, &info), "look the mine up");
	must(info.msg.idiag_state == TCP_CLOSE_WAIT ? 0 : -ENOTCONN, "find it in CLOSE_WAIT");
	return info.tcp;
}

static bool armed(void *arg)
{
	return mine_is_armed(*(int *)arg);
}

/* A mine whose client paused between its data and its FIN. */
static struct mine plant(int listener, int64_t *ret_fin_ns)
{
	struct mine mine = {
		.client = scene_endpoint("127.0.0.1", CLIENT_PORT),
		.server = scene_endpoint("127.0.0.1", SERVER_PORT),
	};
	int client = must(sock_connect(&mine.client, &mine.server, 3000), "connect");

	mine.fd = must(sock_accept(listener, 3000), "accept");
	must(write(client, "x", 1) < 0 ? -errno : 0, "send data");
	poll(NULL, 0, PAUSE_MS); /* the time that passes is what is measured */
	*ret_fin_ns = mono_ns();
	must(mine_arm(client), "send the FIN");
	must(wait_until(armed, &client, 3000), "see the FIN acknowledged");
	must(mine_vanish(client), "let the client vanish");
	return mine;
}

static void report(int nl, const struct mine *mine, int64_t fin_ns, const char *name)
{
	struct tcp_info tcp = ask(nl, mine);
	long age = (long)((mono_ns() - fin_ns) / 1000000);
	long off = (long)tcp.tcpi_last_ack_recv - age;

	fact_holds(
		off > -SLACK_MS && off < SLACK_MS, name,
		"FIN %ld ms ago, last_ack_recv %u ms, last_data_recv %u ms, last_data_sent %u ms",
		age, tcp.tcpi_last_ack_recv, tcp.tcpi_last_data_recv, tcp.tcpi_last_data_sent);
}

int main(void)
{
	struct mine mine;
	int nl, listener;
	int64_t fin_ns;
	double ms;

	fact_begin("diag-age");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	mine = plant(listener, &fin_ns);
	report(nl, &mine, fin_ns, "a new mine");
	/* Without the challenge ACK the collision does not end the occupant. */
	need(run_iptables(AF_INET, "-A", "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "SYN,RST,FIN,PSH,ACK", "ACK", "-j", "DROP", NULL),
	     "iptables");
	must(scene_collide(&mine, COLLIDE_MS, &ms) == -EINPROGRESS ? 0 : -EALREADY,
	     "collide without being healed");
	report(nl, &mine, fin_ns, "after colliding SYNs");
	close(mine.fd);
	return fact_end();
}
