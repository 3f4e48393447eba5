/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of metrics, against a whole text and against promtool where there is one. */
#include "config.h"

#include "metrics.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char *write_text(const struct metrics *metrics)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	metrics_write(metrics, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* What EXPECTED says, which is what the shipped dashboard and alerts are written for. */
static char *read_expected(void)
{
	FILE *file = fopen(EXPECTED, "re");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

static void fill_from(_Atomic uint64_t *counters, size_t n, uint64_t first)
{
	for (size_t i = 0; i < n; i++)
		stats_add(&counters[i], first + i);
}

static struct stats stats;
static struct coverage coverage;
static struct kstat kernel;
static struct prefilter_counts prefilter;
static struct sweepstats sweep;
static uint64_t leakers[LEAKER_KIND_COUNT];
static struct metrics metrics;

/* Counters that are all different, so that none can stand in another one's place. */
static void fill(void)
{
	fill_from(sweep.count, SWEEP_STAT_COUNT, 9101);
	fill_from(sweep.mines, RESULT_COUNT, 9201);
	fill_from(sweep.last, SWEEP_LAST_COUNT, 9301);
	stats_add(&sweep.last_start_ns, 1767225601 * (uint64_t)1000000000);
	fill_from(stats.count, STAT_COUNT, 1);
	fill_from(stats.packet, STATS_PACKET_KINDS, 101);
	fill_from(stats.finding, FINDING_COUNT, 201);
	fill_from(stats.not_stale, TCPSTATE_COUNT, 301);
	fill_from(&stats.collision[0][0][0], TCPSTATE_COUNT * ACTION_COUNT * RESULT_COUNT, 1001);
	fill_from(stats.bucket, STATS_BUCKETS + 1, 2001);
	stats_add(&stats.time_us, 12345678);
}

static int setup(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof(stats));
	memset(&sweep, 0, sizeof(sweep));
	coverage = (struct coverage){.state = COVERAGE_OK, .missed = 9002};
	kernel = (struct kstat){
		.syn_challenges = 9001, .listen_overflows = 9006, .listen_drops = 9007};
	prefilter = (struct prefilter_counts){.syns = 9003, .marked = 9004};
	for (unsigned int kind = 0; kind < LEAKER_KIND_COUNT; kind++)
		leakers[kind] = 9400 + kind;
	metrics = (struct metrics){
		.stats = &stats,
		.coverage = &coverage,
		.kernel = &kernel,
		.version = "1.2.3",
		.start_time = 1767225600,
		.workers = 4,
		.workers_away = 1,
		.mode = MODE_ENFORCE,
		.generation = 7,
		.reload_failed = true,
		.events_suppressed = 9005,
		.prefilter = &prefilter,
		.sweep = &sweep,
		.leakers = leakers,
		.owner_server = true,
	};
	return 0;
}

static void test_whole_text(void **state)
{
	char *expected = read_expected();
	char *text;

	(void)state;
	fill();
	text = write_text(&metrics);
	assert_string_equal(text, expected);
	free(text);
	free(expected);
}

/* The lines of a text that are no comments, each cut off behind its name and labels. */
static char *series_of(const char *text)
{
	char *names = strdup(text);
	char *to = names;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t len = (size_t)(strchr(line, '\n') - line);
		const char *space = memchr(line, ' ', len);

		if (*line == '#')
			continue;
		memcpy(to, line, (size_t)(space - line));
		to += space - line;
		*to++ = '\n';
	}
	*to = '\0';
	return names;
}

/* Nothing appears with its first event: alerts need the zero before it. */
static void test_series_are_there_from_the_start(void **state)
{
	char *before = write_text(&metrics);
	char *after, *names_before, *names_after;

	(void)state;
	fill();
	after = write_text(&metrics);
	names_before = series_of(before);
	names_after = series_of(after);
	assert_string_equal(names_before, names_after);
	free(before);
	free(after);
	free(names_before);
	free(names_after);
}

static void test_histogram_is_cumulative(void **state)
{
	char *text;

	(void)state;
	stats_add_time(&stats, 10, 1);
	stats_add_time(&stats, 11, 2);
	stats_add_time(&stats, 2000000, 4);
	text = write_text(&metrics);
	assert_non_null(strstr(text, "_bucket{le=\"1e-05\"} 1\n"));
	assert_non_null(strstr(text, "_bucket{le=\"2.5e-05\"} 3\n"));
	assert_non_null(strstr(text, "_bucket{le=\"1\"} 3\n"));
	assert_non_null(strstr(text, "_bucket{le=\"+Inf\"} 7\n"));
	assert_non_null(strstr(text, "_sum 8.000032\n"));
	assert_non_null(strstr(text, "_count 7\n"));
	free(text);
}

/* A zero that nobody has counted would say that all is well. */
static void test_what_is_not_known_is_not_told(void **state)
{
	char *text;

	(void)state;
	coverage.state = COVERAGE_UNKNOWN;
	metrics.kernel = NULL;
	metrics.prefilter = NULL;
	text = write_text(&metrics);
	assert_null(strstr(text, "kernel_syn_challenges"));
	assert_null(strstr(text, "missed_syns"));
	assert_null(strstr(text, "listen_overflows"));
	assert_null(strstr(text, "prefilter"));
	assert_non_null(strstr(text, "closewaitd_syns_total{finding=\"collision\"} 0\n"));
	free(text);
}

static void test_promtool(void **state)
{
	char *text;
	FILE *promtool;

	(void)state;
	if (system("command -v promtool >/dev/null") != 0) {
		print_message("SKIP: no promtool (Debian: apt install prometheus)\n");
		skip();
	}
	fill();
	text = write_text(&metrics);
	promtool = popen("promtool check metrics", "we");
	assert_non_null(promtool);
	assert_true(fputs(text, promtool) > 0);
	assert_int_equal(pclose(promtool), 0);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_text),
		TEST(test_series_are_there_from_the_start),
		TEST(test_histogram_is_cumulative),
		TEST(test_what_is_not_known_is_not_told),
		TEST(test_promtool),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
