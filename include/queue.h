/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue: one NFQUEUE and the socket it is bound to.
 *
 * Between open and close every packet of the queue is held by the kernel until queue_verdicts().
 * One thread at a time, but for queue_wake() and queue_let_go().
 *
 * What asks the kernel for something returns 0, or -errno if the request was not carried out at
 * all: -ENOBUFS and -ENOMEM pass, and it may be tried again. What the kernel refuses after that
 * comes with queue_receive(), as verdict_errors.
 */
#ifndef CW_QUEUE_H
#define CW_QUEUE_H

#include "queuemsg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

/* Most packets in one batch. */
#define QUEUE_BATCH_MAX 64

/* What one receive brought besides packets. */
struct queue_losses {
	unsigned int overruns;	     /* ENOBUFS: something did not fit the receive buffer */
	unsigned int missed;	     /* packet ids that never came */
	unsigned int bad_messages;   /* that could not be read as a packet */
	unsigned int verdict_errors; /* verdicts that the kernel refused */
};

/*
 * Binds the queue in the caller's network namespace. -EBUSY: somebody else owns it; -EPERM: no
 * CAP_NET_ADMIN; -EPROTONOSUPPORT or -EINVAL: no NFQUEUE in this kernel; or another errno.
 */
int queue_open(uint16_t number, uint32_t max_held, struct queue **ret_queue);
/* The descriptor to poll for packets. */
int queue_fd(const struct queue *queue);
/*
 * Takes the packets that are there, at most QUEUE_BATCH_MAX. Their data is valid until the next
 * call. Without wait, returns 0 with no packets only if there are none. With wait, sleeps until
 * there is something, and it may have been no packet. losses is always filled.
 */
int queue_receive(struct queue *queue, bool wait, struct held_packet *ret_packets, size_t *ret_n,
		  struct queue_losses *ret_losses);
/* From any thread: ends the queue_receive() that waits, or the next one that would. */
int queue_wake(const struct queue *queue);
/* n verdicts, in the order in which their packets were received; all of one batch. */
int queue_verdicts(struct queue *queue, const struct verdict *verdicts, size_t n);
/*
 * From here on packets pass unqueued; those held are still to be received and given verdicts:
 * call queue_receive() until it brings none.
 */
int queue_stop(struct queue *queue);
/*
 * Packets pass unqueued, and all that are held are accepted as they are, received or not. From any
 * thread, and from a signal handler, as long as nobody closes the queue.
 */
int queue_let_go(const struct queue *queue);
/* From here on packets are held again. */
int queue_resume(struct queue *queue);
/* The kernel drops what is still held. */
void queue_close(struct queue *queue);

/* The netlink port id (mostly the process id) that owns a queue, 0 if nobody does or is told. */
uint32_t queue_owner(uint16_t number);

#endif
