/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ratelimit.h"

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
	struct ratelimit limit;

	(void)state;
	ratelimit_init(&limit, 0, 5);
	assert_int_equal(take(&limit, 100000, 5), 100000);
}

static void starts_full_and_holds_one_second(void **state)
{
	struct ratelimit limit;

	(void)state;
	ratelimit_init(&limit, 20, 7 * SECOND);
	assert_int_equal(take(&limit, 100, 7 * SECOND), 20);
	/* A day earns no more than a second does. */
	assert_int_equal(take(&limit, 100, 86400ull * SECOND), 20);
}

static void earns_at_its_rate(void **state)
{
	struct ratelimit limit;

	(void)state;
	ratelimit_init(&limit, 20, 0);
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
	struct ratelimit limit;
	unsigned int taken = 0;

	(void)state;
	ratelimit_init(&limit, 3, 0);
	take(&limit, 3, 0);
	for (uint64_t now = 1; now <= 100 * (uint64_t)SECOND; now += 1 + now % 1009)
		taken += ratelimit_take(&limit, now);
	assert_in_range(taken, 299, 300);
}

static void the_largest_rate_does_not_overflow(void **state)
{
	struct ratelimit limit;

	(void)state;
	ratelimit_init(&limit, UINT32_MAX, 0);
	assert_int_equal(take(&limit, 1000, 0), 1000);
	assert_int_equal(take(&limit, 1000, UINT64_MAX), 1000);

	ratelimit_init(&limit, 1, 0);
	assert_int_equal(take(&limit, 10, UINT64_MAX), 1);

	/* 2^31 a second for 2^33 microseconds are 2^64, which is 0. */
	ratelimit_init(&limit, (uint32_t)1 << 31, 0);
	limit.tokens = 0;
	assert_int_equal(take(&limit, 10, (uint64_t)1 << 33), 10);
}

static void a_new_rate_keeps_what_fits(void **state)
{
	struct ratelimit limit;

	(void)state;
	/* Lower: no more than its own second's worth. */
	ratelimit_init(&limit, 100, 0);
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

static void a_limit_after_none_starts_full(void **state)
{
	struct ratelimit limit;

	(void)state;
	ratelimit_init(&limit, 0, 0);
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
		cmocka_unit_test(the_largest_rate_does_not_overflow),
		cmocka_unit_test(a_new_rate_keeps_what_fits),
		cmocka_unit_test(a_limit_after_none_starts_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
