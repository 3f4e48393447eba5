/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of coverage and of kstat, whose numbers it compares. */
#include "config.h"

#include "coverage.h"
#include "kstat.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static struct stats stats;

static int setup(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof(stats));
	return 0;
}

static struct coverage judge(enum conf_filter filter, uint64_t challenges, uint64_t opens,
			     uint64_t marked)
{
	const struct coverage_facts facts = {true, challenges, opens, filter, marked};

	return coverage_judge(&facts, &stats);
}

static void test_names(void **state)
{
	static const char *const words[] = {"unknown", "idle", "ok", "not-fed", "missed"};

	(void)state;
	for (unsigned int i = 0; i < COVERAGE_COUNT; i++)
		assert_string_equal(coverage_name((enum coverage_state)i), words[i]);
	assert_string_equal(coverage_name((enum coverage_state)COVERAGE_COUNT), "unknown");
}

static void test_idle_and_ok(void **state)
{
	(void)state;
	assert_int_equal(judge(FILTER_ALL, 0, 0, 0).state, COVERAGE_IDLE);
	assert_int_equal(judge(FILTER_ALL, 0, 19, 0).state, COVERAGE_IDLE);
	stats_add(&stats.count[STAT_HELD], 1);
	assert_int_equal(judge(FILTER_ALL, 0, 1000, 0).state, COVERAGE_OK);
}

static void test_not_fed(void **state)
{
	(void)state;
	assert_int_equal(judge(FILTER_ALL, 0, 20, 0).state, COVERAGE_NOT_FED);
	assert_int_equal(judge(FILTER_ALL, 5, 20, 0).state, COVERAGE_NOT_FED);
	assert_int_equal(judge(FILTER_SOCKET, 0, 1000, 0).state, COVERAGE_IDLE);
	assert_int_equal(judge(FILTER_BPF, 0, 1000, 0).state, COVERAGE_IDLE);
	assert_int_equal(judge(FILTER_BPF, 0, 0, 1).state, COVERAGE_NOT_FED);
	stats_add(&stats.count[STAT_HELD], 1);
	assert_int_equal(judge(FILTER_ALL, 0, 20, 0).state, COVERAGE_OK);
	assert_int_equal(judge(FILTER_BPF, 0, 0, 1).state, COVERAGE_OK);
}

/* Each way of letting a SYN pass to a connected socket explains one challenge, and no other does. */
static void test_what_explains_a_challenge(void **state)
{
	static const enum result passing[] = {RESULT_LOGGED, RESULT_AUDITED, RESULT_FAILED,
					      RESULT_LIMITED};
	static const enum result others[] = {RESULT_DESTROYED, RESULT_GONE, RESULT_DROPPED,
					     RESULT_REJECTED};

	(void)state;
	stats_add(&stats.count[STAT_HELD], 100);
	for (size_t i = 0; i < 4; i++)
		stats_add(&stats.collision[TCPSTATE_CLOSE_WAIT][ACTION_DESTROY][passing[i]], 1);
	stats_add(&stats.finding[FINDING_DUPLICATE_SYN], 10);
	stats_add(&stats.finding[FINDING_UNPROVEN], 100);
	stats_add(&stats.finding[FINDING_FOREIGN_SOURCE], 1000);
	stats_add(&stats.finding[FINDING_LOOKUP_FAILED], 10000);
	stats_add(&stats.not_stale[TCPSTATE_ESTABLISHED], 100000);
	assert_int_equal(judge(FILTER_ALL, 0, 0, 0).let_pass, 111114);

	for (size_t i = 0; i < 4; i++)
		stats_add(&stats.collision[TCPSTATE_CLOSE_WAIT][ACTION_DESTROY][others[i]], 1);
	stats_add(&stats.not_stale[TCPSTATE_TIME_WAIT], 1);
	stats_add(&stats.not_stale[TCPSTATE_SYN_RECV], 1);
	stats_add(&stats.finding[FINDING_COLLISION], 8);
	stats_add(&stats.finding[FINDING_LISTENER], 1);
	stats_add(&stats.finding[FINDING_NO_LISTENER], 1);
	stats_add(&stats.finding[FINDING_NOT_JUDGED], 1);
	assert_int_equal(judge(FILTER_ALL, 0, 0, 0).let_pass, 111114);
}

