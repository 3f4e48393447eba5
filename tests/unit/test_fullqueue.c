/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of fullqueue: every SYN is told once, each listener not too often, the table is bounded. */
#include "config.h"

#include "fullqueue.h"
#include "unit.h"

#include <string.h>

#define SECOND 1000000u /* in microseconds */

static struct fullqueue table;

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static struct incident met(uint16_t port, uint32_t syns)
{
	struct incident incident = {.finding = FINDING_ACCEPT_QUEUE_FULL,
				    .time_ns = port * 1000u,
				    .syns = syns,
				    .has_occupant = true};

	incident.occupant.state = TCPSTATE_LISTEN;
	incident.occupant.tuple.src.addr = addr_from_v4(htonl(INADDR_LOOPBACK));
	incident.occupant.tuple.src.port = htons(port);
	return incident;
}

static void add(uint16_t port, uint32_t syns, uint64_t now_us)
{
	struct incident incident = met(port, syns), forgotten;

	assert_false(fullqueue_add(&table, &incident, now_us, &forgotten));
}

/* The SYNs that are told now of one listener, 0 if nothing is. */
static uint32_t take(uint16_t port, uint64_t now_us)
{
	struct incident told;

	if (!fullqueue_take(&table, now_us, &told))
		return 0;
	assert_int_equal(told.occupant.tuple.src.port, htons(port));
	return told.syns;
}

static void nothing_is_due_in_the_beginning(void **state)
{
	(void)state;
	assert_int_equal(take(0, UINT64_MAX), 0);
	assert_true(fullqueue_wait_us(&table, 0) == UINT64_MAX);
}

static void the_first_is_told_at_once_and_the_others_together(void **state)
{
	(void)state;
	add(80, 1, 5 * SECOND);
	assert_int_equal(fullqueue_wait_us(&table, 5 * SECOND), 0);
	assert_int_equal(take(80, 5 * SECOND), 1);
	assert_int_equal(take(80, 5 * SECOND), 0);
	assert_true(fullqueue_wait_us(&table, 5 * SECOND) == UINT64_MAX);

	add(80, 3, 6 * SECOND);
	add(80, 4, 7 * SECOND);
	assert_int_equal(fullqueue_wait_us(&table, 7 * SECOND), 8 * SECOND);
	assert_int_equal(take(80, 15 * SECOND - 1), 0);
	assert_int_equal(take(80, 15 * SECOND), 7);
	assert_int_equal(take(80, 99 * SECOND), 0);
	assert_int_equal(table.entries[0].total, 8);
	assert_int_equal(table.entries[0].first_ns, 80000);
}

static void one_that_was_quiet_is_told_at_once_again(void **state)
{
	(void)state;
	add(80, 1, 0);
	assert_int_equal(take(80, 0), 1);
	add(80, 1, 60 * SECOND);
	assert_int_equal(take(80, 60 * SECOND), 1);
}

static void listeners_do_not_wait_for_each_other(void **state)
{
	(void)state;
	add(80, 1, 0);
	assert_int_equal(take(80, 0), 1);
	add(81, 2, SECOND);
	add(80, 1, SECOND);
	assert_int_equal(take(81, SECOND), 2);
	assert_int_equal(take(81, SECOND), 0);
	assert_int_equal(table.n, 2);
}

/* The same port at another address is another listener; a server that starts again is not. */
static void a_listener_is_an_address_and_a_port(void **state)
{
	struct incident other = met(80, 1), again = met(80, 1), forgotten;

	(void)state;
	other.occupant.tuple.src.addr = in6addr_any;
	again.occupant.cookie = 77;
	add(80, 1, 0);
	assert_false(fullqueue_add(&table, &other, 0, &forgotten));
	assert_false(fullqueue_add(&table, &again, 0, &forgotten));
	assert_int_equal(table.n, 2);
	assert_int_equal(table.entries[0].last.syns, 2);
	assert_int_equal(table.entries[0].last.occupant.cookie, 77);
}

static void the_quietest_makes_room_and_is_told(void **state)
{
	struct incident late = met(1000, 1), forgotten;

	(void)state;
	for (uint16_t i = 0; i < FULLQUEUE_MAX; i++)
		add((uint16_t)(100 + i), 1, i * SECOND);
	add(100, 1, FULLQUEUE_MAX * SECOND);
	assert_true(fullqueue_add(&table, &late, FULLQUEUE_MAX * SECOND, &forgotten));
	assert_int_equal(table.n, FULLQUEUE_MAX);
	assert_int_equal(forgotten.occupant.tuple.src.port, htons(101));
	assert_int_equal(forgotten.syns, 1);

	/* The next one has nothing left to tell. */
	while (fullqueue_take(&table, 99 * SECOND, &forgotten))
		;
	late = met(1001, 1);
	assert_false(fullqueue_add(&table, &late, 99 * SECOND, &forgotten));
}

static void chance_loses_no_syn(void **state)
{
	struct unit_random random = {20240229};
	uint64_t came = 0, told = 0, now_us = 0;
	struct incident incident;

	(void)state;
	for (unsigned int i = 0; i < 100000; i++) {
		struct incident new =
			met((uint16_t)(1 + unit_random_below(&random, 2 * FULLQUEUE_MAX)),
			    1 + unit_random_below(&random, 9));

		now_us += unit_random_below(&random, SECOND);
		came += new.syns;
		if (fullqueue_add(&table, &new, now_us, &incident))
			told += incident.syns;
		while (unit_random_below(&random, 2) && fullqueue_take(&table, now_us, &incident))
			told += incident.syns;
		assert_true(table.n <= FULLQUEUE_MAX);
	}
	while (fullqueue_take(&table, UINT64_MAX, &incident))
		told += incident.syns;
	assert_int_equal(told, came);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_due_in_the_beginning),
		TEST(the_first_is_told_at_once_and_the_others_together),
		TEST(one_that_was_quiet_is_told_at_once_again),
		TEST(listeners_do_not_wait_for_each_other),
		TEST(a_listener_is_an_address_and_a_port),
		TEST(the_quietest_makes_room_and_is_told),
		TEST(chance_loses_no_syn),
	};

	return cmocka_run_group_tests_name("fullqueue", tests, NULL, NULL);
}
