/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ratelimit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* Wants the four headers above it. */
#include <cmocka.h>

#define SECOND 1000000u /* in microseconds */

/* How many of n are let through at one moment. */
static unsigned int take(struct ratelimit *limit, unsigned int n, uint64_t now_us)
{
	unsigned int taken = 0;

	while (n-- > 0)
		taken += ratelimit_take(limit, now_us);
	return taken;
}

static void zero_is_no_limit(void **state)
{
	struct ratelimit limit = {0};

	(void)state;
	assert_int_equal(take(&limit, 100000, 5), 100000);
}

static void starts_full_and_holds_one_second(void **state)
{
	struct ratelimit limit = {0};

	(void)state;
	ratelimit_set(&limit, 20);
	assert_int_equal(take(&limit, 100, 7 * SECOND), 20);
	/* A day earns no more than a second does. */
	assert_int_equal(take(&limit, 100, 86400ull * SECOND), 20);
}

static void earns_at_its_rate(void **state)
{
	struct ratelimit limit = {0};

	(void)state;
	ratelimit_set(&limit, 20);
	take(&limit, 20, 0);
	assert_int_equal(take(&limit, 5, 49999), 0);
	assert_int_equal(take(&limit, 5, 50000), 1);
	assert_int_equal(take(&limit, 5, 99999), 0);
	assert_int_equal(take(&limit, 5, 100000), 1);
	assert_int_equal(take(&limit, 50, 100000 + 500000), 10);
}

/* Fractions add up, also where asking again and again earns less than one at a time. */
static void loses_no_fraction(void **state)
{
	struct ratelimit limit = {0};
	unsigned int taken = 0;

	(void)state;
	ratelimit_set(&limit, 3);
	take(&limit, 3, 0);
	for (uint64_t now = 1; now <= 100 * (uint64_t)SECOND; now += 1 + now % 1009)
		taken += ratelimit_take(&limit, now);
	assert_in_range(taken, 299, 300);
}

/* Of rates and of clocks: a million a second is the most that a configuration takes. */
static void the_ends_of_the_ranges(void **state)
{
	const uint64_t years_500 = 500ull * 365 * 86400 * SECOND;
	struct ratelimit fast = {0}, slow = {0};

	(void)state;
	ratelimit_set(&fast, SECOND);
	assert_int_equal(take(&fast, 2 * SECOND, 0), SECOND);
	assert_int_equal(take(&fast, 10, 3), 3);
	assert_int_equal(take(&fast, 2 * SECOND, years_500), SECOND);

	ratelimit_set(&slow, 1);
	assert_int_equal(take(&slow, 10, years_500), 1);
	assert_int_equal(take(&slow, 10, years_500 + SECOND - 1), 0);
	assert_int_equal(take(&slow, 10, years_500 + SECOND), 1);
}

static void a_new_rate_keeps_what_fits(void **state)
{
	struct ratelimit limit = {0};

	(void)state;
	/* Lower: no more than its own second's worth. */
	ratelimit_set(&limit, 100);
	ratelimit_set(&limit, 10);
	assert_int_equal(take(&limit, 100, 0), 10);
	/* Higher: nothing is given away, it is earned from here on. */
	ratelimit_set(&limit, 1000);
	assert_int_equal(take(&limit, 100, 0), 0);
	assert_int_equal(take(&limit, 100, 10000), 10);
	/* The same again, as at every reload: an empty bucket stays empty. */
	ratelimit_set(&limit, 1000);
	assert_int_equal(take(&limit, 100, 10000), 0);
}

/* Threads whose clocks are not read in the order in which they come. */
static void an_older_time_earns_nothing(void **state)
{
	struct ratelimit limit = {0};

	(void)state;
	ratelimit_set(&limit, 10);
	assert_int_equal(take(&limit, 100, 5 * SECOND), 10);
	assert_int_equal(take(&limit, 100, 5 * SECOND - 7), 0);
	assert_int_equal(take(&limit, 100, 5 * SECOND + 100000), 1);
}

enum { THREADS = 4, EACH = 20000 };

static void *take_many(void *limit)
{
	return (void *)(uintptr_t)take(limit, EACH, 0);
}

/* At one and the same time they get together what one alone would get. */
static void threads_share_it(void **state)
{
	struct ratelimit limit = {0};
	pthread_t threads[THREADS];
	unsigned int taken = 0;

	(void)state;
	ratelimit_set(&limit, EACH);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, &limit), 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		taken += (unsigned int)(uintptr_t)result;
	}
	assert_int_equal(taken, EACH);
}

static void a_limit_after_none_starts_full(void **state)
{
	struct ratelimit limit = {0};

	(void)state;
	ratelimit_set(&limit, 10);
	assert_int_equal(take(&limit, 100, 0), 10);
	ratelimit_set(&limit, 0);
	assert_int_equal(take(&limit, 100, 0), 100);
	ratelimit_set(&limit, 7);
	assert_int_equal(take(&limit, 100, 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_is_no_limit),
		cmocka_unit_test(starts_full_and_holds_one_second),
		cmocka_unit_test(earns_at_its_rate),
		cmocka_unit_test(loses_no_fraction),
		cmocka_unit_test(the_ends_of_the_ranges),
		cmocka_unit_test(a_new_rate_keeps_what_fits),
		cmocka_unit_test(an_older_time_earns_nothing),
		cmocka_unit_test(threads_share_it),
		cmocka_unit_test(a_limit_after_none_starts_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
