/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of log. Where a line goes is tried in a child process whose stderr is what the case wants.
 * syslog(3) is taken over by this program, so that nothing reaches the machine's own log.
 */
#include "config.h"

#include "log.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* --- words -------------------------------------------------------------------------------------- */

static const char *const level_words[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};

static const char *const target_words[] = {
	[TARGET_AUTO] = "auto",
	[TARGET_JOURNAL] = "journal",
	[TARGET_SYSLOG] = "syslog",
	[TARGET_STDERR] = "stderr",
};

static const char *get_level(unsigned int value)
{
	return log_level_name((enum log_level)value);
}

static int parse_level(const char *text, unsigned int *ret_value)
{
	enum log_level level = (enum log_level) * ret_value;
	int err = log_level_parse(text, &level);

	*ret_value = level;
	return err;
}

static const char *get_target(unsigned int value)
{
	return log_target_name((enum log_target)value);
}

static int parse_target(const char *text, unsigned int *ret_value)
{
	enum log_target target = (enum log_target) * ret_value;
	int err = log_target_parse(text, &target);

	*ret_value = target;
	return err;
}

static void test_words(void **state)
{
	(void)state;
	unit_check_words(level_words, LEVEL_COUNT, get_level, parse_level);
	unit_check_words(target_words, TARGET_COUNT, get_target, parse_target);
}

/* --- the sink ----------------------------------------------------------------------------------- */

static struct {
	unsigned int lines;
	enum log_level level;
	char text[4096];
} seen;

static void see(enum log_level level, const char *line, void *ctx)
{
	assert_ptr_equal(ctx, &seen);
	seen.lines++;
	seen.level = level;
	snprintf(seen.text, sizeof(seen.text), "%s", line);
	errno = ENOTTY; /* a sink that forgets about errno */
}

static void expect_line(enum log_level level, const char *text)
{
	assert_int_equal(seen.lines, 1);
	assert_int_equal(seen.level, level);
	assert_string_equal(seen.text, text);
	assert_int_equal(errno, EADDRINUSE);
	memset(&seen, 0, sizeof(seen));
}

static int set_up_sink(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	log_set_sink(see, &seen);
	log_open("unit", TARGET_STDERR, LEVEL_DEBUG, false);
	return 0;
}

static int tear_down_sink(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	return 0;
}

static void test_pairs(void **state)
{
	(void)state;
	errno = EADDRINUSE;
	log_err("bind %s", "a");
	expect_line(LEVEL_ERROR, "bind a: Address already in use");
	log_errx("bind %s", "b");
	expect_line(LEVEL_ERROR, "bind b");
	log_warn("bind %d", 3);
	expect_line(LEVEL_WARNING, "bind 3: Address already in use");
	log_warnx("bind %d%%", 4);
	expect_line(LEVEL_WARNING, "bind 4%");
	log_info("bind");
	expect_line(LEVEL_INFO, "bind");
	log_debug("bind");
	expect_line(LEVEL_DEBUG, "bind");
	log_line(LEVEL_WARNING, "100%s %n");
	expect_line(LEVEL_WARNING, "100%s %n");
	log_raw(LEVEL_INFO, "100%s %n");
	expect_line(LEVEL_INFO, "100%s %n");
}

static void test_levels(void **state)
{
	(void)state;
	for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++) {
		memset(&seen, 0, sizeof(seen));
		log_open("unit", TARGET_STDERR, (enum log_level)level, false);
		for (int asked = LEVEL_ERROR; asked <= LEVEL_DEBUG; asked++)
			assert_int_equal(log_enabled((enum log_level)asked), asked <= level);
		errno = EADDRINUSE;
		log_errx("x");
		log_warnx("x");
		log_info("x");
		log_debug("x");
		assert_int_equal(seen.lines, level + 1);
		assert_int_equal(seen.level, level);
		for (int asked = LEVEL_ERROR; asked <= LEVEL_DEBUG; asked++)
			log_line((enum log_level)asked, "x");
		assert_int_equal(seen.lines, 2 * (level + 1));
		for (int asked = LEVEL_ERROR; asked <= LEVEL_DEBUG; asked++)
			log_raw((enum log_level)asked, "x");
		assert_int_equal(seen.lines, 3 * (level + 1));
		assert_int_equal(errno, EADDRINUSE);
	}
}

