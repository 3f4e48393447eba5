/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in the kernel for every packet that comes in on lo, and marks the SYNs whose tuple is held
 * by a socket in one of the wanted states. It decides nothing: the daemon looks again.
 *
 * What the daemon would not judge passes unmarked: fragments, and IPv6 packets with extension
 * headers (packet.c says why). The socket look-up takes lo for the interface, so a link-local
 * connection, whose sockets are bound to another one, would not be found: those SYNs are all
 * marked.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "prefilter_shared.h"

struct prefilter_shared shared SEC(PREFILTER_SECTION);

#define FRAGMENT_BITS 0x3fff /* more fragments, or an offset (RFC 791) */

static __u32 slot(void)
{
	return bpf_get_smp_processor_id() % PREFILTER_SLOTS;
}

static bool is_plain_syn(const struct tcphdr *tcp)
{
	return tcp->syn && !tcp->ack && !tcp->rst && !tcp->fin;
}

static bool in_wanted_state(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 size)
{
	struct bpf_sock *sk = bpf_skc_lookup_tcp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);
	__u32 state;

	if (!sk)
		return false;
	state = sk->state;
	bpf_sk_release(sk);
	/* FIN_WAIT_2 is kept as TIME_WAIT (tcp_time_wait()); the daemon can tell them apart. */
	if (state == BPF_TCP_TIME_WAIT)
		state = BPF_TCP_FIN_WAIT2;
	return state < 32 && shared.states & (1U << state);
}

/*
 * Headers are read where they are if they lie in one piece, as those that TCP makes do, and are of
 * the usual size; else they are copied.
 */
static bool wanted_v4(struct __sk_buff *skb)
{
	const void *end = (const void *)(long)skb->data_end;
	const struct iphdr *ip = (const void *)(long)skb->data + ETH_HLEN;
	const struct tcphdr *tcp = (const void *)(ip + 1);
	struct bpf_sock_tuple tuple;
	struct tcphdr tcp_copy;
	struct iphdr ip_copy;

	if ((const void *)(tcp + 1) > end || ip->ihl != 5) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip_copy, sizeof(ip_copy)) < 0 ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + ip_copy.ihl * 4, &tcp_copy,
				       sizeof(tcp_copy)) < 0)
			return false;
		ip = &ip_copy;
		tcp = &tcp_copy;
	}
	if (ip->protocol != IPPROTO_TCP || ip->ihl < 5 || ip->frag_off & bpf_htons(FRAGMENT_BITS) ||
	    !is_plain_syn(tcp))
		return false;
	__sync_fetch_and_add(&shared.counts[slot()].syns, 1);
	tuple.ipv4.saddr = ip->saddr;
	tuple.ipv4.daddr = ip->daddr;
	tuple.ipv4.sport = tcp->source;
	tuple.ipv4.dport = tcp->dest;
	return in_wanted_state(skb, &tuple, sizeof(tuple.ipv4));
}

static bool is_linklocal(const struct in6_addr *addr)
{
	return (addr->s6_addr32[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static bool wanted_v6(struct __sk_buff *skb)
{
	const void *end = (const void *)(long)skb->data_end;
	const struct ipv6hdr *ip = (const void *)(long)skb->data + ETH_HLEN;
	const struct tcphdr *tcp = (const void *)(ip + 1);
	struct bpf_sock_tuple tuple;
	struct tcphdr tcp_copy;
	struct ipv6hdr ip_copy;

	if ((const void *)(tcp + 1) > end) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip_copy, sizeof(ip_copy)) < 0 ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(ip_copy), &tcp_copy,
				       sizeof(tcp_copy)) < 0)
			return false;
		ip = &ip_copy;
		tcp = &tcp_copy;
	}
	if (ip->nexthdr != IPPROTO_TCP || !is_plain_syn(tcp))
		return false;
	__sync_fetch_and_add(&shared.counts[slot()].syns, 1);
	if (is_linklocal(&ip->daddr) || is_linklocal(&ip->saddr))
		return true;
	__builtin_memcpy(tuple.ipv6.saddr, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(tuple.ipv6.daddr, &ip->daddr, sizeof(ip->daddr));
	tuple.ipv6.sport = tcp->source;
	tuple.ipv6.dport = tcp->dest;
	return in_wanted_state(skb, &tuple, sizeof(tuple.ipv6));
}

/* Most packets are no SYN, and show it in headers of the usual size that lie in one piece. */
static bool is_surely_no_syn(const struct __sk_buff *skb)
{
	const void *data = (const void *)(long)skb->data;
	const void *end = (const void *)(long)skb->data_end;
	const struct tcphdr *tcp;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ip = data + ETH_HLEN;

		tcp = (const void *)(ip + 1);
		if ((const void *)tcp > end || ip->protocol != IPPROTO_TCP || ip->ihl != 5)
			return false;
	} else {
		const struct ipv6hdr *ip = data + ETH_HLEN;

		tcp = (const void *)(ip + 1);
		if ((const void *)tcp > end || ip->nexthdr != IPPROTO_TCP)
			return false;
	}
	return (const void *)(tcp + 1) <= end && !tcp->syn;
}

SEC("tc")
int closewaitd_mark(struct __sk_buff *skb)
{
	bool wanted = false;

	/* To the next program, if any: tcx's TCX_NEXT has the same value. */
	if (is_surely_no_syn(skb))
		return TC_ACT_UNSPEC;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		wanted = wanted_v4(skb);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		wanted = wanted_v6(skb);
	if (wanted) {
		skb->mark |= shared.mark;
		__sync_fetch_and_add(&shared.counts[slot()].marked, 1);
	}
	return TC_ACT_UNSPEC;
}

char license_of_program[] SEC("license") = "GPL";
