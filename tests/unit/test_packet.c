/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of packet. Every packet is read twice, where it ends at an unreadable page and from the
 * heap, and a result that is no SYN must leave the output alone: parse() sees to both.
 */
#include "config.h"

#include "packet.h"
#include "synth.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct synth packet;
static struct tuple syn;

static enum packet_kind parse_at(const uint8_t *data, size_t len, bool verify, struct tuple *ret)
{
	static const struct tuple untouched = {.scope = 0xeeeeeeee, .src.port = 0xeeee};
	enum packet_kind kind;

	*ret = untouched;
	kind = packet_parse(data, len, verify, ret);
	assert_true(kind < PACKET_KIND_COUNT);
	if (!packet_is_syn(kind))
		assert_true(tuple_equal(ret, &untouched));
	else
		assert_int_equal(ret->scope, 0);
	return kind;
}

/* Leaves the tuple in syn. */
static enum packet_kind parse(const void *bytes, size_t len, bool verify)
{
	enum packet_kind at_edge = parse_at(unit_edge(bytes, len, 1), len, verify, &syn);
	uint8_t *copy = unit_heap(bytes, len);
	struct tuple again;

	assert_int_equal(parse_at(copy, len, verify, &again), at_edge);
	assert_true(tuple_equal(&again, &syn));
	free(copy);
	return at_edge;
}

static enum packet_kind parse_packet(bool verify)
{
	return parse(packet.bytes, packet.len, verify);
}

static void expect(enum packet_kind kind)
{
	assert_string_equal(packet_kind_name(parse_packet(false)), packet_kind_name(kind));
	assert_string_equal(packet_kind_name(parse_packet(true)), packet_kind_name(kind));
}

/* --- whole packets ------------------------------------------------------------------------------ */

static void test_kind_words(void **state)
{
	static const char *const words[PACKET_KIND_COUNT] = {
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

	(void)state;
	for (unsigned int kind = 0; kind < PACKET_KIND_COUNT; kind++) {
		assert_string_equal(packet_kind_name((enum packet_kind)kind), words[kind]);
		assert_int_equal(packet_is_syn((enum packet_kind)kind),
				 kind == PACKET_SYN || kind == PACKET_SYN_OPTIONS);
	}
	assert_string_equal(packet_kind_name(PACKET_KIND_COUNT), "unknown");
}

/* Two packets as literal bytes; tcpdump calls their checksums correct. */
static void test_known_packets(void **state)
{
	static const uint8_t v4[] = {
		0x45, 0x00, 0x00, 0x2f, 0xbe, 0xef, 0x40, 0x00, 0x40, 0x06, 0x7d, 0xd6,
		0x7f, 0x00, 0x00, 0x01, 0x7f, 0x00, 0x00, 0x02, 0x9c, 0x41, 0x13, 0x88,
		0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00, 0x00, 0x60, 0x02, 0xff, 0xd7,
		0x05, 0x47, 0x00, 0x00, 0x01, 0x01, 0x01, 0x01, 0x41, 0x41, 0x41,
	};
	static const uint8_t v6[] = {
		0x60, 0x00, 0xca, 0xfe, 0x00, 0x1b, 0x06, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x9c, 0x41,
		0x13, 0x88, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00, 0x00, 0x60, 0x02, 0xff, 0xd7,
		0xd5, 0x86, 0x00, 0x00, 0x01, 0x01, 0x01, 0x01, 0x41, 0x41, 0x41,
	};
	char text[TUPLE_STRLEN];

	(void)state;
	assert_int_equal(parse(v4, sizeof(v4), true), PACKET_SYN);
	assert_string_equal(tuple_format(&syn, text), "127.0.0.1:40001 -> 127.0.0.2:5000");
	assert_int_equal(parse(v6, sizeof(v6), true), PACKET_SYN);
	assert_string_equal(tuple_format(&syn, text), "[2001:db8::a]:40001 -> [::1]:5000");
}

static void test_addresses_and_ports(void **state)
{
	static const struct {
		struct synth_recipe recipe;
		const char *text;
	} cases[] = {
		{{.src = "1.2.3.4", .dst = "5.6.7.8", .sport = 258, .dport = 772},
		 "1.2.3.4:258 -> 5.6.7.8:772"},
		{{.src = "255.255.255.255", .dst = "0.0.0.0", .sport = 65535, .dport = 1},
		 "255.255.255.255:65535 -> 0.0.0.0:1"},
		{{.v6 = true, .src = "fe80::1", .dst = "fe80::2", .sport = 1, .dport = 65535},
		 "[fe80::1]:1 -> [fe80::2]:65535"},
		{{.v6 = true, .src = "102:304:506:708:90a:b0c:d0e:f10", .dst = "::ffff"},
		 "[102:304:506:708:90a:b0c:d0e:f10]:40000 -> [::ffff]:80"},
		/* v4-compatible is not v4-mapped. */
		{{.v6 = true, .src = "::2:127.0.0.1", .dst = "::fffe:0:1"},
		 "[::2:7f00:1]:40000 -> [::fffe:0:1]:80"},
	};
	char text[TUPLE_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		synth_make(&packet, &cases[i].recipe);
		expect(PACKET_SYN);
		assert_string_equal(tuple_format(&syn, text), cases[i].text);
	}
}

static const struct synth_recipe shapes[] = {
	{.v6 = false},
	{.v6 = false, .tcp_options = 20},
	{.v6 = false, .tcp_options = 40, .payload = 7},
	{.v6 = false, .ip_options = 4},
	{.v6 = false, .ip_options = 40, .tcp_options = 12, .payload = 1},
	{.v6 = true},
	{.v6 = true, .tcp_options = 20},
	{.v6 = true, .tcp_options = 40, .payload = 7},
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static enum packet_kind kind_of_shape(size_t i)
{
	return shapes[i].ip_options ? PACKET_SYN_OPTIONS : PACKET_SYN;
}

/* Cut at every length: a SYN only when its headers are whole, a proven one only when all of it is. */
static void test_truncated_at_every_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		synth_make(&packet, &shapes[i]);
		for (size_t len = 0; len <= packet.len; len++) {
			bool headers = len >= packet.ip_len + packet.tcp_len;
			enum packet_kind kind = headers ? kind_of_shape(i) : PACKET_TRUNCATED;

			assert_int_equal(parse(packet.bytes, len, false), kind);
			if (headers && len < packet.len)
				kind = PACKET_BAD_CHECKSUM;
			assert_int_equal(parse(packet.bytes, len, true), kind);
		}
	}
}

