/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NFQA_SKB_INFO says of a SYN's checksum, with and without NFQA_CFG_F_GSO: can a SYN that a
 * TCP socket of this host has made be told from one written to a raw socket?
 */
#include "config.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fact.h"
#include "lib/sockets.h"
#include "scene.h"
#include "testqueue.h"

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
};

static uint32_t add_words(uint32_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* The checksum over the pseudo header and the TCP header, whose length is even. */
static uint16_t tcp_checksum(const struct segment *segment)
{
	uint32_t sum = add_words(IPPROTO_TCP + sizeof(segment->tcp), &segment->ip.saddr, 8);

	sum = add_words(sum, &segment->tcp, sizeof(segment->tcp));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* A SYN from a raw socket, the checksum right or wrong. */
static void send_raw(bool right)
{
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	struct segment segment = {
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_TCP,
		       .saddr = dst.v4.sin_addr.s_addr,
		       .daddr = dst.v4.sin_addr.s_addr},
		.tcp = {.source = htons(CLIENT_PORT),
			.dest = htons(SERVER_PORT),
			.seq = htonl(1),
			.doff = 5,
			.syn = 1,
			.window = htons(1024)},
	};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	must(fd < 0 ? -errno : 0, "open a raw socket");
	segment.tcp.check = tcp_checksum(&segment);
	if (!right)
		segment.tcp.check ^= 0x5555;
	must(sendto(fd, &segment, sizeof(segment), 0, &dst.sa, sizeof(dst.v4)) < 0 ? -errno : 0,
	     "send a raw SYN");
	close(fd);
}

static const char *info_name(uint32_t info)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s%s%s%s", info & NFQA_SKB_CSUMNOTREADY ? "CSUMNOTREADY" : "",
		 info & NFQA_SKB_GSO ? "GSO" : "",
		 info & NFQA_SKB_CSUM_NOTVERIFIED ? "CSUM_NOTVERIFIED" : "",
		 info ? "" : "no attribute");
	return text;
}

static void take(int nl, const char *name, const char *want)
{
	struct testqueue_packet packet;

	must(testqueue_receive(nl, 2000, &packet), "receive the SYN");
	fact_is(name, want, "%s", info_name(packet.skb_info));
	must(testqueue_verdict(nl, TESTQUEUE, packet.id, NF_DROP), "give a verdict");
}

static void measure(uint32_t flags, const char *const names[3], const char *const want[3])
{
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	int fd, nl = testqueue_bind(64, flags);

	fd = must(sock_connect_start(NULL, &dst), "begin to connect");
	take(nl, names[0], want[0]);
	sock_reset(fd);
	send_raw(true);
	take(nl, names[1], want[1]);
	send_raw(false);
	take(nl, names[2], want[2]);
	close(nl);
}

int main(void)
{
	static const char *const plain[] = {"no flag: SYN of a TCP socket", "no flag: raw SYN",
					    "no flag: raw SYN, wrong checksum"};
	static const char *const gso[] = {"F_GSO: SYN of a TCP socket", "F_GSO: raw SYN",
					  "F_GSO: raw SYN, wrong checksum"};
	static const char *const want_plain[] = {"no attribute", "CSUM_NOTVERIFIED",
						 "CSUM_NOTVERIFIED"};
	static const char *const want_gso[] = {"CSUMNOTREADY", "CSUM_NOTVERIFIED",
					       "CSUM_NOTVERIFIED"};
	int listener;

	fact_begin("queue-checksum");
	testqueue_rule(AF_INET);
	listener = scene_listen("127.0.0.1");
	measure(0, plain, want_plain);
	measure(NFQA_CFG_F_GSO, gso, want_gso);
	close(listener);
	return fact_end();
}
