/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minimal NFQUEUE client of the platform programs' own, over libmnl. Each function returns 0 or a
 * negative errno unless it says otherwise.
 */
#ifndef PLATFORM_TESTQUEUE_H
#define PLATFORM_TESTQUEUE_H

#include <netinet/in.h> /* before the kernel's headers, which then leave its names alone */

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdint.h>

#define TESTQUEUE 61

/* Which parts a configuration message has. */
enum testqueue_part {
	TESTQUEUE_BIND = 1 << 0,
	TESTQUEUE_COPY = 1 << 1, /* copy mode PACKET */
	TESTQUEUE_MAXLEN = 1 << 2,
	TESTQUEUE_FLAGS = 1 << 3,
};

struct testqueue_config {
	unsigned int parts;
	uint32_t maxlen;
	uint32_t flags; /* NFQA_CFG_F_*, set with a mask of the same bits */
};

struct testqueue_packet {
	uint32_t id;
	uint32_t skb_info; /* NFQA_SKB_*; 0: the attribute did not come */
	uint32_t mark;
	uint32_t payload_len;
	uint8_t payload[128]; /* the first bytes of it */
};

/* A NETLINK_NETFILTER socket. */
int testqueue_open(void);

/* Sends one message with these parts and waits for its acknowledgement. */
int testqueue_configure(int nl, uint16_t queue, const struct testqueue_config *config);

/* The next packet, or -ETIMEDOUT. */
int testqueue_receive(int nl, int timeout_ms, struct testqueue_packet *ret_packet);

/* NF_ACCEPT or NF_DROP for one packet. */
int testqueue_verdict(int nl, uint16_t queue, uint32_t id, uint32_t verdict);

/* The same, with another packet in the place of the one that is held. */
int testqueue_replace(int nl, uint16_t queue, uint32_t id, uint32_t verdict, const void *packet,
		      size_t len);

/* A verdict for all held packets with ids up to max_id. */
int testqueue_verdict_batch(int nl, uint16_t queue, uint32_t max_id, uint32_t verdict);

/*
 * Queues the SYNs to SERVER_PORT in mangle INPUT of this family (AF_INET, AF_INET6), with bypass,
 * to queue TESTQUEUE; skips the program where that is impossible.
 */
void testqueue_rule(int family);

/* A netlink socket bound to TESTQUEUE as the daemon does it: one message. Failure ends the program. */
int testqueue_bind(uint32_t maxlen, uint32_t flags);

#endif