/* Bytes behind the packet belong to nobody, and no checksum covers them. */
static void test_padding(void **state)
{
	uint8_t padded[256];

	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		synth_make(&packet, &shapes[i]);
		memset(padded, 0x5a, sizeof(padded));
		memcpy(padded, packet.bytes, packet.len);
		for (size_t len = packet.len; len <= sizeof(padded); len++) {
			assert_int_equal(parse(padded, len, false), kind_of_shape(i));
			assert_int_equal(parse(padded, len, true), kind_of_shape(i));
		}
	}
}

/* --- the IP header ------------------------------------------------------------------------------ */

static void test_versions(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		synth_make(&packet, &(struct synth_recipe){.v6 = v6});
		for (unsigned int version = 0; version < 16; version++) {
			if (version == 4 || version == 6)
				continue;
			packet.bytes[0] = (uint8_t)(version << 4 | (packet.bytes[0] & 0xf));
			expect(PACKET_NOT_IP);
			assert_int_equal(parse(packet.bytes, 1, false), PACKET_NOT_IP);
		}
	}
}

static void test_header_length(void **state)
{
	(void)state;
	synth_make(&packet, &(struct synth_recipe){.ip_options = 40});
	for (unsigned int ihl = 0; ihl < 5; ihl++) {
		packet.bytes[0] = (uint8_t)(0x40 | ihl);
		expect(PACKET_MALFORMED);
	}
	for (size_t options = 0; options <= 40; options += 4) {
		synth_make(&packet, &(struct synth_recipe){.ip_options = options});
		expect(options ? PACKET_SYN_OPTIONS : PACKET_SYN);
	}
	/* Options right up to the end of the packet, and one word further. */
	synth_make(&packet, &(struct synth_recipe){.ip_options = 20});
	packet.bytes[2] = 0;
	packet.bytes[3] = 40;
	assert_int_equal(parse_packet(false), PACKET_MALFORMED);
	packet.bytes[3] = 39;
	assert_int_equal(parse_packet(false), PACKET_MALFORMED);
	/* The header says 60 bytes, and so does the length, but only 59 came. */
	synth_make(&packet, &(struct synth_recipe){.ip_options = 40});
	assert_int_equal(parse(packet.bytes, 59, true), PACKET_TRUNCATED);
}

