/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of ctlprint: human units, events in words, and nothing that a terminal would obey. */
#include "config.h"

#include "ctlprint.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void test_count(void **state)
{
	static const struct {
		uint64_t count;
		const char *text;
	} cases[] = {{0, "0"},
		     {999, "999"},
		     {1000, "1,000"},
		     {123456, "123,456"},
		     {1234567, "1,234,567"},
		     {UINT64_MAX, "18,446,744,073,709,551,615"}};
	char buf[CTLPRINT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ctlprint_count(cases[i].count, buf), cases[i].text);
}

static void test_duration(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {{0, "0 ms"},	    {999, "999 ms"},
		     {1000, "1.0 s"},	    {59999, "59.9 s"},
		     {60000, "1 m 0 s"},    {3599999, "59 m 59 s"},
		     {3600000, "1 h 0 m"},  {86399999, "23 h 59 m"},
		     {86400000, "1 d 0 h"}, {8640000000, "100 d 0 h"}};
	char buf[CTLPRINT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ctlprint_duration(cases[i].ms, buf), cases[i].text);
}

static void test_us(void **state)
{
	char buf[CTLPRINT_SIZE];

	(void)state;
	assert_string_equal(ctlprint_us(999, buf), "999 us");
	assert_string_equal(ctlprint_us(1500, buf), "1.5 ms");
	assert_string_equal(ctlprint_us(2000000, buf), "2.0 s");
}

static void test_time(void **state)
{
	char buf[CTLPRINT_SIZE];

	(void)state;
	setenv("TZ", "UTC-2", 1);
	tzset();
	assert_string_equal(ctlprint_time("2026-01-31T23:30:00.123456Z", buf),
			    "2026-02-01 01:30:00.123");
	assert_string_equal(ctlprint_time("yesterday", buf), "yesterday");
	assert_string_equal(ctlprint_time("", buf), "");
}

/* What becomes of so many a's and the rest; nothing is written beyond the word's room. */
static void check_word(size_t as, const char *rest, const char *expected_rest)
{
	static const char behind[] = "\x01\x02";
	struct {
		char word[CTLPRINT_SIZE], behind[sizeof(behind)];
	} room;
	char text[2 * CTLPRINT_SIZE], expected[2 * CTLPRINT_SIZE];

	memset(text, 'a', as);
	strcpy(text + as, rest);
	memset(expected, 'a', as);
	strcpy(expected + as, expected_rest);
	strcpy(room.behind, behind);
	assert_ptr_equal(ctlprint_word(text, room.word), room.word);
	assert_string_equal(room.word, expected);
	assert_string_equal(room.behind, behind);
}

static void test_word(void **state)
{
	char buf[CTLPRINT_SIZE];

	(void)state;
	assert_string_equal(ctlprint_word(NULL, buf), "");
	check_word(0, "", "");
	check_word(3, "\x1b[31m\x7f\xc2\x9b\xc3\xa9", "?[31m???\xc3\xa9");
	check_word(63, "", "");
	check_word(62, "az", "a");
	/* Characters of two, three and four bytes, whole and cut. */
	check_word(61, "\xc2\xa0z", "\xc2\xa0");
	check_word(62, "\xc2\xa0z", "");
	check_word(61, "\xe2\x82\xacz", "");
	check_word(60, "\xe2\x82\xacz", "\xe2\x82\xac");
	check_word(60, "\xf0\x9f\x98\x80z", "");
	check_word(59, "\xf0\x9f\x98\x80z", "\xf0\x9f\x98\x80");
	/* What is no character. */
	check_word(2, "\xc2", "?");
	check_word(62, "\xc2", "?");
}

static json_t *parse(const char *text)
{
	json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	return object;
}

static void test_members(void **state)
{
	json_t *object = parse("{\"text\":\"a\\u001b[31mb\\u007fc\\u009bd\\u00e9\",\"number\":7}");

	(void)state;
	assert_string_equal(ctlprint_text(object, "text"), "a?[31mb?c??d\xc3\xa9");
	assert_string_equal(ctlprint_text(object, "number"), "");
	assert_string_equal(ctlprint_text(object, "none"), "");
	assert_int_equal(ctlprint_number(object, "number"), 7);
	assert_int_equal(ctlprint_number(object, "text"), 0);
	assert_int_equal(ctlprint_number(NULL, "number"), 0);
	json_decref(object);
}

static void test_occupant(void **state)
{
	static const struct {
		const char *event, *text;
	} cases[] = {
		{"{}", "nobody"},
		{"{\"state\":\"close-wait\",\"age_ms\":60000,\"unread\":1234,\"uid\":33,"
		 "\"unit\":\"a.service\"}",
		 "close-wait for 1 m 0 s, 1,234 bytes unread, uid 33, a.service"},
		{"{\"state\":\"last-ack\",\"unread\":0,\"uid\":0}",
		 "last-ack, 0 bytes unread, uid 0"},
		{"{\"queued\":129,\"backlog\":128,\"uid\":5,\"unit\":\"a.service\"}",
		 "129 wait to be accepted, 128 may, a.service, uid 5"},
	};
	char buf[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *event = parse(cases[i].event);

		ctlprint_occupant(event, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].text);
		json_decref(event);
	}
}

/* The tests' output is no terminal. */
static void test_no_colour_in_a_pipe(void **state)
{
	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_string_equal(ctlprint_colour(COLOUR_BAD), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),	 cmocka_unit_test(test_duration),
		cmocka_unit_test(test_us),	 cmocka_unit_test(test_time),
		cmocka_unit_test(test_word),	 cmocka_unit_test(test_members),
		cmocka_unit_test(test_occupant), cmocka_unit_test(test_no_colour_in_a_pipe),
	};

	return cmocka_run_group_tests_name("ctlprint", tests, NULL, NULL);
}
