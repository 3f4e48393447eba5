/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of names: the table that every enum's words go through. */
#include "config.h"

#include "names.h"
#include "unit.h"

#include <errno.h>
#include <limits.h>

static const char *const table[] = {[1] = "one", [2] = "two", [4] = "four"};

static const char *name(unsigned int value)
{
	return names_get(table, NAMES_LEN(table), value);
}

static int parse(const char *text, unsigned int *ret_value)
{
	int index = names_find(table, NAMES_LEN(table), text);

	if (index < 0)
		return index;
	*ret_value = (unsigned int)index;
	return 0;
}

static void test_table_with_gaps(void **state)
{
	(void)state;
	assert_int_equal(NAMES_LEN(table), 5);
	unit_check_words(table, NAMES_LEN(table), name, parse);
}

static void test_shortened_table_hides_the_rest(void **state)
{
	(void)state;
	assert_string_equal(names_get(table, 4, 2), "two");
	assert_string_equal(names_get(table, 4, 4), "unknown");
	assert_int_equal(names_find(table, 4, "two"), 2);
	assert_int_equal(names_find(table, 4, "four"), -EINVAL);
	assert_string_equal(names_get(table, 0, 0), "unknown");
	assert_int_equal(names_find(table, 0, "one"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_with_gaps),
		cmocka_unit_test(test_shortened_table_hides_the_rest),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
