/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cursor over the bytes hands out headers one after the other (take()); nothing else touches
 * the data. Headers are copied out, since nothing promises their alignment.
 *
 * IPv6 packets with extension headers are passed on unread: a routing header or a home address
 * option changes the addresses after the INPUT hook, so the tuple read here would not be the one
 * that TCP looks up (net/ipv6/exthdrs.c).
 */
#include "config.h"

#include "packet.h"
#include "names.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

struct cursor {
	const uint8_t *data;
	size_t left;
};

static const char *const kind_names[PACKET_KIND_COUNT] = {
	[PACKET_SYN] = "syn",
	[PACKET_SYN_OPTIONS] = "syn-options",
	[PACKET_NOT_IP] = "not-ip",
	[PACKET_TRUNCATED] = "truncated",
	[PACKET_MALFORMED] = "malformed",
	[PACKET_FRAGMENT] = "fragment",
	[PACKET_EXTENSION] = "extension-header",
	[PACKET_NOT_TCP] = "not-tcp",
	[PACKET_NOT_SYN] = "not-syn",
	[PACKET_BAD_CHECKSUM] = "bad-checksum",
};

const char *packet_kind_name(enum packet_kind kind)
{
	return names_get(kind_names, PACKET_KIND_COUNT, kind);
}

/* The next len bytes, or NULL when there are fewer. */
static const uint8_t *take(struct cursor *c, size_t len)
{
	const uint8_t *taken = c->data;

	if (len > c->left)
		return NULL;
	c->data += len;
	c->left -= len;
	return taken;
}

/* One's complement sum over 16-bit words (RFC 1071); an odd last byte counts as the high one. */
static uint32_t sum_bytes(uint32_t sum, const uint8_t *data, size_t len)
{
	for (; len > 1; data += 2, len -= 2)
		sum += (uint32_t)data[0] << 8 | data[1];
	if (len == 1)
		sum += (uint32_t)data[0] << 8;
	return sum;
}

static bool sum_is_valid(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The checksum over the pseudo-header (RFC 9293, 3.1) and the segment. */
static bool tcp_checksum_is_valid(const struct tuple *syn, const uint8_t *segment, size_t len)
{
	bool v4 = addr_is_v4(&syn->src.addr);
	size_t skip = v4 ? 12 : 0;
	uint32_t sum = IPPROTO_TCP + (uint32_t)len;

	sum = sum_bytes(sum, syn->src.addr.s6_addr + skip, 16 - skip);
	sum = sum_bytes(sum, syn->dst.addr.s6_addr + skip, 16 - skip);
	return sum_is_valid(sum_bytes(sum, segment, len));
}

/* segment_len is what the IP header promises; the cursor may hold less of it, or padding. */
static enum packet_kind parse_tcp(struct cursor c, size_t segment_len, bool verify_checksum,
				  struct tuple *syn)
{
	const uint8_t *segment = c.data;
	size_t copied = c.left < segment_len ? c.left : segment_len;
	const uint8_t *bytes;
	struct tcphdr tcp;

	if (segment_len < sizeof(tcp))
		return PACKET_MALFORMED;
	bytes = take(&c, sizeof(tcp));
	if (!bytes)
		return PACKET_TRUNCATED;
	memcpy(&tcp, bytes, sizeof(tcp));
	if (tcp.doff * 4U < sizeof(tcp) || tcp.doff * 4U > segment_len)
		return PACKET_MALFORMED;
	if (tcp.doff * 4U > copied)
		return PACKET_TRUNCATED;
	if (!tcp.syn || tcp.ack || tcp.rst || tcp.fin)
		return PACKET_NOT_SYN;
	if (verify_checksum &&
	    (copied < segment_len || !tcp_checksum_is_valid(syn, segment, segment_len)))
		return PACKET_BAD_CHECKSUM;

	syn->src.port = tcp.source;
	syn->dst.port = tcp.dest;
	return PACKET_SYN;
}

static enum packet_kind parse_v4(struct cursor c, bool verify_checksum, struct tuple *syn)
{
	const uint8_t *start = c.data;
	const uint8_t *bytes = take(&c, sizeof(struct iphdr));
	enum packet_kind kind;
	struct iphdr ip;
	size_t header_len, total_len;

	if (!bytes)
		return PACKET_TRUNCATED;
	memcpy(&ip, bytes, sizeof(ip));
	header_len = ip.ihl * 4U;
	total_len = ntohs(ip.tot_len);
	if (header_len < sizeof(ip) || total_len < header_len)
		return PACKET_MALFORMED;
	if (!take(&c, header_len - sizeof(ip)))
		return PACKET_TRUNCATED;
	if (verify_checksum && !sum_is_valid(sum_bytes(0, start, header_len)))
		return PACKET_BAD_CHECKSUM;
	if (ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK))
		return PACKET_FRAGMENT;
	if (ip.protocol != IPPROTO_TCP)
		return PACKET_NOT_TCP;

	syn->src.addr = addr_from_v4(ip.saddr);
	syn->dst.addr = addr_from_v4(ip.daddr);
	kind = parse_tcp(c, total_len - header_len, verify_checksum, syn);
	return kind == PACKET_SYN && header_len > sizeof(ip) ? PACKET_SYN_OPTIONS : kind;
}

static enum packet_kind parse_v6(struct cursor c, bool verify_checksum, struct tuple *syn)
{
	const uint8_t *bytes = take(&c, sizeof(struct ip6_hdr));
	struct ip6_hdr ip6;

	if (!bytes)
		return PACKET_TRUNCATED;
	memcpy(&ip6, bytes, sizeof(ip6));
	switch (ip6.ip6_nxt) {
	case IPPROTO_TCP:
		break;
	case IPPROTO_FRAGMENT:
		return PACKET_FRAGMENT;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
		return PACKET_EXTENSION;
	default:
		return PACKET_NOT_TCP;
	}
	/* Would be taken for IPv4; the kernel drops such a source itself (ip6_rcv_core()). */
	if (addr_is_v4(&ip6.ip6_src) || addr_is_v4(&ip6.ip6_dst))
		return PACKET_MALFORMED;
	syn->src.addr = ip6.ip6_src;
	syn->dst.addr = ip6.ip6_dst;
	return parse_tcp(c, ntohs(ip6.ip6_plen), verify_checksum, syn);
}

enum packet_kind packet_parse(const uint8_t *data, size_t len, bool verify_checksum,
			      struct tuple *ret_syn)
{
	struct cursor c = {.data = data, .left = len};
	struct tuple syn = {.scope = 0};
	enum packet_kind kind;

	if (len < 1)
		return PACKET_TRUNCATED;
	switch (data[0] >> 4) {
	case 4:
		kind = parse_v4(c, verify_checksum, &syn);
		break;
	case 6:
		kind = parse_v6(c, verify_checksum, &syn);
		break;
	default:
		return PACKET_NOT_IP;
	}
	if (packet_is_syn(kind))
		*ret_syn = syn;
	return kind;
}
