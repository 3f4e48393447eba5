/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctltable.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const struct ctltable_column columns[] = {
	{"NAME", false, 0},
	{"COUNT", true, 2},
	{"AGE", true, 1},
	{"WHO", false, 0},
};

static struct ctltable *table;

static int set_up(void **state)
{
	(void)state;
	table = ctltable_new(columns, 4);
	return table ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	ctltable_free(table);
	return 0;
}

static void add(const char *name, const char *count, const char *age, const char *who)
{
	const char *const cells[] = {name, count, age, who};

	assert_true(ctltable_add(table, cells));
}

static void expect(size_t width, const char *want)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	ctltable_print(table, out, width, "<", ">");
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void as_wide_as_it_needs(void **state)
{
	(void)state;
	add("a", "1", "10 s", "nginx");
	add("longer", "1,000,000", "1 s", "y");
	expect(0, "<NAME        COUNT   AGE  WHO>\n"
		  "a               1  10 s  nginx\n"
		  "longer  1,000,000   1 s  y\n");
	expect(30, "<NAME        COUNT   AGE  WHO>\n"
		   "a               1  10 s  nginx\n"
		   "longer  1,000,000   1 s  y\n");
}

static void what_is_worth_least_goes_first(void **state)
{
	(void)state;
	add("a", "1", "10 s", "nginx");
	expect(24, "<NAME  COUNT   AGE  WHO>\na         1  10 s  nginx\n");
	expect(23, "<NAME  COUNT  WHO>\na         1  nginx\n");
	expect(18, "<NAME  COUNT  WHO>\na         1  nginx\n");
	expect(17, "<NAME  WHO>\na     nginx\n");
	expect(11, "<NAME  WHO>\na     nginx\n");
	/* Nothing else may go: the last column is cut, but never to nothing. */
	expect(10, "<NAME  WHO>\na     n...\n");
	expect(1, "<NAME  WHO>\na     n...\n");
}

static void empty_columns_are_left_out(void **state)
{
	(void)state;
	add("a", "", "", "x");
	add("b", "", "1 s", "y");
	expect(0, "<NAME  AGE  WHO>\na          x\nb     1 s  y\n");
}

/* A character is one cell wide, however many bytes it has, and is never cut in two. */
static void characters_count(void **state)
{
	(void)state;
	add("\303\244\303\266", "1", "", "\303\274\303\274\303\274\303\274\303\274\303\274");
	expect(0, "<NAME  COUNT  WHO>\n\303\244\303\266        1  "
		  "\303\274\303\274\303\274\303\274\303\274\303\274\n");
	expect(11, "<NAME  WHO>\n\303\244\303\266    \303\274\303\274...\n");
}

static void many_rows(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 1000; i++)
		add("a", "1", "2", "3");
	ctltable_print(table, out, 0, "", "");
	fclose(out);
	assert_int_equal(size, strlen("NAME  COUNT  AGE  WHO\n") +
				       1000 * strlen("a         1    2  3\n"));
	free(text);
	ctltable_free(NULL);
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(as_wide_as_it_needs),
		TABLE_TEST(what_is_worth_least_goes_first),
		TABLE_TEST(empty_columns_are_left_out),
		TABLE_TEST(characters_count),
		TABLE_TEST(many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
