/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limits of a second: events told, sockets destroyed. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/monotime.h"
#include "lib/sockets.h"
#include "stage.h"

#define BURST 40

/* The descriptors of the last ones laid. */
static int mines[BURST];

static void lay_mines(struct stage *s, uint16_t n)
{
	assert_true(n <= BURST);
	for (uint16_t i = 0; i < n; i++)
		mines[i] = stage_mine(s, CLIENT_PORT + i).fd;
}

/* Seconds begun since then. */
static long seconds_since(int64_t start_ns)
{
	return (long)((mono_ns() - start_ns) / 1000000000) + 1;
}

static void collide_rejected(struct stage *s, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(stage_connect(s, CLIENT_PORT + i, AT_ONCE_MS).rc, -ECONNREFUSED);
}

/* The sum of every "suppressed N events". */
static long suppressed(struct stage *s)
{
	long sum = 0;

	for (size_t i = 0; i < s->daemon.log.count; i++) {
		const char *message = s->daemon.log.lines[i].message;

		if (message && strncmp(message, "suppressed ", 11) == 0)
			sum += atol(message + 11);
	}
	return sum;
}

/* What is not told is counted, and the count is told, although no other event follows. */
static void events_per_second(struct stage *s)
{
	int64_t start;
	long told;

	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };"
			 "limits = { events_per_second = 5; };");
	lay_mines(s, BURST);
	start = mono_ns();
	collide_rejected(s, BURST);
	told = (long)strtol(daemon_message(&s->daemon, "suppressed ") + 11, NULL, 10);
	assert_true(told > 0);
	daemon_stop(&s->daemon);

	told = (long)daemon_count_events(&s->daemon, "collision");
	assert_in_range(told, 5, 5 + 5 * seconds_since(start));
	assert_int_equal(told + suppressed(s), BURST);
	assert_int_equal(daemon_total(&s->daemon, "collisions"), BURST);
}

static void events_without_limit(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };"
			 "limits = { events_per_second = 0; };");
	lay_mines(s, BURST);
	collide_rejected(s, BURST);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_count_events(&s->daemon, "collision"), BURST);
}

/* Stopped while some are still untold: the count comes with the end. */
static void suppressed_at_the_end(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "policy = { default = \"reject\"; };"
			 "limits = { events_per_second = 1; };");
	lay_mines(s, BURST);
	collide_rejected(s, BURST);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_count_events(&s->daemon, "collision") + (size_t)suppressed(s),
			 BURST);
}

/* Beyond the limit the kernel is left to do what it does by itself. */
static void destroy_per_second(struct stage *s)
{
	int64_t start;
	long destroyed, limited = 0;
	uint16_t port = CLIENT_PORT + BURST;
	const char *result;

	stage_listen(s, 1024);
	stage_protect(s, "limits = { destroy_per_second = 3; events_per_second = 0; };");
	lay_mines(s, BURST);
	start = mono_ns();
	for (uint16_t i = 0; i < BURST; i++)
		stage_connects(s, CLIENT_PORT + i);
	for (int i = 0; i < BURST; i++) {
		result = event_text(daemon_event(&s->daemon, "collision"), "result");
		limited += strcmp(result, "limited") == 0;
		if (i < 3)
			assert_string_equal(result, "destroyed");
	}
	destroyed = BURST - limited;
	assert_in_range(destroyed, 3, 3 + 3 * seconds_since(start));
	for (int i = 0; i < BURST; i++)
		destroyed -= sock_error(mines[i]) == ECONNABORTED;
	assert_int_equal(destroyed, 0);
	/* The kernel has healed the others, with one challenge ACK each. */
	stage_expect_challenges(limited);

	/* In the next second there is room again. */
	do {
		assert_true(seconds_since(start) < 10);
		while (sock_accept(s->listener, 0) >= 0)
			;
		stage_mine(s, port);
		stage_connects(s, port++);
		result = event_text(daemon_event(&s->daemon, "collision"), "result");
	} while (strcmp(result, "destroyed") != 0);
}

static void destroy_by_two_workers(struct stage *s)
{
	int64_t start;
	long destroyed;

	stage_listen(s, 1024);
	stage_protect(s, "queue = { workers = 2; }; limits = { destroy_per_second = 4; };");
	lay_mines(s, BURST);
	start = mono_ns();
	for (uint16_t i = 0; i < BURST; i++)
		stage_connects(s, CLIENT_PORT + i);
	daemon_stop(&s->daemon);
	destroyed = daemon_total(&s->daemon, "destroyed");
	/* Together, whichever of them the SYNs come to. */
	assert_in_range(destroyed, 4, 4 + 4 * seconds_since(start));
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"events_per_second", events_per_second, 0, IN_ENFORCE},
		{"events without a limit", events_without_limit, 0, IN_ENFORCE},
		{"suppressed events at the end", suppressed_at_the_end, 0, IN_ENFORCE},
		{"destroy_per_second", destroy_per_second, 0, IN_ENFORCE},
		{"destroy_per_second of two workers", destroy_by_two_workers, 0, IN_ENFORCE},
	};

	return stage_run("limits", tests, COUNT_OF(tests), argc, argv);
}
