/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "outbox.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_LIMIT ((size_t)1 << 20)

static bool no_memory;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
	return no_memory ? NULL : __real_realloc(memory, size);
}

static void nothing_waits_at_first(void **state)
{
	struct outbox box = {.len = 0};

	(void)state;
	assert_int_equal(outbox_waiting(&box), 0);
	assert_true(outbox_put(&box, "", NO_LIMIT));
	assert_int_equal(outbox_waiting(&box), 1);
	outbox_clear(&box);
	assert_int_equal(outbox_waiting(&box), 0);
	outbox_clear(&box);
}

static void the_limit_counts_what_waits(void **state)
{
	struct outbox box = {.len = 0};

	(void)state;
	assert_false(outbox_put(&box, "1234", 4));
	assert_true(outbox_put(&box, "1234", 5));
	assert_false(outbox_put(&box, "", 5));
	assert_true(outbox_put(&box, "", 6));
	assert_int_equal(outbox_waiting(&box), 6);
	outbox_clear(&box);
}

/* A reader that takes a little now and then gets every line, in order and whole. */
static void slow_readers_get_everything(void **state)
{
	const int small = 4096;
	struct outbox box = {.len = 0};
	unsigned int put = 0, got = 0;
	int fds[2];
	FILE *reader;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	reader = fdopen(fds[1], "r");
	assert_non_null(reader);
	while (got < 2000) {
		char line[512], expected[512];

		for (; outbox_waiting(&box) < 8192 && put < 2000; put++) {
			snprintf(line, sizeof(line), "%0*u", 1 + (int)(put % 300), put);
			assert_true(outbox_put(&box, line, NO_LIMIT));
		}
		if (outbox_send(&box, fds[0]) == -EAGAIN)
			assert_true(outbox_waiting(&box) > 0);
		assert_non_null(fgets(line, sizeof(line), reader));
		snprintf(expected, sizeof(expected), "%0*u\n", 1 + (int)(got % 300), got);
		assert_string_equal(line, expected);
		got++;
	}
	assert_int_equal(outbox_waiting(&box), 0);
	outbox_clear(&box);
	fclose(reader);
	close(fds[0]);
}

static void without_memory_nothing_is_lost(void **state)
{
	struct outbox box = {.len = 0};

	(void)state;
	no_memory = true;
	assert_false(outbox_put(&box, "line", NO_LIMIT));
	assert_int_equal(outbox_waiting(&box), 0);
	no_memory = false;
	assert_true(outbox_put(&box, "line", NO_LIMIT));
	assert_int_equal(outbox_waiting(&box), 5);
	outbox_clear(&box);
}

static void who_has_left_is_an_error(void **state)
{
	struct outbox box = {.len = 0};
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);
	assert_true(outbox_put(&box, "line", NO_LIMIT));
	assert_int_equal(outbox_send(&box, fds[0]), -EPIPE);
	assert_int_equal(outbox_waiting(&box), 5);
	outbox_clear(&box);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_waits_at_first),
		cmocka_unit_test(the_limit_counts_what_waits),
		cmocka_unit_test(slow_readers_get_everything),
		cmocka_unit_test(without_memory_nothing_is_lost),
		cmocka_unit_test(who_has_left_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