/* Putting the line together fails and sets errno; nobody but the caller may notice. */
static void test_format_that_fails(void **state)
{
	const wchar_t impossible[] = {0x7fffffff, 0};

	(void)state;
	errno = EADDRINUSE;
	log_errx("%ls", impossible);
	assert_int_equal(errno, EADDRINUSE);
}

/* A line too long is cut, and the text of errno does not run over the end of the buffer. */
static void test_long_lines(void **state)
{
	char text[3001];

	(void)state;
	for (size_t len = 2000; len < sizeof(text); len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		errno = EADDRINUSE;
		memset(&seen, 0, sizeof(seen));
		log_err("%s", text);
		assert_int_equal(seen.lines, 1);
		assert_int_equal(errno, EADDRINUSE);

		size_t got = strlen(seen.text);

		assert_in_range(got, len < 2047 ? len : 2047, 2047);
		for (size_t i = 0; i < len && i < got; i++)
			assert_int_equal(seen.text[i], 'a');
		if (got > len)
			assert_memory_equal(seen.text + len, ": Address already in use", got - len);
	}
}

static void test_time(void **state)
{
	static const struct {
		uint64_t realtime_ns;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{999, "1970-01-01T00:00:00.000000Z"},
		{999999999, "1970-01-01T00:00:00.999999Z"},
		{951782400000000000, "2000-02-29T00:00:00.000000Z"},
		{1769860800123456789, "2026-01-31T12:00:00.123456Z"},
		{4102444799000001000, "2099-12-31T23:59:59.000001Z"},
		{UINT64_MAX, "2554-07-21T23:34:33.709551Z"},
	};
	char buf[LOG_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ptr_equal(log_time(cases[i].realtime_ns, buf), buf);
		assert_string_equal(buf, cases[i].text);
	}
}

/* --- JSON --------------------------------------------------------------------------------------- */

static const char *now(char buf[static LOG_TIME_SIZE])
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return log_time((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec, buf);
}

/* The line seen is an object with three members and nothing else; returns its message. */
static const char *expect_object(enum log_level level, const char *not_before)
{
	static char message[4096];
	char not_after[LOG_TIME_SIZE];
	const char *time;
	json_t *object;

	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(seen.lines, 1);
	assert_int_equal(seen.level, level);
	assert_null(strchr(seen.text, '\n'));
	object = json_loads(seen.text, 0, NULL);
	if (!object)
		fail_msg("no JSON: %s", seen.text);
	assert_int_equal(json_object_size(object), 3);
	assert_string_equal(json_string_value(json_object_get(object, "level")),
			    log_level_name(level));
	time = json_string_value(json_object_get(object, "time"));
	assert_non_null(time);
	assert_true(strcmp(not_before, time) <= 0 && strcmp(time, now(not_after)) <= 0);
	snprintf(message, sizeof(message), "%s",
		 json_string_value(json_object_get(object, "message")));
	json_decref(object);
	memset(&seen, 0, sizeof(seen));
	return message;
}

static void test_json(void **state)
{
	char before[LOG_TIME_SIZE];

	(void)state;
	log_open("unit", TARGET_STDERR, LEVEL_DEBUG, true);
	now(before);
	errno = EADDRINUSE;
	log_err("bind");
	assert_string_equal(expect_object(LEVEL_ERROR, before), "bind: Address already in use");
	log_info("\"quoted\" back\\slash\nnext\t\x01 %s", "\u00e9");
	assert_string_equal(expect_object(LEVEL_INFO, before),
			    "\"quoted\" back\\slash\nnext\t\x01 \u00e9");
	log_line(LEVEL_DEBUG, "");
	assert_string_equal(expect_object(LEVEL_DEBUG, before), "");
	log_raw(LEVEL_WARNING, "{\"event\":1}");
	expect_line(LEVEL_WARNING, "{\"event\":1}");
}

