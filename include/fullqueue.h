/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fullqueue: the listeners whose accept queue was found full, and when each is told of.
 *
 * A server that hangs meets every client's SYN with a full queue, thousands a second. Each listener
 * is told of at once when it begins, and then at most once in FULLQUEUE_INTERVAL_US, with the
 * number of SYNs that have met it since. Pure: the caller tells the time.
 */
#ifndef CW_FULLQUEUE_H
#define CW_FULLQUEUE_H

#include "incident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With more of them in trouble at a time, the one that was quiet for longest is forgotten. */
#define FULLQUEUE_MAX	      32
#define FULLQUEUE_INTERVAL_US 10000000

struct fullqueue_entry {
	struct incident last; /* the last SYN; last.syns of them were not told yet */
	uint64_t total;	      /* SYNs since the entry was made */
	uint64_t first_ns;    /* CLOCK_REALTIME of the first */
	uint64_t last_us;     /* monotonic time of the last */
	uint64_t due_us;      /* not told again before that */
};

struct fullqueue {
	struct fullqueue_entry entries[FULLQUEUE_MAX]; /* one for each address and port */
	size_t n;
};

/*
 * Takes an incident over whose finding is FINDING_ACCEPT_QUEUE_FULL. true: a listener had to be
 * forgotten of which not everything was told; that is what *ret_incident tells.
 */
bool fullqueue_add(struct fullqueue *table, const struct incident *incident, uint64_t now_us,
		   struct incident *ret_incident);
/* What is due to be told now; false: nothing is. */
bool fullqueue_take(struct fullqueue *table, uint64_t now_us, struct incident *ret_incident);
/* How long until something is due, UINT64_MAX: nothing waits. */
uint64_t fullqueue_wait_us(const struct fullqueue *table, uint64_t now_us);

#endif
