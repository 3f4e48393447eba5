/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first byte: where to cut the rest for a second look. The rest: a packet. */
#include "config.h"

#include "fuzz.h"
#include "packet.h"

#include <string.h>

const char fuzz_target[] = "packet";

/* Where the addresses and the ports stand in the packet (RFC 791, 8200, 9293). */
static void check_syn(const uint8_t *packet, size_t len, const struct tuple *syn)
{
	bool v4 = packet[0] >> 4 == 4;
	size_t addr_len = v4 ? 4 : 16;
	size_t src_at = v4 ? 12 : 8;
	size_t tcp_at = v4 ? (packet[0] & 15) * 4U : 40;
	const uint8_t *tcp = packet + tcp_at;

	FUZZ_CHECK(tcp_at + 20 <= len && tcp_at + (tcp[12] >> 4) * 4U <= len);
	FUZZ_CHECK(v4 ? packet[9] == 6 : packet[6] == 6);
	FUZZ_CHECK(!v4 || ((packet[6] & 0x3f) == 0 && packet[7] == 0)); /* no fragment */
	FUZZ_CHECK((tcp[13] & 0x17) == 0x02); /* of SYN, ACK, RST and FIN the SYN alone */
	FUZZ_CHECK(memcmp(&syn->src.port, tcp, 2) == 0);
	FUZZ_CHECK(memcmp(&syn->dst.port, tcp + 2, 2) == 0);
	FUZZ_CHECK(syn->scope == 0);
	FUZZ_CHECK(addr_is_v4(&syn->src.addr) == v4 && addr_is_v4(&syn->dst.addr) == v4);
	FUZZ_CHECK(memcmp(syn->src.addr.s6_addr + 16 - addr_len, packet + src_at, addr_len) == 0);
	FUZZ_CHECK(memcmp(syn->dst.addr.s6_addr + 16 - addr_len, packet + src_at + addr_len,
			  addr_len) == 0);
}

static void check_text(const struct tuple *syn)
{
	char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN], both[TUPLE_STRLEN], joined[256];
	struct tuple twice = tuple_reverse(syn), parsed = {.scope = 0};
	size_t len;

	twice = tuple_reverse(&twice);
	FUZZ_CHECK(tuple_equal(syn, &twice));
	endpoint_format(&syn->src, src);
	endpoint_format(&syn->dst, dst);
	FUZZ_CHECK(endpoint_parse(src, &parsed.src) == 0);
	FUZZ_CHECK(endpoint_parse(dst, &parsed.dst) == 0);
	FUZZ_CHECK(tuple_equal(syn, &parsed));

	len = strlen(src);
	memcpy(joined, src, len);
	memcpy(joined + len, " -> ", 4);
	strcpy(joined + len + 4, dst);
	FUZZ_CHECK(strcmp(tuple_format(syn, both), joined) == 0);
}

/* Parses twice: the same bytes give the same, and a tuple is filled for a SYN only. */
static enum packet_kind parse(const uint8_t *packet, size_t len, bool verify, struct tuple *ret_syn)
{
	struct tuple untouched, other;
	enum packet_kind kind;

	memset(&untouched, 0xa5, sizeof(untouched));
	*ret_syn = untouched;
	other = untouched;
	kind = packet_parse(packet, len, verify, ret_syn);
	FUZZ_CHECK((unsigned int)kind < PACKET_KIND_COUNT);
	FUZZ_CHECK(packet_parse(packet, len, verify, &other) == kind);
	FUZZ_CHECK(memcmp(ret_syn, &other, sizeof(other)) == 0);
	if (packet_is_syn(kind))
		check_syn(packet, len, ret_syn);
	else
		FUZZ_CHECK(memcmp(ret_syn, &untouched, sizeof(untouched)) == 0);
	return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tuple syn, checked, cut;
	enum packet_kind kind, verified, shorter;
	size_t len;

	if (size < 1)
		return 0;
	len = size - 1;
	kind = parse(data + 1, len, false, &syn);
	verified = parse(data + 1, len, true, &checked);
	FUZZ_CHECK(kind != PACKET_BAD_CHECKSUM);
	FUZZ_CHECK(verified == kind || verified == PACKET_BAD_CHECKSUM);
	if (!packet_is_syn(kind))
		return 0;
	if (verified == kind)
		FUZZ_CHECK(tuple_equal(&syn, &checked));
	check_text(&syn);

	/* Fewer copied bytes never make another packet of it. */
	shorter = parse(data + 1, data[0] % (len + 1), false, &cut);
	FUZZ_CHECK(shorter == kind || shorter == PACKET_TRUNCATED);
	if (shorter == kind)
		FUZZ_CHECK(tuple_equal(&syn, &cut));
	return 0;
}
