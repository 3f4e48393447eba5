/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of watchdog: when a queue counts as stuck. What follows from it is in tests/netns. */
#include "config.h"

#include "unit.h"
#include "watchdog.h"

static bool stuck(bool held_before, uint64_t judged_before, bool held, uint64_t judged)
{
	const struct watchdog_view before = {held_before, judged_before};
	const struct watchdog_view now = {held, judged};

	return watchdog_is_stuck(&before, &now);
}

static void test_idle(void **state)
{
	(void)state;
	assert_false(stuck(false, 0, false, 0));
	assert_false(stuck(false, 7, false, 7));
	assert_false(stuck(true, 7, false, 10));
}

static void test_first_seen_now(void **state)
{
	(void)state;
	/* It may have come a moment ago. */
	assert_false(stuck(false, 7, true, 7));
}

static void test_progress(void **state)
{
	(void)state;
	assert_false(stuck(true, 7, true, 8));
	assert_false(stuck(true, 7, true, 100000));
}

static void test_no_progress(void **state)
{
	(void)state;
	assert_true(stuck(true, 0, true, 0));
	assert_true(stuck(true, 7, true, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_first_seen_now),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_no_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
