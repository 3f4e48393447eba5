/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of the incidents, held against a list of all of them. */
#include "config.h"

#include "recent.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* Kinds of events in this test: mines, and these. */
static const enum finding findings[] = {
	FINDING_COLLISION,	   FINDING_UNPROVEN,	  FINDING_FOREIGN_SOURCE,
	FINDING_ACCEPT_QUEUE_FULL, FINDING_LOOKUP_FAILED,
};
#define KINDS (sizeof(findings) / sizeof(findings[0]) + 1)
#define MINE  (KINDS - 1)

static struct recent recent;

/* An incident is known again by the time of it, which is its number here. */
static void add(size_t kind)
{
	struct incident incident = {.time_ns = recent.total};

	if (kind == MINE)
		incident.kind = INCIDENT_MINE;
	else
		incident.finding = findings[kind];
	recent_add(&recent, &incident);
}

static void add_many(size_t kind, size_t n)
{
	while (n-- > 0)
		add(kind);
}

static bool is_of(const struct incident *incident, size_t kind)
{
	if (kind == MINE || incident->kind == INCIDENT_MINE)
		return kind == MINE && incident->kind == INCIDENT_MINE;
	return incident->finding == findings[kind];
}

static size_t count(size_t kind)
{
	size_t n = 0;

	for (size_t i = 0; i < recent_kept(&recent); i++)
		n += is_of(recent_get(&recent, i), kind);
	return n;
}

static int set_up(void **state)
{
	(void)state;
	memset(&recent, 0, sizeof(recent));
	return 0;
}

static void keeps_the_last(void **state)
{
	(void)state;
	assert_int_equal(recent_kept(&recent), 0);
	add_many(0, 1);
	assert_int_equal(recent_kept(&recent), 1);
	assert_int_equal(recent_get(&recent, 0)->time_ns, 0);
	add_many(0, 3 * RECENT_MAX);
	assert_int_equal(recent_kept(&recent), RECENT_MAX);
	assert_int_equal(recent.total, 3 * RECENT_MAX + 1);
	for (size_t i = 0; i < RECENT_MAX; i++)
		assert_int_equal(recent_get(&recent, i)->time_ns, recent.total - 1 - i);
}

/* Half of the room is left to those who were there first, and to those who come meanwhile. */
static void a_flood_displaces_itself(void **state)
{
	(void)state;
	add_many(0, 20);
	add_many(MINE, 100000);
	assert_int_equal(count(0), 20);
	assert_int_equal(count(MINE), RECENT_MAX - 20);
	/* The oldest of all is still the first. */
	assert_int_equal(recent_get(&recent, RECENT_MAX - 1)->time_ns, 0);
	add_many(0, 1000);
	assert_int_equal(count(0), RECENT_MAX / 2);
	add_many(MINE, 100000);
	assert_int_equal(count(0), RECENT_MAX / 2);
	assert_int_equal(count(MINE), RECENT_MAX / 2);
	/* A third kind makes room for itself with both. */
	add_many(1, 10);
	assert_int_equal(count(1), 10);
}

/* What was added: its kind, and how many of that kind there were with it. */
struct added {
	size_t kind, rank;
};

/* Of each kind the last ones, in their order, and at least its share. */
static void check(const struct added *added, const size_t ever[KINDS])
{
	size_t seen[KINDS] = {0};

	for (size_t i = 0; i < recent_kept(&recent); i++) {
		const struct incident *incident = recent_get(&recent, i);
		const struct added *was = &added[incident->time_ns];

		assert_true(is_of(incident, was->kind));
		assert_true(i == 0 || incident->time_ns < recent_get(&recent, i - 1)->time_ns);
		assert_int_equal(was->rank, ever[was->kind] - seen[was->kind]);
		seen[was->kind]++;
	}
	for (size_t kind = 0; kind < KINDS; kind++)
		assert_true(seen[kind] == ever[kind] || seen[kind] >= RECENT_MAX / KINDS);
}

/* Floods of one after the other, with others between. */
static void any_order(void **state)
{
	const size_t rounds = unit_rounds(20000);
	struct added *added = calloc(rounds, sizeof(*added));
	struct unit_random random = {1};
	size_t ever[KINDS] = {0}, flooding = 0;

	(void)state;
	assert_non_null(added);
	for (size_t n = 0; n < rounds; n++) {
		size_t kind = flooding;

		if (unit_random_below(&random, 300) == 0)
			flooding = unit_random_below(&random, KINDS);
		if (unit_random_below(&random, 8) == 0)
			kind = unit_random_below(&random, KINDS);
		added[n] = (struct added){kind, ++ever[kind]};
		add(kind);
		assert_int_equal(recent_kept(&recent), n < RECENT_MAX ? n + 1 : RECENT_MAX);
		check(added, ever);
	}
	free(added);
}

#define RECENT_TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECENT_TEST(keeps_the_last),
		RECENT_TEST(a_flood_displaces_itself),
		RECENT_TEST(any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