/* Every total length that a header can claim, against bytes that do not change. */
static void test_claimed_length(void **state)
{
	(void)state;
	synth_make(&packet, &(struct synth_recipe){.tcp_options = 8, .payload = 8});
	for (unsigned int claimed = 0; claimed <= UINT16_MAX; claimed++) {
		packet.bytes[2] = (uint8_t)(claimed >> 8);
		packet.bytes[3] = (uint8_t)claimed;
		assert_int_equal(packet_parse(packet.bytes, packet.len, false, &syn),
				 claimed < 48 ? PACKET_MALFORMED : PACKET_SYN);
		if (claimed != 56)
			assert_int_not_equal(packet_parse(packet.bytes, packet.len, true, &syn),
					     PACKET_SYN);
	}
	synth_make(&packet, &(struct synth_recipe){.v6 = true, .tcp_options = 8, .payload = 8});
	for (unsigned int claimed = 0; claimed <= UINT16_MAX; claimed++) {
		packet.bytes[4] = (uint8_t)(claimed >> 8);
		packet.bytes[5] = (uint8_t)claimed;
		assert_int_equal(packet_parse(packet.bytes, packet.len, false, &syn),
				 claimed < 28 ? PACKET_MALFORMED : PACKET_SYN);
		if (claimed != 36)
			assert_int_not_equal(packet_parse(packet.bytes, packet.len, true, &syn),
					     PACKET_SYN);
	}
}

static void test_fragments(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 16; bit++) {
		bool fragment = bit < 14; /* 13 bits of offset, then "more fragments" */
		unsigned int field = 1U << bit;

		synth_make(&packet, &(struct synth_recipe){.v6 = false});
		packet.bytes[6] = (uint8_t)(field >> 8);
		packet.bytes[7] = (uint8_t)field;
		synth_fix_checksums(&packet);
		expect(fragment ? PACKET_FRAGMENT : PACKET_SYN);
	}
}

static void test_protocols(void **state)
{
	(void)state;
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		enum packet_kind kind = PACKET_NOT_TCP;

		if (protocol == 6)
			kind = PACKET_SYN;
		synth_make(&packet, &(struct synth_recipe){.v6 = false});
		packet.bytes[9] = (uint8_t)protocol;
		/* The TCP checksum is made with protocol 6, whatever the header says. */
		synth_fix_checksums(&packet);
		expect(kind);

		switch (protocol) { /* RFC 8200, 4 */
		case 0:		    /* hop-by-hop options */
		case 43:	    /* routing */
		case 51:	    /* authentication */
		case 60:	    /* destination options */
			kind = PACKET_EXTENSION;
			break;
		case 44:
			kind = PACKET_FRAGMENT;
			break;
		}
		synth_make(&packet, &(struct synth_recipe){.v6 = true});
		packet.bytes[6] = (uint8_t)protocol;
		expect(kind);
	}
}

/* Neither end of an IPv6 packet may pass for IPv4. */
static void test_mapped_addresses_in_ipv6(void **state)
{
	(void)state;
	synth_make(&packet, &(struct synth_recipe){.v6 = true, .src = "::ffff:127.0.0.1"});
	expect(PACKET_MALFORMED);
	synth_make(&packet, &(struct synth_recipe){.v6 = true, .dst = "::ffff:127.0.0.1"});
	expect(PACKET_MALFORMED);
	synth_make(&packet, &(struct synth_recipe){
				    .v6 = true, .src = "::ffff:1.2.3.4", .dst = "::ffff:1.2.3.4"});
	expect(PACKET_MALFORMED);
}

/* --- the TCP header ----------------------------------------------------------------------------- */

