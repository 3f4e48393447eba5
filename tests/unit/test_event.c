/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of an event's text: what stands in it of a process, and names that anybody may choose. */
#include "config.h"

#include "control.h"
#include "event.h"
#include "recent.h"
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct incident incident_with(const struct leaker *leaker)
{
	struct incident incident = {
		.finding = FINDING_UNPROVEN,
		.has_occupant = true,
		.occupant = {.state = TCPSTATE_CLOSE_WAIT},
		.leaker = *leaker,
	};

	return incident;
}

/* The pairs from "leaker=" up to the one behind them. */
static const char *text_of(const struct leaker *leaker)
{
	const struct incident incident = incident_with(leaker);
	struct event_field fields[EVENT_FIELDS_MAX];
	static char line[EVENT_LINE_SIZE];
	struct event_text text;
	size_t n = event_fields(&incident, NULL, &text, fields);
	char *from, *to;

	event_format_text(fields, n, line, sizeof(line));
	from = strstr(line, " leaker=");
	to = strstr(line, " verdict_us=");
	assert_non_null(to);
	*to = '\0';
	return from ? from + 1 : "";
}

static struct leaker holder(const char *comm)
{
	struct leaker leaker = {
		.kind = LEAKER_HELD, .count = 1, .first = {123, 4}, .exe = "/usr/sbin/nginx"};

	strncpy(leaker.comm, comm, sizeof(leaker.comm) - 1);
	return leaker;
}

static void test_one_process(void **state)
{
	const struct leaker leaker = holder("nginx");

	(void)state;
	assert_string_equal(text_of(&leaker),
			    "leaker=held leaker_pid=123 leaker_fd=4 leaker_comm=nginx "
			    "leaker_exe=/usr/sbin/nginx leaker_count=1");
}

static void test_no_process(void **state)
{
	struct leaker leaker = {.kind = LEAKER_NOT_SOUGHT};

	(void)state;
	assert_string_equal(text_of(&leaker), "");
	leaker.kind = LEAKER_GONE;
	assert_string_equal(text_of(&leaker), "leaker=gone");
}

/* Beyond the first, as many as are told. */
static void check_others(struct leaker_holder holds, const char *wanted)
{
	struct leaker leaker = holder("a");

	leaker.count = UINT_MAX;
	for (int i = 0; i < LEAKER_OTHERS_MAX; i++)
		leaker.others[i] = holds;
	assert_int_equal(strlen(strstr(text_of(&leaker), "leaker_others=")),
			 strlen("leaker_others=\"\"") + LEAKER_OTHERS_MAX * strlen(wanted) +
				 LEAKER_OTHERS_MAX - 1);
}

static void test_several_processes(void **state)
{
	struct leaker leaker = holder("a");

	(void)state;
	leaker.exe[0] = '\0';
	leaker.count = 3;
	leaker.others[0] = (struct leaker_holder){124, 5};
	leaker.others[1] = (struct leaker_holder){125, 6};
	assert_string_equal(text_of(&leaker),
			    "leaker=held leaker_pid=123 leaker_fd=4 leaker_comm=a leaker_count=3 "
			    "leaker_others=\"124/5 125/6\"");
	/* The longest that there can be. */
	check_others((struct leaker_holder){4194304, 1073741816}, "4194304/1073741816");
	/* Longer than any that there can be: still all of it, and nothing behind its end. */
	check_others((struct leaker_holder){INT_MIN, INT_MIN}, "-2147483648/-2147483648");
}

static void check_comm(const char *comm, const char *wanted)
{
	const struct leaker leaker = holder(comm);
	char expected[128];

	snprintf(expected, sizeof(expected), " leaker_comm=%s leaker_exe=", wanted);
	assert_non_null(strstr(text_of(&leaker), expected));
}

static void test_names_of_every_kind(void **state)
{
	(void)state;
	check_comm("", "\"\"");
	check_comm("a b", "\"a b\"");
	check_comm("a=b", "\"a=b\"");
	check_comm("a\"b\\", "\"a\\\"b\\\\\"");
	check_comm("a\nb\x1b[m\x7f", "\"a\\x0ab\\x1b[m\\x7f\"");
	check_comm("a\xff", "\"a\\xff\"");
	check_comm("\xc2\x9bm", "\"\\xc2\\x9bm\"");
	check_comm("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	check_comm("\xc3", "\"\\xc3\"");
}

/* The longest program path, of bytes that each take four, fits into the line. */
static void test_longest(void **state)
{
	struct leaker leaker = holder("a");

	(void)state;
	memset(leaker.exe, 0xff, sizeof(leaker.exe) - 1);
	assert_non_null(strstr(text_of(&leaker), " leaker_count=1"));
}

static void test_json(void **state)
{
	const struct leaker leaker = holder("a\xff\n\"");
	const struct incident incident = incident_with(&leaker);
	struct event_field fields[EVENT_FIELDS_MAX];
	struct event_text text;
	char *line = event_format_json(fields, event_fields(&incident, NULL, &text, fields));

	(void)state;
	assert_non_null(line);
	assert_non_null(strstr(line, "\"leaker\":\"held\",\"leaker_pid\":123,\"leaker_fd\":4,"));
	assert_non_null(strstr(line, "\"leaker_comm\":\"a\\\\xff\\n\\\"\""));
	free(line);
}

/* Whatever a user calls his groups, what stands behind them in the line is told. */
static void test_long_cgroup(void **state)
{
	struct leaker leaker = holder("\x01\x01\x01");
	struct incident incident;
	struct event_field fields[EVENT_FIELDS_MAX];
	struct event_text text;
	char path[16 * 256 + 1], line[EVENT_LINE_SIZE], *json;
	size_t n;

	(void)state;
	memset(path, 1, sizeof(path) - 1);
	for (size_t i = 0; i < sizeof(path) - 1; i += 256)
		path[i] = '/';
	path[sizeof(path) - 1] = '\0';
	memcpy(path, "/begin", 6);
	memcpy(path + sizeof(path) - 1 - 8, ".service", 8);
	memset(leaker.exe, 1, sizeof(leaker.exe) - 1);
	incident = incident_with(&leaker);
	n = event_fields(&incident, path, &text, fields);

	event_format_text(fields, n, line, sizeof(line));
	assert_non_null(strstr(line, " cgroup=\"/begin"));
	assert_non_null(strstr(line, "..."));
	assert_non_null(strstr(line, ".service\" unit=\"\\x01"));
	assert_non_null(strstr(line, " leaker=held "));
	assert_non_null(strstr(line, " verdict_us=0"));
	json = event_format_json(fields, n);
	assert_non_null(json);
	/* All that are kept fit into an answer. */
	assert_true(strlen(json) < CONTROL_ANSWER_MAX / RECENT_MAX);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_process),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_several_processes),
		cmocka_unit_test(test_names_of_every_kind),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_long_cgroup),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
