/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "rawsyn.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static bool is_v4(const struct rawsyn *syn)
{
	return syn->dst.sa.sa_family == AF_INET;
}

/* One's complement sum of 16-bit words (RFC 1071), in network byte order. */
static uint32_t sum_up(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The pseudo-header's addresses stand next to each other in both IP headers. */
static void set_tcp_checksum(struct rawsyn *syn)
{
	size_t addresses =
		is_v4(syn) ? offsetof(struct iphdr, saddr) : offsetof(struct ip6_hdr, ip6_src);
	size_t tcp_len = syn->len - syn->tcp;
	uint16_t *check = (void *)(syn->bytes + syn->tcp + offsetof(struct tcphdr, check));
	uint32_t sum = IPPROTO_TCP + (uint32_t)tcp_len;

	*check = 0;
	sum = sum_up(sum, syn->bytes + addresses, is_v4(syn) ? 8 : 32);
	*check = folded(sum_up(sum, syn->bytes + syn->tcp, tcp_len));
}

/* IPv4's own length and checksum are filled in by the kernel (raw_send_hdrinc()). */
static void set_length(struct rawsyn *syn)
{
	struct ip6_hdr *ip6 = (void *)syn->bytes;

	if (!is_v4(syn))
		ip6->ip6_plen = htons((uint16_t)(syn->len - sizeof(*ip6)));
}

static void put_v4(struct rawsyn *syn, const union endpoint *src)
{
	const struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = src->v4.sin_addr.s_addr,
		.daddr = syn->dst.v4.sin_addr.s_addr,
	};

	memcpy(syn->bytes, &ip, sizeof(ip));
	syn->tcp = sizeof(ip);
}

static void put_v6(struct rawsyn *syn, const union endpoint *src)
{
	const struct ip6_hdr ip6 = {
		.ip6_flow = htonl(6U << 28),
		.ip6_nxt = IPPROTO_TCP,
		.ip6_hlim = 64,
		.ip6_src = src->v6.sin6_addr,
		.ip6_dst = syn->dst.v6.sin6_addr,
	};

	memcpy(syn->bytes, &ip6, sizeof(ip6));
	syn->tcp = sizeof(ip6);
}

struct rawsyn rawsyn_make(const union endpoint *src, const union endpoint *dst)
{
	const union endpoint from = endpoint_unmapped(src);
	struct rawsyn syn = {.dst = endpoint_unmapped(dst)};
	const struct tcphdr tcp = {
		.source = htons(endpoint_port(src)),
		.dest = htons(endpoint_port(dst)),
		.seq = htonl(0x1badcafe),
		.doff = sizeof(tcp) / 4,
		.syn = 1,
		.window = htons(65535),
	};

	if (is_v4(&syn))
		put_v4(&syn, &from);
	else
		put_v6(&syn, &from);
	memcpy(syn.bytes + syn.tcp, &tcp, sizeof(tcp));
	syn.len = syn.tcp + sizeof(tcp);
	set_length(&syn);
	set_tcp_checksum(&syn);
	return syn;
}

struct rawsyn rawsyn_again(const void *bytes, size_t len, const union endpoint *dst)
{
	struct rawsyn syn = {.dst = endpoint_unmapped(dst), .len = len};
	const struct iphdr *ip = (void *)syn.bytes;
	struct tcphdr *tcp;

	assert_true(len <= sizeof(syn.bytes));
	memcpy(syn.bytes, bytes, len);
	syn.tcp = is_v4(&syn) ? ip->ihl * 4U : sizeof(struct ip6_hdr);
	assert_true(syn.tcp + sizeof(*tcp) <= len);
	tcp = (void *)(syn.bytes + syn.tcp);
	tcp->dest = htons(endpoint_port(dst));
	set_tcp_checksum(&syn);
	return syn;
}

void rawsyn_set_sequence(struct rawsyn *syn, uint32_t number)
{
	struct tcphdr *tcp = (void *)(syn->bytes + syn->tcp);

	tcp->seq = htonl(number);
	set_tcp_checksum(syn);
}

void rawsyn_break_checksum(struct rawsyn *syn)
{
	syn->bytes[syn->tcp + offsetof(struct tcphdr, check)] ^= 0x55;
}