/* All eight bits: a SYN is what the kernel's listener would take for one, also with PSH or URG. */
static void test_flags(void **state)
{
	const unsigned int decisive = SYNTH_SYN | SYNTH_ACK | SYNTH_RST | SYNTH_FIN;

	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		for (unsigned int flags = 0; flags < 256; flags++) {
			synth_make(&packet, &(struct synth_recipe){.v6 = v6});
			packet.bytes[packet.ip_len + 13] = (uint8_t)flags;
			synth_fix_checksums(&packet);
			expect((flags & decisive) == SYNTH_SYN ? PACKET_SYN : PACKET_NOT_SYN);
		}
	}
}

static void test_data_offset(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		for (unsigned int words = 0; words < 16; words++) {
			enum packet_kind kind = kind_of_shape(i);

			synth_make(&packet, &shapes[i]);
			packet.bytes[packet.ip_len + 12] = (uint8_t)(words << 4);
			synth_fix_checksums(&packet);
			if (words < 5 || words * 4 > packet.len - packet.ip_len)
				kind = PACKET_MALFORMED;
			expect(kind);
		}
	}
}

/*
 * Less than a TCP header, promised by the IP header: not ours to complete from what follows, and
 * not cut off either.
 */
static void test_short_segments(void **state)
{
	(void)state;
	for (size_t segment = 0; segment < 20; segment++) {
		synth_make(&packet, &(struct synth_recipe){.payload = 20});
		packet.bytes[3] = (uint8_t)(20 + segment);
		for (size_t len = 20 + segment; len <= packet.len; len++)
			assert_int_equal(parse(packet.bytes, len, false), PACKET_MALFORMED);
		synth_make(&packet, &(struct synth_recipe){.v6 = true, .payload = 20});
		packet.bytes[5] = (uint8_t)segment;
		for (size_t len = 40 + segment; len <= packet.len; len++)
			assert_int_equal(parse(packet.bytes, len, false), PACKET_MALFORMED);
	}
}

/* --- checksums ---------------------------------------------------------------------------------- */

/* A one's complement sum finds every single changed bit; IPv6 leaves some of its header out. */
static void test_every_flipped_bit(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		synth_make(&packet, &shapes[i]);
		for (size_t bit = 0; bit < packet.len * 8; bit++) {
			size_t byte = bit / 8;
			/* Traffic class, flow label, hop limit: no checksum covers them. */
			bool covered = !packet.v6 || !((bit >= 4 && byte < 4) || byte == 7);
			uint8_t mask = (uint8_t)(0x80 >> bit % 8);

			packet.bytes[byte] ^= mask;
			assert_int_equal(packet_is_syn(parse_packet(true)), !covered);
			packet.bytes[byte] ^= mask;
		}
	}
}

/* Odd and even lengths, sums that carry often, and the longest segments there are. */
static void test_checksum_of_every_length(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		size_t longest = v6 ? 65535 - 20 : 65535 - 40;

		for (size_t payload = 0; payload <= longest; payload++) {
			if (payload == 300)
				payload = longest - 3;
			synth_make(&packet, &(struct synth_recipe){
						    .v6 = v6, .payload = payload, .fill = 0xff});
			assert_int_equal(parse_packet(true), PACKET_SYN);
			packet.bytes[packet.len - 1] ^= 1;
			assert_int_equal(parse_packet(true), PACKET_BAD_CHECKSUM);
			assert_int_equal(parse_packet(false), PACKET_SYN);
		}
	}
}

/* The sending side vouched for it: then a checksum that is not computed yet does not matter. */
static void test_unfinished_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		synth_make(&packet, &shapes[i]);
		packet.bytes[packet.ip_len + 16] ^= 0xff;
		assert_int_equal(parse_packet(false), kind_of_shape(i));
		assert_int_equal(parse_packet(true), PACKET_BAD_CHECKSUM);
	}
}

/* The two checksums of IPv4 are judged apart. */
static void test_bad_header_checksum(void **state)
{
	(void)state;
	synth_make(&packet, &(struct synth_recipe){.v6 = false});
	packet.bytes[8]--; /* time to live: not part of TCP's checksum */
	assert_int_equal(parse_packet(false), PACKET_SYN);
	assert_int_equal(parse_packet(true), PACKET_BAD_CHECKSUM);
	synth_make(&packet, &(struct synth_recipe){.ip_options = 40});
	packet.bytes[59] ^= 1;
	assert_int_equal(parse_packet(true), PACKET_BAD_CHECKSUM);
}

/* --- chance ------------------------------------------------------------------------------------- */

