/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "child.h"
#include "clock.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int says_a_word(void *arg, int out)
{
	return write(out, arg, strlen(arg)) == (ssize_t)strlen(arg) ? 3 : 4;
}

static int never_ends(void *arg, int out)
{
	if (write(out, arg, 1) == 1)
		pause();
	return 0;
}

static int kills_itself(void *arg, int out)
{
	(void)arg;
	(void)out;
	kill(getpid(), SIGKILL);
	return 0;
}

static int writes_a_lot(void *arg, int out)
{
	char line[1000];

	(void)arg;
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 1000; i++) {
		if (write(out, line, sizeof(line)) != (ssize_t)sizeof(line))
			return 1;
	}
	return 0;
}

static struct child start(child_body *body, const char *arg)
{
	struct child child;

	assert_int_equal(child_start(body, (void *)arg, 0, &child), 0);
	return child;
}

static void test_answer_and_status(void **state)
{
	struct child child = start(says_a_word, "word");
	char buf[16] = "";
	size_t len;

	(void)state;
	assert_int_equal(
		child_finish(&child, clock_ms(CLOCK_MONOTONIC) + 10000, buf, sizeof(buf), &len), 3);
	assert_int_equal(len, 4);
	assert_string_equal(buf, "word");
}

/* What it has written until then is there. */
static void test_deadline(void **state)
{
	struct child child = start(never_ends, "x");
	char buf[16] = "";
	size_t len;

	(void)state;
	assert_int_equal(
		child_finish(&child, clock_ms(CLOCK_MONOTONIC) + 1000, buf, sizeof(buf), &len),
		-ETIMEDOUT);
	assert_int_equal(len, 1);
	assert_int_equal(kill(child.pid, 0), -1);
}

static void test_killed(void **state)
{
	struct child child = start(kills_itself, NULL);
	size_t len = 1;
	char buf[1];

	(void)state;
	assert_int_equal(
		child_finish(&child, clock_ms(CLOCK_MONOTONIC) + 10000, buf, sizeof(buf), &len),
		-EINTR);
	assert_int_equal(len, 0);
}

/* More than the buffer, and more than a pipe holds. */
static void test_more_than_asked_for(void **state)
{
	struct child child = start(writes_a_lot, NULL);
	char buf[10];
	size_t len;

	(void)state;
	assert_int_equal(
		child_finish(&child, clock_ms(CLOCK_MONOTONIC) + 10000, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, sizeof(buf));
}

/* A parent that leaves its child behind takes it along: then nobody has the pipe open any more. */
static void test_ends_with_its_parent(void **state)
{
	struct child child;
	int held[2];
	pid_t parent;
	int status;
	char byte;

	(void)state;
	assert_int_equal(pipe(held), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		if (child_start(never_ends, (void *)"x", 0, &child) < 0 ||
		    read(child.out, &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	close(held[1]);
	alarm(10);
	assert_int_equal(read(held[0], &byte, 1), 0);
	alarm(0);
	close(held[0]);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_and_status),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_more_than_asked_for),
		cmocka_unit_test(test_ends_with_its_parent),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
