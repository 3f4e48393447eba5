/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "processors.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* Wants the headers above it. */
#include <cmocka.h>

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *ret_set);
int __wrap_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set);

static struct {
	cpu_set_t set;
	int get_error, set_error, sets;
} fake;

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *ret_set)
{
	assert_int_equal(pid, 0);
	assert_int_equal(size, sizeof(fake.set));
	*ret_set = fake.set;
	errno = fake.get_error;
	return fake.get_error ? -1 : 0;
}

int __wrap_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	assert_int_equal(pid, 0);
	assert_int_equal(size, sizeof(fake.set));
	fake.sets++;
	errno = fake.set_error;
	if (fake.set_error)
		return -1;
	fake.set = *set;
	return 0;
}

/* The thread may run on the processors of the list, which ends with -1. */
static void begin(const int *processors)
{
	memset(&fake, 0, sizeof(fake));
	for (; *processors >= 0; processors++)
		CPU_SET(*processors, &fake.set);
}

static void assert_on(const int *processors)
{
	int n = 0;

	for (; *processors >= 0; processors++, n++)
		assert_true(CPU_ISSET(*processors, &fake.set));
	assert_int_equal(CPU_COUNT(&fake.set), n);
}

static void takes_every_nth(void **state)
{
	(void)state;
	begin((const int[]){0, 1, 2, 3, 4, 5, 1023, -1});
	assert_int_equal(processors_take_share(1, 2), 0);
	assert_on((const int[]){1, 3, 5, 1023, -1});
	begin((const int[]){0, 1, 2, 3, 4, 5, -1});
	assert_int_equal(processors_take_share(0, 6), 0);
	assert_on((const int[]){0, -1});
	begin((const int[]){0, 1, -1});
	assert_int_equal(processors_take_share(0, 1), 0);
	assert_on((const int[]){0, 1, -1});
	assert_int_equal(fake.sets, 0);
}

static void leaves_what_was_denied(void **state)
{
	(void)state;
	begin((const int[]){1, 2, 4, -1});
	assert_int_equal(processors_take_share(0, 2), 0);
	assert_on((const int[]){2, 4, -1});
}

static void stays_where_it_is_without_a_share(void **state)
{
	(void)state;
	begin((const int[]){0, 1, -1});
	assert_int_equal(processors_take_share(2, 4), 0);
	assert_int_equal(fake.sets, 0);
}

static void tells_errors(void **state)
{
	(void)state;
	begin((const int[]){0, 1, -1});
	fake.get_error = EINVAL;
	assert_int_equal(processors_take_share(0, 2), -EINVAL);
	assert_int_equal(fake.sets, 0);
	begin((const int[]){0, 1, -1});
	fake.set_error = EPERM;
	assert_int_equal(processors_take_share(0, 2), -EPERM);
}

static void there_is_always_one(void **state)
{
	(void)state;
	assert_in_range(processors_count(), 1, CPU_SETSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_nth),
		cmocka_unit_test(leaves_what_was_denied),
		cmocka_unit_test(stays_where_it_is_without_a_share),
		cmocka_unit_test(tells_errors),
		cmocka_unit_test(there_is_always_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