void rawsyn_set_data_offset(struct rawsyn *syn, unsigned int words)
{
	struct tcphdr *tcp = (void *)(syn->bytes + syn->tcp);

	tcp->doff = words & 0xf;
	set_tcp_checksum(syn);
}

/* Makes room before TCP. */
static void insert(struct rawsyn *syn, const void *header, size_t len)
{
	assert_true(syn->len + len <= sizeof(syn->bytes));
	memmove(syn->bytes + syn->tcp + len, syn->bytes + syn->tcp, syn->len - syn->tcp);
	memcpy(syn->bytes + syn->tcp, header, len);
	syn->tcp += len;
	syn->len += len;
	set_length(syn);
}

void rawsyn_add_ip_options(struct rawsyn *syn)
{
	static const uint8_t options[] = {IPOPT_NOOP, IPOPT_NOOP, IPOPT_NOOP, IPOPT_EOL};
	struct iphdr *ip = (void *)syn->bytes;

	insert(syn, options, sizeof(options));
	ip->ihl = 6;
}

void rawsyn_add_extension(struct rawsyn *syn, uint8_t kind)
{
	/* Next header, length 0 = 8 bytes, and PadN over the rest (RFC 8200, 4.2). */
	const uint8_t header[8] = {IPPROTO_TCP, 0, 1, 4};
	struct ip6_hdr *ip6 = (void *)syn->bytes;

	insert(syn, header, sizeof(header));
	ip6->ip6_nxt = kind;
}

void rawsyn_add_data(struct rawsyn *syn, size_t len)
{
	assert_true(syn->len + len <= sizeof(syn->bytes));
	memset(syn->bytes + syn->len, 'x', len);
	syn->len += len;
	set_length(syn);
	set_tcp_checksum(syn);
}

/* offset in bytes; both fields that follow from it count in units of 8, in different places. */
static void make_fragment(struct rawsyn *syn, size_t offset, bool more)
{
	const struct ip6_frag header = {
		.ip6f_nxt = IPPROTO_TCP,
		.ip6f_offlg = htons((uint16_t)offset) | (more ? IP6F_MORE_FRAG : 0),
		.ip6f_ident = htonl(1),
	};
	struct iphdr *ip = (void *)syn->bytes;
	struct ip6_hdr *ip6 = (void *)syn->bytes;

	if (is_v4(syn)) {
		ip->id = htons(1);
		ip->frag_off = htons((uint16_t)(offset / 8 | (more ? IP_MF : 0)));
	} else {
		insert(syn, &header, sizeof(header));
		ip6->ip6_nxt = IPPROTO_FRAGMENT;
	}
}

void rawsyn_fragment(struct rawsyn *syn, size_t bytes, struct rawsyn *ret_second)
{
	struct rawsyn second = *syn;

	memmove(second.bytes + second.tcp, second.bytes + second.tcp + bytes,
		second.len - second.tcp - bytes);
	second.len -= bytes;
	make_fragment(&second, bytes, false);
	syn->len = syn->tcp + bytes;
	make_fragment(syn, 0, true);
	*ret_second = second;
}

int rawsyn_send(const struct rawsyn *syn)
{
	union endpoint to = syn->dst;
	int rc = 0, fd = socket(to.sa.sa_family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		return -errno;
	endpoint_set_port(&to, 0); /* a port is not the raw socket's business */
	if (sendto(fd, syn->bytes, syn->len, 0, &to.sa, endpoint_len(&to)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* What is shorter than a page is always in one piece; a frame may be longer than the packet in it. */
#define LONG_FRAME 8192

int rawsyn_send_in_pieces(const struct rawsyn *syn)
{
	struct {
		struct virtio_net_hdr pieces;
		struct ether_header link;
		uint8_t packet[LONG_FRAME];
	} __attribute__((packed)) frame = {
		.pieces.hdr_len = sizeof(frame.link),
		.link.ether_type = htons(ETHERTYPE_IPV6),
	};
	const struct sockaddr_ll lo = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex("lo"),
		.sll_halen = ETH_ALEN,
	};
	int rc = 0, on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_false(is_v4(syn));
	memcpy(frame.packet, syn->bytes, syn->len);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    sendto(fd, &frame, sizeof(frame), 0, (const struct sockaddr *)&lo, sizeof(lo)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}
