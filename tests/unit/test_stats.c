/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "stats.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* Wants the four headers above it. */
#include <cmocka.h>

#define COUNTERS (sizeof(struct stats) / sizeof(_Atomic uint64_t))

static void adds(void **state)
{
	struct stats stats = {0};

	(void)state;
	stats_add(&stats.count[STAT_HELD], 3);
	stats_add(&stats.count[STAT_HELD], UINT32_MAX);
	assert_int_equal(stats_get(&stats.count[STAT_HELD]), 3 + (uint64_t)UINT32_MAX);
	assert_int_equal(stats_get(&stats.count[STAT_BATCHES]), 0);
}

static void raises_but_never_lowers(void **state)
{
	struct stats stats = {0};

	(void)state;
	stats_raise(&stats.count[STAT_HELD_PEAK], 7);
	stats_raise(&stats.count[STAT_HELD_PEAK], 5);
	assert_int_equal(stats_get(&stats.count[STAT_HELD_PEAK]), 7);
	stats_raise(&stats.count[STAT_HELD_PEAK], 8);
	assert_int_equal(stats_get(&stats.count[STAT_HELD_PEAK]), 8);
}

static void bounds_grow(void **state)
{
	(void)state;
	for (size_t i = 1; i < STATS_BUCKETS; i++)
		assert_true(stats_bucket_us[i] > stats_bucket_us[i - 1]);
}

/* A bound belongs to the bucket below it, as Prometheus' "le" has it. */
static void a_time_goes_into_its_bucket(void **state)
{
	(void)state;
	for (size_t i = 0; i < STATS_BUCKETS; i++) {
		struct stats stats = {0};

		stats_add_time(&stats, stats_bucket_us[i], 2);
		stats_add_time(&stats, stats_bucket_us[i] + 1, 5);
		for (size_t k = 0; k <= STATS_BUCKETS; k++)
			assert_int_equal(stats_get(&stats.bucket[k]),
					 k == i ? 2 : (k == i + 1 ? 5 : 0));
		assert_int_equal(stats_get(&stats.time_us), 7 * (uint64_t)stats_bucket_us[i] + 5);
	}
}

static void extreme_times(void **state)
{
	struct stats stats = {0};

	(void)state;
	stats_add_time(&stats, 0, 4);
	assert_int_equal(stats_get(&stats.bucket[0]), 4);
	assert_int_equal(stats_get(&stats.time_us), 0);
	stats_add_time(&stats, UINT64_MAX, 1);
	assert_int_equal(stats_get(&stats.bucket[STATS_BUCKETS]), 1);
	stats_add_time(&stats, 100, 0);
	assert_int_equal(stats_get(&stats.bucket[3]), 0);
}

/* Each counter of the struct is added up, whatever its name; the peak is the higher one. */
static void accumulates_every_counter(void **state)
{
	struct stats from, sum = {0};
	_Atomic uint64_t *values = (_Atomic uint64_t *)&from;
	const _Atomic uint64_t *totals = (const _Atomic uint64_t *)&sum;
	const size_t peak = (size_t)(&from.count[STAT_HELD_PEAK] - values);

	(void)state;
	for (size_t i = 0; i < COUNTERS; i++)
		atomic_init(&values[i], i + 1);
	stats_accumulate(&sum, &from);
	for (size_t i = 0; i < COUNTERS; i++)
		assert_int_equal(stats_get(&totals[i]), i + 1);
	stats_accumulate(&sum, &from);
	for (size_t i = 0; i < COUNTERS; i++)
		assert_int_equal(stats_get(&totals[i]), i == peak ? i + 1 : 2 * (i + 1));

	atomic_store(&from.count[STAT_HELD_PEAK], 64);
	stats_accumulate(&sum, &from);
	assert_int_equal(stats_get(&sum.count[STAT_HELD_PEAK]), 64);
	atomic_store(&from.count[STAT_HELD_PEAK], 1);
	stats_accumulate(&sum, &from);
	assert_int_equal(stats_get(&sum.count[STAT_HELD_PEAK]), 64);
	/* The one that is added stays as it is. */
	for (size_t i = 0; i < COUNTERS; i++)
		assert_int_equal(stats_get(&values[i]), i == peak ? 1 : i + 1);
}

#define ROUNDS 200000u

static void *write_counters(void *arg)
{
	struct stats *stats = arg;

	for (unsigned int i = 1; i <= ROUNDS; i++) {
		stats_add(&stats->count[STAT_HELD], 1);
		stats_raise(&stats->count[STAT_HELD_PEAK], i);
		stats_add_time(stats, i % 100, 1);
	}
	return NULL;
}

/* A reader beside the writer never sees a counter go back (and the sanitizers see no race). */
static void is_read_while_it_is_written(void **state)
{
	static struct stats stats;
	uint64_t last = 0;
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_counters, &stats), 0);
	while (last < ROUNDS) {
		struct stats sum = {0};
		uint64_t now;

		stats_accumulate(&sum, &stats);
		now = stats_get(&sum.count[STAT_HELD]);
		assert_true(now >= last);
		last = now;
	}
	pthread_join(writer, NULL);
	assert_int_equal(stats_get(&stats.count[STAT_HELD_PEAK]), ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds),
		cmocka_unit_test(raises_but_never_lowers),
		cmocka_unit_test(bounds_grow),
		cmocka_unit_test(a_time_goes_into_its_bucket),
		cmocka_unit_test(extreme_times),
		cmocka_unit_test(accumulates_every_counter),
		cmocka_unit_test(is_read_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
