/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "stats.h"

/* Around what is seen: tens of microseconds for a look-up, milliseconds under load. */
const uint32_t stats_bucket_us[STATS_BUCKETS] = {
	10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 1000000,
};

void stats_add_time(struct stats *stats, uint64_t us, uint64_t n)
{
	size_t i = 0;

	while (i < STATS_BUCKETS && us > stats_bucket_us[i])
		i++;
	stats_add(&stats->bucket[i], n);
	stats_add(&stats->time_us, us * n);
}

void stats_accumulate(struct stats *sum, const struct stats *from)
{
	/* Nothing but counters of one type: the struct is an array of them. */
	_Static_assert(sizeof(*sum) % sizeof(_Atomic uint64_t) == 0, "only counters in here");
	_Atomic uint64_t *to = (_Atomic uint64_t *)sum;
	const _Atomic uint64_t *values = (const _Atomic uint64_t *)from;
	uint64_t peak = stats_get(&sum->count[STAT_HELD_PEAK]);

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		stats_add(&to[i], stats_get(&values[i]));

	atomic_store_explicit(&sum->count[STAT_HELD_PEAK], peak, memory_order_relaxed);
	stats_raise(&sum->count[STAT_HELD_PEAK], stats_get(&from->count[STAT_HELD_PEAK]));
}