/*
 * Bytes that are not UTF-8, as a file's name may hold them, and a character cut in the middle
 * because the line was too long: every line is an object all the same.
 */
static void test_json_of_bad_utf8(void **state)
{
	char before[LOG_TIME_SIZE];
	char text[3000];

	(void)state;
	log_open("unit", TARGET_STDERR, LEVEL_DEBUG, true);
	now(before);
	errno = EADDRINUSE;
	log_warnx("/etc/\xff\xc3.conf");
	assert_string_equal(expect_object(LEVEL_WARNING, before), "/etc/??.conf");

	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\u00e9", 3);
	log_warnx("%s", text);
	assert_int_equal(strlen(expect_object(LEVEL_WARNING, before)), 2047);
	log_warnx("x%s", text);
	assert_in_range(strlen(expect_object(LEVEL_WARNING, before)), 2046, 2047);
}

/* --- targets ------------------------------------------------------------------------------------ */

/* Without syslog.h, whose inline functions would stand in the way; fortified code calls the second. */
void openlog(const char *ident, int option, int facility);
void syslog(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void __syslog_chk(int priority, int flag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static char syslog_line[256];

void openlog(const char *ident, int option, int facility)
{
	(void)option;
	(void)facility;
	snprintf(syslog_line, sizeof(syslog_line), "[%s]", ident);
}

__attribute__((format(printf, 2, 0))) static void catch_syslog(int priority, const char *fmt,
							       va_list ap)
{
	size_t used = strlen(syslog_line);

	used += (size_t)snprintf(syslog_line + used, sizeof(syslog_line) - used, "<%d>", priority);
	vsnprintf(syslog_line + used, sizeof(syslog_line) - used, fmt, ap);
	errno = ENOTTY;
}

void syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	catch_syslog(priority, fmt, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	catch_syslog(priority, fmt, ap);
	va_end(ap);
}

static void say_one_of_each(void)
{
	errno = EADDRINUSE;
	log_err("e%%d");
	log_warnx("w");
	log_info("i");
	log_debug("d");
	log_raw(LEVEL_INFO, "{}");
	if (errno != EADDRINUSE)
		_exit(99);
}

/* Runs in the child: what stderr is, what $JOURNAL_STREAM says. */
typedef void set_up_child(int pipe_end);

static void stderr_is_pipe(int pipe_end)
{
	unsetenv("JOURNAL_STREAM");
	dup2(pipe_end, STDERR_FILENO);
}

/* Names stderr, where the prefixes are empty, else something else. */
static void set_journal_stream(const char *device_prefix, const char *inode_prefix)
{
	struct stat st;
	char text[64];

	fstat(STDERR_FILENO, &st);
	snprintf(text, sizeof(text), "%s%llu:%s%llu", device_prefix, (unsigned long long)st.st_dev,
		 inode_prefix, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

static void stderr_is_journal(int pipe_end)
{
	stderr_is_pipe(pipe_end);
	set_journal_stream("", "");
}

/* What a service inherits whose stderr was redirected afterwards. */
static void journal_stream_of_another(int pipe_end)
{
	stderr_is_pipe(pipe_end);
	set_journal_stream("", "1");
}

static void journal_stream_on_another_device(int pipe_end)
{
	stderr_is_pipe(pipe_end);
	set_journal_stream("1", "");
}

static void journal_stream_is_nonsense(int pipe_end)
{
	stderr_is_pipe(pipe_end);
	setenv("JOURNAL_STREAM", "journal", 1);
}

static void stderr_is_null(int pipe_end)
{
	int fd = open("/dev/null", O_WRONLY);

	unsetenv("JOURNAL_STREAM");
	dup2(fd, STDERR_FILENO);
	(void)pipe_end;
}

/* Another character device than /dev/null: somebody may read it. */
static void stderr_is_full(int pipe_end)
{
	int fd = open("/dev/full", O_WRONLY);

	unsetenv("JOURNAL_STREAM");
	dup2(fd, STDERR_FILENO);
	(void)pipe_end;
}

static void stderr_is_closed(int pipe_end)
{
	unsetenv("JOURNAL_STREAM");
	close(STDERR_FILENO);
	(void)pipe_end;
}

static void stderr_is_closed_journal_stream_set(int pipe_end)
{
	stderr_is_closed(pipe_end);
	setenv("JOURNAL_STREAM", "0:0", 1);
}

/* Returns what log_open() returned in the child; output is what stderr or syslog(3) got. */
static enum log_target try_target(set_up_child *set_up, enum log_target target, char output[1024])
{
	int fds[2];
	int status;
	size_t used = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		enum log_target resolved;

		set_up(fds[1]);
		resolved = log_open("prog", target, LEVEL_DEBUG, false);
		say_one_of_each();
		if (write(fds[1], syslog_line, strlen(syslog_line)) < 0)
			_exit(98);
		exit((int)resolved);
	}
	close(fds[1]);
	while ((n = read(fds[0], output + used, 1023 - used)) > 0)
		used += (size_t)n;
	output[used] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (enum log_target)WEXITSTATUS(status);
}

#define STDERR_OUTPUT  "prog: e%d: Address already in use\nprog: w\nprog: i\nprog: d\n{}\n"
#define JOURNAL_OUTPUT "<3>e%d: Address already in use\n<4>w\n<6>i\n<7>d\n<6>{}\n"
#define SYSLOG_OUTPUT  "[prog]<3>e%d: Address already in use<4>w<6>i<7>d<6>{}"

static void test_targets(void **state)
{
	static const struct {
		set_up_child *set_up;
		enum log_target target;
		enum log_target resolved;
		const char *output;
	} cases[] = {
		{stderr_is_pipe, TARGET_STDERR, TARGET_STDERR, STDERR_OUTPUT},
		{stderr_is_pipe, TARGET_JOURNAL, TARGET_JOURNAL, JOURNAL_OUTPUT},
		{stderr_is_pipe, TARGET_SYSLOG, TARGET_SYSLOG, SYSLOG_OUTPUT},
		{stderr_is_pipe, TARGET_AUTO, TARGET_STDERR, STDERR_OUTPUT},
		{stderr_is_journal, TARGET_AUTO, TARGET_JOURNAL, JOURNAL_OUTPUT},
		{stderr_is_journal, TARGET_STDERR, TARGET_STDERR, STDERR_OUTPUT},
		{journal_stream_of_another, TARGET_AUTO, TARGET_STDERR, STDERR_OUTPUT},
		{journal_stream_on_another_device, TARGET_AUTO, TARGET_STDERR, STDERR_OUTPUT},
		{journal_stream_is_nonsense, TARGET_AUTO, TARGET_STDERR, STDERR_OUTPUT},
		{stderr_is_null, TARGET_AUTO, TARGET_SYSLOG, SYSLOG_OUTPUT},
		{stderr_is_full, TARGET_AUTO, TARGET_STDERR, ""},
		{stderr_is_closed, TARGET_AUTO, TARGET_SYSLOG, SYSLOG_OUTPUT},
		{stderr_is_closed_journal_stream_set, TARGET_AUTO, TARGET_SYSLOG, SYSLOG_OUTPUT},
	};
	char output[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum log_target got = try_target(cases[i].set_up, cases[i].target, output);

		if (got != cases[i].resolved)
			fail_msg("case %zu: %s, not %s", i, log_target_name(got),
				 log_target_name(cases[i].resolved));
		assert_string_equal(output, cases[i].output);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test_setup_teardown(test_pairs, set_up_sink, tear_down_sink),
		cmocka_unit_test_setup_teardown(test_levels, set_up_sink, tear_down_sink),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up_sink, tear_down_sink),
		cmocka_unit_test_setup_teardown(test_format_that_fails, set_up_sink,
						tear_down_sink),
		cmocka_unit_test(test_time),
		cmocka_unit_test_setup_teardown(test_json, set_up_sink, tear_down_sink),
		cmocka_unit_test_setup_teardown(test_json_of_bad_utf8, set_up_sink, tear_down_sink),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
