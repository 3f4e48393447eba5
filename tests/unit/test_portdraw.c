/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chance against what can be counted by hand, and against the kernel's algorithm played through
 * connect by connect. That the kernel really does so is for tests/netns/test_scan_chance to see.
 */
#include "config.h"

#include "portdraw.h"
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define LOW 20000
/* Of one run of the game; the share is then right to about 0.3 %. */
#define CONNECTS 200000

static struct portset taken, mined;
static struct unit_random chance_of;

static int set_up(void **state)
{
	(void)state;
	memset(&taken, 0, sizeof(taken));
	memset(&mined, 0, sizeof(mined));
	chance_of.state = 7;
	return 0;
}

static struct portdraw_chance ask(uint16_t low, uint16_t high)
{
	const struct portdraw draw = {low, high, &taken, &mined};
	struct portdraw_chance chance;

	assert_int_equal(portdraw_chance(&draw, &chance), 0);
	return chance;
}

static void expect(uint16_t high, double share, size_t ports, size_t mines)
{
	struct portdraw_chance chance = ask(LOW, high);

	if (fabs(chance.share - share) > 1e-9)
		fail_msg("%u to %u: share %.9f, not %.9f", LOW, high, chance.share, share);
	assert_int_equal(chance.ports, ports);
	assert_int_equal(chance.mines, mines);
}

static void an_empty_range_has_no_chance(void **state)
{
	(void)state;
	portset_add(&mined, LOW);
	expect(LOW - 1, 0, 0, 0);
	expect(0, 0, 0, 0);
}

/* 2000, 2002, ... are drawn, and the odd one at the end is not. */
static void every_other_port_is_drawn(void **state)
{
	(void)state;
	expect(LOW + 499, 0, 250, 0);
	for (uint16_t port = LOW + 1; port < LOW + 500; port += 2)
		portset_add(&mined, port);
	expect(LOW + 499, 0, 250, 0);
	portset_add(&mined, LOW + 500);
	expect(LOW + 500, 0, 250, 0);
	for (uint16_t port = LOW; port < LOW + 50; port += 2)
		portset_add(&mined, port);
	expect(LOW + 499, 0.1, 250, 25);
	portset_add(&mined, LOW - 2);
	expect(LOW + 499, 0.1, 250, 25);
}

static void the_others_when_none_is_left(void **state)
{
	(void)state;
	for (uint16_t port = LOW; port < LOW + 100; port += 2)
		portset_add(&taken, port);
	portset_add(&mined, LOW);
	expect(LOW + 99, 0, 50, 0);
	portset_add(&mined, LOW + 1);
	expect(LOW + 99, 0.02, 50, 1);
	for (uint16_t port = LOW + 1; port < LOW + 100; port += 2)
		portset_add(&taken, port);
	expect(LOW + 99, 0, 0, 0);
}

static void tiny_ranges(void **state)
{
	(void)state;
	portset_add(&mined, LOW);
	expect(LOW, 1, 1, 1);
	expect(LOW + 1, 1, 1, 1);
	expect(LOW + 2, 1, 1, 1);
	expect(LOW + 3, 0.5, 2, 1);
	portset_add(&taken, LOW);
	expect(LOW, 0, 0, 0);
	expect(LOW + 1, 0, 1, 0);
	expect(LOW + 3, 0, 1, 0);
	portset_add(&mined, LOW + 2);
	expect(LOW + 3, 1, 1, 1);
}

static void the_whole_range_of_ports(void **state)
{
	struct portdraw_chance chance;

	(void)state;
	portset_add(&mined, 65534);
	chance = ask(0, 65535);
	assert_int_equal(chance.ports, 32768);
	assert_int_equal(chance.mines, 1);
	assert_true(fabs(chance.share * 32768 - 1) < 1e-6);
}

/* The kernel's loop as it stands there, on ports. */
static double play(uint16_t high)
{
	const unsigned int remaining = (unsigned int)(high - LOW + 1) & ~1U;
	unsigned int perturb = 0, hits = 0;

	for (unsigned int n = 0; n < CONNECTS; n++) {
		unsigned int offset = perturb % remaining & ~1U;
		unsigned int port = LOW + offset, i, least;

		for (i = 0; i < remaining; i += 2, port += 2) {
			if (port > high)
				port -= remaining;
			if (!portset_has(&taken, (uint16_t)port))
				break;
		}
		hits += portset_has(&mined, (uint16_t)port);
		least = unit_random_below(&chance_of, 8) * 2;
		perturb += (i > least ? i : least) + 2;
	}
	return (double)hits / CONNECTS;
}

static void compare(uint16_t high)
{
	double played = play(high), share = ask(LOW, high).share;

	/* Four standard deviations at worst: the walk spreads more evenly than dice. */
	if (fabs(played - share) > 4 * sqrt(played * (1 - played) / CONNECTS) + 1e-6)
		fail_msg("played %.4f, computed %.4f", played, share);
}

/* Scattered, in long runs, with a mine just behind a run, nearly everything. */
static void as_the_kernel_plays(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 40; n++)
		portset_add(&mined, (uint16_t)(LOW + 2 * unit_random_below(&chance_of, 250)));
	compare(LOW + 499);
	for (unsigned int n = 0; n < 60; n++)
		portset_add(&taken, (uint16_t)(LOW + 100 + 2 * n));
	compare(LOW + 499);
	portset_add(&mined, LOW + 220);
	compare(LOW + 499);
	for (unsigned int n = 0; n < 60; n++)
		portset_add(&taken, (uint16_t)(LOW + 2 * unit_random_below(&chance_of, 250)));
	compare(LOW + 499);
	for (unsigned int n = 0; n < 240; n++)
		portset_add(&taken, (uint16_t)(LOW + 2 * n));
	compare(LOW + 499);
}

static void random_tables(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		unsigned int pairs = 2 + unit_random_below(&chance_of, 60);

		set_up(state);
		chance_of.state = round + 1;
		for (unsigned int n = unit_random_below(&chance_of, pairs); n > 0; n--)
			portset_add(&mined,
				    (uint16_t)(LOW + 2 * unit_random_below(&chance_of, pairs)));
		for (unsigned int n = unit_random_below(&chance_of, pairs); n > 0; n--)
			portset_add(&taken,
				    (uint16_t)(LOW + 2 * unit_random_below(&chance_of, pairs)));
		compare((uint16_t)(LOW + 2 * pairs - 1));
	}
}

#define DRAW_TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRAW_TEST(an_empty_range_has_no_chance),
		DRAW_TEST(every_other_port_is_drawn),
		DRAW_TEST(the_others_when_none_is_left),
		DRAW_TEST(tiny_ranges),
		DRAW_TEST(the_whole_range_of_ports),
		DRAW_TEST(as_the_kernel_plays),
		DRAW_TEST(random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
