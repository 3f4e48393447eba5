/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet: the bytes of an IP packet to the tuple of the SYN in it.
 *
 * Trusts nothing: lengths, header lengths and versions are checked before use. What is not a
 * plain SYN is named, so that it can be counted, and never guessed at.
 */
#ifndef CW_PACKET_H
#define CW_PACKET_H

#include "tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_kind {
	PACKET_SYN,	    /* SYN set; ACK, RST and FIN clear */
	PACKET_SYN_OPTIONS, /* the same, behind IPv4 options (RFC 791, 3.1): just as good */
	PACKET_NOT_IP,	    /* neither version 4 nor 6 */
	PACKET_TRUNCATED,   /* shorter than its headers say */
	PACKET_MALFORMED,   /* a header length or an address that cannot be */
	PACKET_FRAGMENT,    /* any fragment, also the first */
	PACKET_EXTENSION,   /* IPv6 extension headers, some of which rewrite addresses later */
	PACKET_NOT_TCP,
	PACKET_NOT_SYN,
	PACKET_BAD_CHECKSUM, /* IPv4 header's or TCP's, or one that the copied bytes cannot prove */
};
#define PACKET_KIND_COUNT 10

/* The word used in metrics; never NULL. */
const char *packet_kind_name(enum packet_kind kind);

static inline bool packet_is_syn(enum packet_kind kind)
{
	return kind == PACKET_SYN || kind == PACKET_SYN_OPTIONS;
}

/*
 * Reads len bytes that start at the IP header. verify_checksum: the sender's side has not vouched
 * for the checksums, so compute them. Fills ret_syn (scope 0) only for a SYN.
 */
enum packet_kind packet_parse(const uint8_t *data, size_t len, bool verify_checksum,
			      struct tuple *ret_syn);

#endif
