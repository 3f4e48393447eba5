/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What takes the place of a held SYN, with the verdict STOP, which lets no later rule see it: a reset
 * that refuses the connection, and one that acknowledges nothing and makes the client send its SYN
 * again long before it would by itself.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_queue/libnetfilter_queue_ipv4.h>
#include <libnetfilter_queue/libnetfilter_queue_tcp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/monotime.h"
#include "lib/run.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "scene.h"
#include "testqueue.h"

/* Both ends have the same address here, so that the IP header stays, but for its length. */
static size_t make_reset(const struct testqueue_packet *syn, bool refuses, uint8_t *packet)
{
	const bool v4 = syn->payload[0] >> 4 == 4;
	const size_t ip_len = v4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	struct iphdr *ip = (void *)packet;
	struct ip6_hdr *ip6 = (void *)packet;
	struct tcphdr *tcp = (void *)(packet + ip_len);
	struct tcphdr of_syn;

	memcpy(packet, syn->payload, ip_len);
	memcpy(&of_syn, syn->payload + ip_len, sizeof(of_syn));
	*tcp = (struct tcphdr){
		.source = of_syn.dest,
		.dest = of_syn.source,
		.ack_seq = htonl(ntohl(of_syn.seq) + refuses),
		.doff = sizeof(*tcp) / 4,
		.rst = 1,
		.ack = 1,
	};
	if (v4) {
		ip->tot_len = htons((uint16_t)(ip_len + sizeof(*tcp)));
		nfq_ip_set_checksum(ip);
		nfq_tcp_compute_checksum_ipv4(tcp, ip);
	} else {
		ip6->ip6_plen = htons(sizeof(*tcp));
		nfq_tcp_compute_checksum_ipv6(tcp, ip6);
	}
	return ip_len + sizeof(*tcp);
}

static void collide(int nl, const char *name, struct mine *mine)
{
	_Alignas(struct ip6_hdr) uint8_t reset[64];
	long long challenges = snmp_counter("TcpExt", "TCPSYNChallenge");
	struct testqueue_packet packet;
	int fd = must(sock_connect_start(&mine->client, &mine->server), "begin to connect"), rc;
	int64_t start;
	size_t len;

	must(testqueue_receive(nl, 2000, &packet), "receive the SYN");
	len = make_reset(&packet, true, reset);
	start = mono_ns();
	must(testqueue_replace(nl, TESTQUEUE, packet.id, NF_STOP, reset, len), "give a verdict");
	rc = sock_connect_finish(fd, 5000);
	sock_reset(fd);
	fact_is(name, "ECONNREFUSED", "%s", errname(rc));
	fact("  after ms", "%.3f", (double)(mono_ns() - start) / 1e6);
	fact_is("  the occupant then", "CLOSE_WAIT", "%s",
		sockdiag_state_name(sock_state(mine->fd)));
	fact_is("  TCPSYNChallenge", "+0", "+%lld",
		(long long)snmp_counter("TcpExt", "TCPSYNChallenge") - challenges);
}

static uint32_t sequence_of(const struct testqueue_packet *syn)
{
	size_t ip_len = syn->payload[0] >> 4 == 4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	struct tcphdr tcp;

	memcpy(&tcp, syn->payload + ip_len, sizeof(tcp));
	return ntohl(tcp.seq);
}

/* By itself the client would wait for a second (RFC 6298). */
static void repeat(int nl, const char *name, const struct mine *mine)
{
	_Alignas(struct ip6_hdr) uint8_t reset[64];
	struct testqueue_packet packet, again;
	int64_t start;
	int fd, rc;

	fd = must(sock_connect_start(&mine->client, &mine->server), "begin to connect");
	must(testqueue_receive(nl, 2000, &packet), "receive the SYN");
	start = mono_ns();
	must(testqueue_replace(nl, TESTQUEUE, packet.id, NF_STOP, reset,
			       make_reset(&packet, false, reset)),
	     "give a verdict");
	rc = testqueue_receive(nl, 2000, &again);
	fact_is(name, "the same SYN", "%s",
		rc < 0					      ? errname(rc)
		: sequence_of(&again) == sequence_of(&packet) ? "the same SYN"
							      : "another one");
	fact_holds(mono_ns() - start < 700 * (int64_t)1000000, "  after ms", "%.3f",
		   (double)(mono_ns() - start) / 1e6);
	fact_is("  the client meanwhile", "SYN_SENT", "%s", sockdiag_state_name(sock_state(fd)));
	if (rc == 0)
		must(testqueue_verdict(nl, TESTQUEUE, again.id, NF_DROP), "give a verdict");
	sock_reset(fd);
}

static void drop_resets(int family, const char *chain)
{
	need(run_iptables(family, "-A", chain, "-p", "tcp", "--tcp-flags", "RST", "RST", "-j",
			  "DROP", NULL),
	     "iptables");
}

static void reject(int family, const char *address)
{
	struct mine mine;
	char name[128];
	int listener, nl;

	listener = scene_listen(address);
	mine = scene_mine(listener, address, CLIENT_PORT);
	testqueue_rule(family);
	nl = testqueue_bind(64, 0);
	snprintf(name, sizeof(name), "%s, a reset in the SYN's place", address);
	collide(nl, name, &mine);
	drop_resets(family, "INPUT");
	drop_resets(family, "OUTPUT");
	snprintf(name, sizeof(name), "%s, the same, and every reset is dropped", address);
	collide(nl, name, &mine);
	snprintf(name, sizeof(name), "%s, one that acknowledges nothing brings", address);
	repeat(nl, name, &mine);
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
