/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * synth: makes IP packets with a TCP segment for tests, byte by byte from the RFCs (791, 8200,
 * 9293), without the headers' structs, so that it shares no mistake with the parser.
 */
#ifndef CW_TEST_SYNTH_H
#define CW_TEST_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flags as they stand in the 14th byte of the TCP header. */
enum {
	SYNTH_FIN = 0x01,
	SYNTH_SYN = 0x02,
	SYNTH_RST = 0x04,
	SYNTH_PSH = 0x08,
	SYNTH_ACK = 0x10,
	SYNTH_URG = 0x20,
};

/* The largest of both families: an IPv6 header and 65535 bytes behind it. */
#define SYNTH_MAX (40 + 65535)

/* Lengths in bytes; those of options are multiples of 4, at most 40. */
struct synth_recipe {
	bool v6;
	const char *src, *dst; /* NULL: the loopback address */
	uint16_t sport, dport; /* host byte order; 0: 40000 and 80 */
	uint8_t flags;	       /* 0: SYN */
	size_t ip_options;     /* IPv4 only */
	size_t tcp_options;
	size_t payload;
	uint8_t fill; /* each byte of the payload */
};

struct synth {
	bool v6;
	size_t ip_len;	/* of the IP header */
	size_t tcp_len; /* of the TCP header */
	size_t len;	/* of everything */
	uint8_t bytes[SYNTH_MAX];
};

/* Fills packet, checksums included. */
void synth_make(struct synth *packet, const struct synth_recipe *recipe);
/* Makes the checksums right again after bytes were changed; lengths as they were made. */
void synth_fix_checksums(struct synth *packet);

#endif
