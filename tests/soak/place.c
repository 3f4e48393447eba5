/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/place.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "netns/check.h"
#include "netns/claimant.h"
#include "netns/stage.h"

#define DIALLED_PORT 9000 /* of redirected places, SERVER_PORT below */
#define BACKLOG	     1024
#define FOREIGN_NET  "198.51.100.0/24"

static const struct {
	const char *name, *client_net, *dialled, *listener;
} ways[THERE_COUNT] = {
	[THERE_V4] = {"IPv4", "127.0.0.", "127.0.0.1", "127.0.0.1"},
	[THERE_V6] = {"IPv6", "fd00::", "::1", "::1"},
	[THERE_DUAL] = {"dual-stack", "127.0.0.", "127.0.0.1", "::"},
	[THERE_MAPPED] = {"v4-mapped", "::ffff:127.0.0.", "::ffff:127.0.0.1", "127.0.0.1"},
	[THERE_REDIRECTED] = {"redirected", "127.0.0.", "127.0.0.1", "127.0.0.1"},
	[THERE_FOREIGN] = {"transparent", "198.51.100.", "127.0.0.1", "127.0.0.1"},
};

static void run_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a command given as one line of words. */
static void run_line(const char *format, ...)
{
	const char *argv[24];
	char words[256], *word, *rest;
	size_t n = 0;
	va_list ap;

	va_start(ap, format);
	assert_in_range(vsnprintf(words, sizeof(words), format, ap), 1, sizeof(words) - 1);
	va_end(ap);
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n + 1 < COUNT_OF(argv));
		argv[n++] = word;
	}
	argv[n] = NULL;
	if (run_command(argv) != 0)
		fail_msg("failed: %s ...", argv[0]);
}

static void set(const char *name, const char *value)
{
	if (netns_sysctl_set(name, value) < 0)
		fail_msg("cannot set net/%s to %s", name, value);
}

/* As transparent proxies do: what goes to the foreign network comes back to this host. */
static void be_transparent(void)
{
	run_line("ip route add default dev lo");
	run_line("ip rule add fwmark 7 lookup 100");
	run_line("ip route add local default dev lo table 100");
	run_line("iptables -w -t mangle -A OUTPUT -d " FOREIGN_NET " -j MARK --set-mark 7");
}

static void prepare_namespace(void)
{
	char range[32];

	snprintf(range, sizeof(range), "%d %d", SOURCE_PORT_FIRST,
		 SOURCE_PORT_FIRST + SOURCE_PORTS - 1);
	set("ipv4/ip_local_port_range", range);
	/* The shortest there is: a client that closed is gone, and its port free, a second later. */
	set("ipv4/tcp_fin_timeout", "1");
	be_transparent();
}

/* Connection tracking forgets a half-closed connection after a minute; the soak takes longer. */
static void keep_tracked(void)
{
	set("netfilter/nf_conntrack_tcp_timeout_close_wait", "86400");
	set("netfilter/nf_conntrack_tcp_timeout_fin_wait", "86400");
	set("netfilter/nf_conntrack_tcp_timeout_last_ack", "86400");
}

static void redirect(uint16_t from, uint16_t to)
{
	run_line("iptables -w -t nat -A OUTPUT -p tcp --dport %u -j REDIRECT --to-ports %u", from,
		 to);
}

static void make_place(struct place *place, int index, bool tracks)
{
	const uint16_t port = (uint16_t)(SERVER_PORT + index);
	const int on = 1;
	union endpoint at;
	char address[64];

	place->way = (enum way_there)(index % THERE_COUNT);
	place->redirected = tracks && place->way == THERE_REDIRECTED;
	place->waits = index >= THERE_COUNT;
	snprintf(address, sizeof(address), "%s%d", ways[place->way].client_net, 10 + index);
	place->client = stage_end(address, 0);
	place->answered = stage_end(ways[place->way].dialled, port);
	place->dialled = place->answered;
	if (place->redirected) {
		endpoint_set_port(&place->dialled, (uint16_t)(DIALLED_PORT + index));
		redirect((uint16_t)(DIALLED_PORT + index), port);
	}
	if (place->way == THERE_V6)
		run_line("ip addr add %s/128 dev lo nodad", address);
	at = stage_end(ways[place->way].listener, port);
	place->listener = must(sock_listen(&at, BACKLOG, place->way == THERE_V6), "listen");
	fcntl(place->listener, F_SETFL, O_NONBLOCK);
	assert_int_equal(setsockopt(place->listener, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on)),
			 0);
}

void places_make(struct place places[PLACES], bool tracks)
{
	prepare_namespace();
	for (int i = 0; i < PLACES; i++)
		make_place(&places[i], i, tracks);
	if (tracks)
		keep_tracked();
}

void places_queue_foreign(void)
{
	run_line("iptables -w -t mangle -I INPUT 1 -i lo -p tcp --syn -s " FOREIGN_NET
		 " -j NFQUEUE --queue-num %d --queue-bypass",
		 QUEUE_NUMBER);
}

int place_dial(const struct place *place, uint16_t port)
{
	union endpoint client = place->client;

	endpoint_set_port(&client, port);
	if (place->way == THERE_FOREIGN)
		return claimant_foreign(&client, &place->dialled);
	return sock_connect_start(&client, &place->dialled);
}

const char *place_name(const struct place *place)
{
	return ways[place->way].name;
}