/* What must hold for any bytes that are called a SYN, from the offsets in the RFCs alone. */
static void check_claim(const uint8_t *bytes, size_t len, enum packet_kind kind)
{
	bool v6 = bytes[0] >> 4 == 6;
	size_t ip_len = v6 ? 40 : (size_t)(bytes[0] & 0xf) * 4;
	size_t claimed =
		v6 ? 40 + (size_t)(bytes[4] << 8 | bytes[5]) : (size_t)(bytes[2] << 8 | bytes[3]);
	const uint8_t *tcp = bytes + ip_len;
	size_t addr_len = v6 ? 16 : 4;
	const uint8_t *addrs = bytes + (v6 ? 8 : 12);

	if (!packet_is_syn(kind))
		return;
	assert_true(v6 || bytes[0] >> 4 == 4);
	assert_true(ip_len >= 20 && ip_len + 20 <= len && ip_len + 20 <= claimed);
	assert_int_equal(kind == PACKET_SYN_OPTIONS, !v6 && ip_len > 20);
	assert_int_equal(bytes[v6 ? 6 : 9], 6);
	if (!v6)
		assert_int_equal((bytes[6] << 8 | bytes[7]) & 0x3fff, 0);
	assert_int_equal(tcp[13] & 0x17, SYNTH_SYN);
	assert_in_range(tcp[12] >> 4, 5, (len < claimed ? len - ip_len : claimed - ip_len) / 4);
	assert_memory_equal(syn.src.addr.s6_addr + 16 - addr_len, addrs, addr_len);
	assert_memory_equal(syn.dst.addr.s6_addr + 16 - addr_len, addrs + addr_len, addr_len);
	assert_int_equal(addr_is_v4(&syn.src.addr), !v6);
	assert_int_equal(addr_is_v4(&syn.dst.addr), !v6);
	assert_memory_equal(&syn.src.port, tcp, 2);
	assert_memory_equal(&syn.dst.port, tcp + 2, 2);
}

static void test_random_bytes(void **state)
{
	const unsigned int rounds = unit_rounds(100000);
	struct unit_random random = {.state = 1};
	unsigned int syns = 0;

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		uint8_t bytes[128];
		size_t len = unit_random_below(&random, sizeof(bytes) + 1);
		enum packet_kind kind;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)unit_random(&random);
		/* Pure noise would seldom get past the first bytes. */
		if (round % 4) {
			bytes[0] = round % 8 < 4 ? 0x45 : 0x60;
			bytes[6] = round % 8 < 4 ? 0 : 6;
			bytes[7] = 0;
			bytes[9] = 6;
		}
		kind = parse(bytes, len, false);
		syns += packet_is_syn(kind);
		check_claim(bytes, len, kind);
		check_claim(bytes, len, parse(bytes, len, true));
	}
	assert_true(syns > rounds / 1000);
}

static void test_random_mutations(void **state)
{
	const unsigned int rounds = unit_rounds(100000);
	struct unit_random random = {.state = 2};
	unsigned int syns = 0;

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		unsigned int changes = 1 + unit_random_below(&random, 3);
		enum packet_kind kind;
		size_t len;

		synth_make(&packet, &shapes[round % N_SHAPES]);
		while (changes--)
			packet.bytes[unit_random_below(&random, (uint32_t)packet.len)] =
				(uint8_t)unit_random(&random);
		len = round % 3 ? packet.len : unit_random_below(&random, (uint32_t)packet.len + 1);
		kind = parse(packet.bytes, len, false);
		syns += packet_is_syn(kind);
		check_claim(packet.bytes, len, kind);
		check_claim(packet.bytes, len, parse(packet.bytes, len, true));
	}
	assert_true(syns > rounds / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind_words),
		cmocka_unit_test(test_known_packets),
		cmocka_unit_test(test_addresses_and_ports),
		cmocka_unit_test(test_truncated_at_every_length),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_header_length),
		cmocka_unit_test(test_claimed_length),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_mapped_addresses_in_ipv6),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_data_offset),
		cmocka_unit_test(test_short_segments),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_checksum_of_every_length),
		cmocka_unit_test(test_unfinished_checksum),
		cmocka_unit_test(test_bad_header_checksum),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_random_mutations),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
