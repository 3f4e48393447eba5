/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queuemsg: NFQUEUE messages as bytes (linux/netfilter/nfnetlink_queue.h), and verdicts. All
 * numbers are in host byte order here.
 */
#ifndef CW_QUEUEMSG_H
#define CW_QUEUEMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One packet that the kernel holds until it is given a verdict. */
struct held_packet {
	uint32_t id;	  /* counts up by one per packet and queue */
	uint32_t ifindex; /* the interface it came in on, 0 if not told */
	uint32_t mark;
	bool verify_checksum; /* the sending side has not vouched for the checksums */
	const uint8_t *data;  /* from the IP header on; points into the message, NULL if missing */
	size_t len;	      /* bytes copied, maybe fewer than the packet has */
};

struct verdict {
	uint32_t id;
	bool drop;     /* else accept */
	bool set_mark; /* replace the packet's mark with mark */
	uint32_t mark;
	/*
	 * NULL, or what is accepted in the packet's place, past every rule behind ours:
	 * from the IP header on, whose length is the packet's; at most QUEUEMSG_ANSWER_MAX bytes.
	 */
	const uint8_t *answer;
	size_t answer_len;
};

#define QUEUEMSG_ANSWER_MAX 80

struct queue_settings {
	uint16_t number;
	uint32_t max_held;   /* packets; beyond them the kernel lets packets pass unqueued */
	uint32_t copy_range; /* bytes of each packet to copy */
};

/*
 * No single request is longer than this, in bytes. Each function that puts one writes it into buf,
 * which has that room and is aligned as a struct nlmsghdr, and returns its length.
 */
#define QUEUEMSG_REQUEST_MAX 128

/*
 * Writes one request that binds the queue and settles everything about it; the kernel answers
 * only if it refuses, and then nothing of it is done. One message, since packets that arrive
 * between two of them are dropped in spite of bypass.
 */
size_t queuemsg_put_bind(void *buf, uint32_t seq, const struct queue_settings *settings);
/* Writes a request for another max_held; with 0, packets pass unqueued. Those held stay held. */
size_t queuemsg_put_limit(void *buf, uint32_t seq, uint16_t number, uint32_t max_held);
/* Writes a request that changes nothing and is answered. */
size_t queuemsg_put_ping(void *buf, uint32_t seq, uint16_t number);

/*
 * Writes n verdicts, at most n * QUEUEMSG_REQUEST_MAX bytes. Verdicts are in the order of their
 * packets' ids, without a gap that could be held by somebody else: what is to be accepted as it is
 * goes into one message for the whole batch, after the exceptions.
 */
size_t queuemsg_put_verdicts(void *buf, uint16_t number, const struct verdict *verdicts, size_t n);

/* Writes a verdict that accepts what is held with this id or, as serial numbers, one before it. */
size_t queuemsg_put_accept_until(void *buf, uint16_t number, uint32_t id);

/*
 * Reads one NFQNL_MSG_PACKET message of len bytes. -EBADMSG: another message, or no packet id.
 * Anything else that is missing or cut off leaves its field empty: a packet with an id must get
 * its verdict.
 */
int queuemsg_parse(const void *msg, size_t len, struct held_packet *ret_packet);

#endif
