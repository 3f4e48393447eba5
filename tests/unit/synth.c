/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "synth.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Sums words as they lie in memory, which one's complement allows (RFC 1071, 2 (B)). */
static uint64_t add_words(uint64_t sum, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		uint16_t word = 0;
		size_t step = len < sizeof(word) ? len : sizeof(word);

		memcpy(&word, bytes, step);
		sum += word;
		bytes += step;
		len -= step;
	}
	return sum;
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
	uint16_t folded;

	while (sum > UINT16_MAX)
		sum = (sum >> 16) + (sum & UINT16_MAX);
	folded = (uint16_t)~sum;
	memcpy(at, &folded, sizeof(folded));
}

void synth_fix_checksums(struct synth *packet)
{
	uint8_t *ip = packet->bytes;
	uint8_t *tcp = ip + packet->ip_len;
	size_t segment_len = packet->len - packet->ip_len;
	uint8_t length_and_protocol[4] = {0, 0, 0, 6};
	uint64_t sum;

	put16(length_and_protocol, segment_len);
	if (packet->v6) {
		sum = add_words(0, ip + 8, 32);
	} else {
		put16(ip + 10, 0);
		put_checksum(ip + 10, add_words(0, ip, packet->ip_len));
		sum = add_words(0, ip + 12, 8);
	}
	put16(tcp + 16, 0);
	sum = add_words(sum, length_and_protocol, sizeof(length_and_protocol));
	put_checksum(tcp + 16, add_words(sum, tcp, segment_len));
}

static void put_addr(const struct synth_recipe *recipe, const char *text, uint8_t *at)
{
	if (!text)
		text = recipe->v6 ? "::1" : "127.0.0.1";
	if (inet_pton(recipe->v6 ? AF_INET6 : AF_INET, text, at) != 1)
		abort();
}

static void make_v4(struct synth *packet, const struct synth_recipe *recipe)
{
	uint8_t *ip = packet->bytes;

	ip[0] = (uint8_t)(0x40 | packet->ip_len / 4);
	put16(ip + 2, packet->len);
	put16(ip + 4, 0xbeef); /* identification */
	ip[6] = 0x40;	       /* don't fragment */
	ip[8] = 64;	       /* time to live */
	ip[9] = 6;
	put_addr(recipe, recipe->src, ip + 12);
	put_addr(recipe, recipe->dst, ip + 16);
	memset(ip + 20, 1, recipe->ip_options); /* no-operations */
}

static void make_v6(struct synth *packet, const struct synth_recipe *recipe)
{
	uint8_t *ip = packet->bytes;

	ip[0] = 0x60;
	put16(ip + 2, 0xcafe); /* flow label */
	put16(ip + 4, packet->len - packet->ip_len);
	ip[6] = 6;
	ip[7] = 64; /* hop limit */
	put_addr(recipe, recipe->src, ip + 8);
	put_addr(recipe, recipe->dst, ip + 24);
}

void synth_make(struct synth *packet, const struct synth_recipe *recipe)
{
	uint8_t *tcp;

	packet->v6 = recipe->v6;
	packet->ip_len = recipe->v6 ? 40 : 20 + recipe->ip_options;
	packet->tcp_len = 20 + recipe->tcp_options;
	packet->len = packet->ip_len + packet->tcp_len + recipe->payload;
	if (packet->len > sizeof(packet->bytes))
		abort();
	memset(packet->bytes, 0, packet->ip_len + packet->tcp_len);
	if (recipe->v6)
		make_v6(packet, recipe);
	else
		make_v4(packet, recipe);

	tcp = packet->bytes + packet->ip_len;
	put16(tcp, recipe->sport ? recipe->sport : 40000);
	put16(tcp + 2, recipe->dport ? recipe->dport : 80);
	put16(tcp + 4, 0x1234); /* sequence number */
	put16(tcp + 6, 0x5678);
	tcp[12] = (uint8_t)(packet->tcp_len / 4 << 4);
	tcp[13] = recipe->flags ? recipe->flags : SYNTH_SYN;
	put16(tcp + 14, 65495); /* window */
	memset(tcp + 20, 1, recipe->tcp_options);
	memset(tcp + packet->tcp_len, recipe->fill, recipe->payload);
	synth_fix_checksums(packet);
}
