/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats: counters that one thread writes and any thread reads.
 *
 * Each worker has its own; readers add them up. All values are counts since start unless said
 * otherwise.
 */
#ifndef CW_STATS_H
#define CW_STATS_H

#include "action.h"
#include "outcome.h"
#include "tcpstate.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum stat {
	STAT_HELD,	     /* packets received from the queue */
	STAT_BATCHES,	     /* receives that brought at least one packet */
	STAT_HELD_PEAK,	     /* a high-water mark: most packets in one batch */
	STAT_NOT_LOOPBACK,   /* packets that came in on another interface */
	STAT_OVERRUNS,	     /* ENOBUFS: the receive buffer was full */
	STAT_MISSED,	     /* packet ids that never reached us */
	STAT_BAD_MESSAGES,   /* messages of the kernel that could not be read */
	STAT_VERDICT_ERRORS, /* verdicts that the kernel did not take */
	STAT_LOOKUP_ERRORS,  /* look-ups without a usable answer */
	STAT_DESTROYED,	     /* occupants destroyed */
	STAT_EVENTS_LOST,    /* the ring to the main thread was full */
	STAT_LET_GO,	     /* packets that did not wait for the worker (failopen.h) */
	STAT_COUNT
};

/* Upper bounds, in microseconds, of the buckets of the time from receipt to verdict. */
#define STATS_BUCKETS 14
extern const uint32_t stats_bucket_us[STATS_BUCKETS];

/* As many kinds as packet.h has; stats is below it and cannot ask. */
#define STATS_PACKET_KINDS 10

struct stats {
	_Atomic uint64_t count[STAT_COUNT];
	_Atomic uint64_t packet[STATS_PACKET_KINDS]; /* by enum packet_kind */
	_Atomic uint64_t finding[FINDING_COUNT];
	_Atomic uint64_t not_stale[TCPSTATE_COUNT]; /* by the occupant's state */
	_Atomic uint64_t collision[TCPSTATE_COUNT][ACTION_COUNT][RESULT_COUNT];
	_Atomic uint64_t bucket[STATS_BUCKETS + 1]; /* the last one has no upper bound */
	_Atomic uint64_t time_us;		    /* sum over all packets */
};

/* Only the thread that owns the counter may call these two. */
static inline void stats_add(_Atomic uint64_t *counter, uint64_t n)
{
	/* One writer: a plain load and store, no locked instruction. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}
/* n packets had their verdicts us microseconds after receipt. */
void stats_add_time(struct stats *stats, uint64_t us, uint64_t n);
static inline void stats_raise(_Atomic uint64_t *mark, uint64_t value)
{
	if (value > atomic_load_explicit(mark, memory_order_relaxed))
		atomic_store_explicit(mark, value, memory_order_relaxed);
}

static inline uint64_t stats_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Adds every value of from to sum (high-water marks: the larger one); sum is the caller's. */
void stats_accumulate(struct stats *sum, const struct stats *from);

#endif
