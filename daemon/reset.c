/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel keeps where in the packet its TCP header begins, whatever becomes of the bytes
 * (nfqnl_mangle()), so the IP header stays as long as it was, options and all.
 */
#include "config.h"

#include "reset.h"

#include <arpa/inet.h>
#include <libnetfilter_queue/libnetfilter_queue_ipv4.h>
#include <libnetfilter_queue/libnetfilter_queue_tcp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

/* segment_len is that of the SYN's segment, its header included. */
static struct tcphdr answer_to(enum reset reset, const uint8_t *segment, size_t segment_len,
			       const struct tuple *claimant)
{
	struct tcphdr syn;
	uint32_t taken = 0;

	memcpy(&syn, segment, sizeof(syn));
	/* A SYN counts as one byte, and data may come with it (RFC 7413). */
	if (reset == RESET_REFUSES)
		taken = 1 + (uint32_t)(segment_len - syn.doff * 4U);
	return (struct tcphdr){
		.source = claimant->dst.port,
		.dest = claimant->src.port,
		.ack_seq = htonl(ntohl(syn.seq) + taken),
		.doff = sizeof(syn) / 4,
		.rst = 1,
		.ack = 1,
	};
}

static size_t answer_v4(enum reset reset, const uint8_t *syn, const struct tuple *claimant,
			uint8_t *packet)
{
	union {
		struct iphdr ip;
		uint8_t bytes[RESET_MAX];
	} answer;
	struct iphdr *ip = &answer.ip;
	struct tcphdr tcp;
	size_t ip_len, len;

	memcpy(ip, syn, sizeof(*ip));
	ip_len = ip->ihl * 4U;
	len = ip_len + sizeof(tcp);
	memcpy(answer.bytes, syn, ip_len);
	tcp = answer_to(reset, syn + ip_len, ntohs(ip->tot_len) - ip_len, claimant);
	ip->saddr = addr_to_v4(&claimant->dst.addr);
	ip->daddr = addr_to_v4(&claimant->src.addr);
	ip->tot_len = htons((uint16_t)len);
	nfq_ip_set_checksum(ip);
	memcpy(answer.bytes + ip_len, &tcp, sizeof(tcp));
	nfq_tcp_compute_checksum_ipv4((struct tcphdr *)(void *)(answer.bytes + ip_len), ip);
	memcpy(packet, answer.bytes, len);
	return len;
}

static size_t answer_v6(enum reset reset, const uint8_t *syn, const struct tuple *claimant,
			uint8_t *packet)
{
	struct {
		struct ip6_hdr ip;
		struct tcphdr tcp;
	} answer;

	memcpy(&answer.ip, syn, sizeof(answer.ip));
	answer.tcp = answer_to(reset, syn + sizeof(answer.ip), ntohs(answer.ip.ip6_plen), claimant);
	answer.ip.ip6_src = claimant->dst.addr;
	answer.ip.ip6_dst = claimant->src.addr;
	answer.ip.ip6_plen = htons(sizeof(answer.tcp));
	nfq_tcp_compute_checksum_ipv6(&answer.tcp, &answer.ip);
	memcpy(packet, &answer, sizeof(answer));
	return sizeof(answer);
}

size_t reset_make(enum reset reset, const uint8_t *syn, const struct tuple *claimant,
		  uint8_t ret_packet[static RESET_MAX])
{
	return syn[0] >> 4 == 4 ? answer_v4(reset, syn, claimant, ret_packet)
				: answer_v6(reset, syn, claimant, ret_packet);
}