static void test_missed(void **state)
{
	struct coverage coverage;

	(void)state;
	stats_add(&stats.count[STAT_HELD], 100);
	stats_add(&stats.finding[FINDING_UNPROVEN], 10);
	assert_int_equal(judge(FILTER_ALL, 10, 0, 0).state, COVERAGE_OK);
	assert_int_equal(judge(FILTER_ALL, 9, 0, 0).missed, 0);
	coverage = judge(FILTER_ALL, 13, 0, 0);
	assert_int_equal(coverage.state, COVERAGE_MISSED);
	assert_int_equal(coverage.missed, 3);
	assert_int_equal(judge(FILTER_SOCKET, 13, 0, 0).state, COVERAGE_MISSED);
}

static void test_unknown(void **state)
{
	const struct coverage_facts facts = {false, 5, 1000, FILTER_ALL, 0};

	(void)state;
	assert_int_equal(coverage_judge(&facts, &stats).state, COVERAGE_UNKNOWN);
	assert_int_equal(coverage_judge(&facts, &stats).missed, 0);
}

static void test_sentences(void **state)
{
	char buf[COVERAGE_SENTENCE_SIZE];
	struct coverage coverage = {.active_opens = 21, .marked = 22, .missed = 23};

	(void)state;
	for (unsigned int i = 0; i < COVERAGE_COUNT; i++) {
		coverage.state = (enum coverage_state)i;
		coverage_sentence(&coverage, 61, buf);
		assert_in_range(strlen(buf), 20, sizeof(buf) - 2);
	}
	coverage.state = COVERAGE_NOT_FED;
	assert_non_null(strstr(coverage_sentence(&coverage, 61, buf), "queue 61"));
	assert_non_null(strstr(buf, "21 connections"));
	assert_non_null(strstr(buf, "closewaitd-rules up"));
	coverage.filter = FILTER_BPF;
	assert_non_null(strstr(coverage_sentence(&coverage, 61, buf), "marked 22 SYNs"));
	coverage.state = COVERAGE_MISSED;
	assert_non_null(strstr(coverage_sentence(&coverage, 61, buf), "23 SYNs"));
	assert_non_null(strstr(buf, "not stale"));
	coverage.filter = FILTER_ALL;
	assert_null(strstr(coverage_sentence(&coverage, 61, buf), "not stale"));
}

/* --- kstat ------------------------------------------------------------------------------------*/

static const char sample[] = "Ip: A B\nIp: 1 2\n"
			     "TcpExt: One Two Three\nTcpExt: 10 20 30\n"
			     "Tcp: Two MaxConn\nTcp: 200 -1\n";

static void test_find(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_int_equal(kstat_find(sample, "TcpExt", "One", &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(kstat_find(sample, "TcpExt", "Three", &value), 0);
	assert_int_equal(value, 30);
	assert_int_equal(kstat_find(sample, "Tcp", "Two", &value), 0);
	assert_int_equal(value, 200);
	assert_int_equal(kstat_find("T: x\nT: 18446744073709551615\n", "T", "x", &value), 0);
	assert_int_equal(value, UINT64_MAX);
}

static void test_find_nothing(void **state)
{
	static const struct {
		const char *text, *group, *name;
	} cases[] = {
		{sample, "TcpExt", "Four"},
		{sample, "TcpExt", "On"},
		{sample, "TcpExt", "Onee"},
		{sample, "TcpExt", ""},
		{sample, "Udp", "One"},
		{sample, "Tcp", "MaxConn"}, /* no number of ours */
		{"", "TcpExt", "One"},
		{"TcpExt: One Two\n", "TcpExt", "One"},
		{"TcpExt: One Two", "TcpExt", "One"},
		{"TcpExt: One Two\nTcpExt: 1\n", "TcpExt", "Two"},
		{"TcpExt: One Two\nTcpExt: \n", "TcpExt", "One"},
		{"TcpExt: One\nIp: 1\n", "TcpExt", "One"},
		{"TcpExt: One\nTcpExt: x1\n", "TcpExt", "One"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 7;

		assert_int_equal(kstat_find(cases[i].text, cases[i].group, cases[i].name, &value),
				 -EBADMSG);
		assert_int_equal(value, 7);
	}
}

static void test_read(void **state)
{
	struct kstat kstat;

	(void)state;
	assert_int_equal(kstat_read(&kstat), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),	 TEST(test_idle_and_ok),
		TEST(test_not_fed),	 TEST(test_what_explains_a_challenge),
		TEST(test_missed),	 TEST(test_unknown),
		TEST(test_sentences),	 TEST(test_find),
		TEST(test_find_nothing), TEST(test_read),
	};

	return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}
