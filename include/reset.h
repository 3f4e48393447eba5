/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset: what the sender of a SYN gets in answer, to be put in the SYN's place.
 */
#ifndef CW_RESET_H
#define CW_RESET_H

#include "tuple.h"

#include <stddef.h>
#include <stdint.h>

/* An IPv4 header with every option, and a TCP header without. */
#define RESET_MAX (60 + 20)

enum reset {
	RESET_REFUSES, /* the connection, as where nobody listens (RFC 9293, 3.5.2, group 1) */
	/*
	 * Nothing: it acknowledges what was not sent. A socket that has sent its SYN once sends it
	 * again two ticks of the kernel's timer later (Linux 5.6, tcp_rcv_synsent_state_process());
	 * else it takes no notice.
	 */
	RESET_REPEATS,
};

/*
 * Writes the packet and returns its length.
 * syn: the SYN from its IP header on, as packet_parse() has let it pass, with its headers whole.
 * claimant: the connection as its socket knows it, of the SYN's family: the packet goes from its
 * dst to its src.
 */
size_t reset_make(enum reset reset, const uint8_t *syn, const struct tuple *claimant,
		  uint8_t ret_packet[static RESET_MAX]);

#endif
