/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYNs without a socket behind them, and what is wrong with a packet: built byte by byte and sent
 * through a raw socket.
 */
#ifndef NETNS_RAWSYN_H
#define NETNS_RAWSYN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/endpoint.h"

#define RAWSYN_MAX 1024

struct rawsyn {
	union endpoint dst;
	uint8_t bytes[RAWSYN_MAX]; /* from the IP header on */
	size_t len;
	size_t tcp; /* where the TCP header begins */
};

/* A SYN without fault; IPv4 for v4-mapped endpoints. */
struct rawsyn rawsyn_make(const union endpoint *src, const union endpoint *dst);

/*
 * A SYN that was on its way before, from its IP header on (TCP_SAVED_SYN), to this end again: its
 * port may have been rewritten meanwhile.
 */
struct rawsyn rawsyn_again(const void *bytes, size_t len, const union endpoint *dst);

/* Each changes one thing, and the checksums with it where they are not that thing. */
void rawsyn_set_sequence(struct rawsyn *syn, uint32_t number);
void rawsyn_break_checksum(struct rawsyn *syn);
/* The data offset in words: 5 is what the packet has. */
void rawsyn_set_data_offset(struct rawsyn *syn, unsigned int words);
/* IPv4: two options that do nothing, before the end of the list. */
void rawsyn_add_ip_options(struct rawsyn *syn);
/* IPv6: an empty extension header of this kind, for example IPPROTO_DSTOPTS. */
void rawsyn_add_extension(struct rawsyn *syn, uint8_t kind);
/* Cuts it in two behind so many bytes of TCP, a multiple of 8; *syn becomes the first fragment. */
void rawsyn_fragment(struct rawsyn *syn, size_t bytes, struct rawsyn *ret_second);
/* Appends data behind the header. */
void rawsyn_add_data(struct rawsyn *syn, size_t len);

/* 0 or a negative errno. */
int rawsyn_send(const struct rawsyn *syn);

/*
 * The same as a frame on lo of which the kernel keeps only the link layer's header in one piece with
 * what it can read directly (packet_snd(), net/packet/af_packet.c). IPv6: the kernel would not take
 * 127.0.0.1 from a frame (ip_route_input_slow()).
 */
int rawsyn_send_in_pieces(const struct rawsyn *syn);

#endif
