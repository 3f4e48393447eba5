/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "log.h"
#include "clock.h"
#include "names.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Longer messages are cut. Ours are a sentence or two; events come as whole lines, and are not. */
#define LINE_MAX_BYTES 2048

static struct {
	const char *program;
	enum log_target target;
	enum log_level level;
	bool json;
	log_sink *sink;
	void *sink_ctx;
} state = {.program = "closewaitd", .target = TARGET_STDERR, .level = LEVEL_INFO};

int log_priority(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return LOG_ERR;
	case LEVEL_WARNING:
		return LOG_WARNING;
	case LEVEL_INFO:
		return LOG_INFO;
	case LEVEL_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_ERR;
}

/* $JOURNAL_STREAM names the device and inode of the journal's socket (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	unsigned long long dev, ino;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	if (fstat(STDERR_FILENO, &st) < 0)
		return false;
	return dev == (unsigned long long)st.st_dev && ino == (unsigned long long)st.st_ino;
}

static enum log_target resolve_auto(void)
{
	struct stat null_device, error_output;

	if (stderr_is_journal())
		return TARGET_JOURNAL;
	if (fstat(STDERR_FILENO, &error_output) < 0)
		return TARGET_SYSLOG;
	if (stat("/dev/null", &null_device) == 0 && error_output.st_rdev == null_device.st_rdev &&
	    S_ISCHR(error_output.st_mode))
		return TARGET_SYSLOG;
	return TARGET_STDERR;
}

enum log_target log_open(const char *program, enum log_target target, enum log_level level,
			 bool json)
{
	if (target == TARGET_AUTO)
		target = resolve_auto();
	if (target == TARGET_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	state.program = program;
	state.target = target;
	state.level = level;
	state.json = json;
	return target;
}

void log_set_sink(log_sink *sink, void *ctx)
{
	state.sink = sink;
	state.sink_ctx = ctx;
}

bool log_enabled(enum log_level level)
{
	return level <= state.level;
}

const char *log_time(uint64_t realtime_ns, char buf[static LOG_TIME_SIZE])
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(buf, LOG_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, LOG_TIME_SIZE - len, ".%06uZ",
		 (unsigned int)(realtime_ns / 1000 % 1000000));
	return buf;
}

/* bare: the line stands for itself and takes no program's name before it. */
static void write_line(enum log_level level, const char *line, bool bare)
{
	if (state.sink) {
		state.sink(level, line, state.sink_ctx);
		return;
	}
	switch (state.target) {
	case TARGET_SYSLOG:
		syslog(log_priority(level), "%s", line);
		break;
	case TARGET_JOURNAL:
		fprintf(stderr, "<%d>%s\n", log_priority(level), line);
		break;
	case TARGET_AUTO:
	case TARGET_STDERR:
		if (bare)
			fprintf(stderr, "%s\n", line);
		else
			fprintf(stderr, "%s: %s\n", state.program, line);
		break;
	}
}

void log_raw(enum log_level level, const char *line)
{
	int saved = errno;

	if (log_enabled(level))
		write_line(level, line, true);
	errno = saved;
}

/* NULL where memory is short, or where line is not UTF-8. */
static json_t *pack_line(const char *time, enum log_level level, const char *line)
{
	return json_pack("{s:s, s:s, s:s}", "time", time, "level", log_level_name(level), "message",
			 line);
}

/* A file's name need not be UTF-8, nor a long line that was cut inside a character. */
static const char *to_ascii(const char *line, char buf[static LINE_MAX_BYTES])
{
	size_t i;

	for (i = 0; i < LINE_MAX_BYTES - 1 && line[i]; i++)
		buf[i] = line[i] & 0x80 ? '?' : line[i];
	buf[i] = '\0';
	return buf;
}

/* Falls back to the plain line where memory is short. */
static void write_json(enum log_level level, const char *line)
{
	char time[LOG_TIME_SIZE];
	char ascii[LINE_MAX_BYTES];
	json_t *object;
	char *text;

	log_time(clock_ns(CLOCK_REALTIME), time);
	object = pack_line(time, level, line);
	if (!object)
		object = pack_line(time, level, to_ascii(line, ascii));
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	write_line(level, text ? text : line, true);
	free(text);
	json_decref(object);
}

void log_line(enum log_level level, const char *line)
{
	int saved = errno;

	if (log_enabled(level)) {
		if (state.json)
			write_json(level, line);
		else
			write_line(level, line, false);
	}
	errno = saved;
}

__attribute__((format(printf, 3, 0))) static void vlog(enum log_level level, bool with_errno,
						       const char *fmt, va_list ap)
{
	int saved = errno;
	char line[LINE_MAX_BYTES];
	int len;

	if (!log_enabled(level))
		return;
	len = vsnprintf(line, sizeof(line), fmt, ap);
	if (with_errno && len >= 0 && (size_t)len < sizeof(line))
		snprintf(line + len, sizeof(line) - (size_t)len, ": %s", strerror(saved));
	errno = saved;
	log_line(level, line);
}

#define LOG_FUNCTION(name, level, with_errno)                                                      \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		vlog(level, with_errno, fmt, ap);                                                  \
		va_end(ap);                                                                        \
	}

LOG_FUNCTION(log_err, LEVEL_ERROR, true)
LOG_FUNCTION(log_errx, LEVEL_ERROR, false)
LOG_FUNCTION(log_warn, LEVEL_WARNING, true)
LOG_FUNCTION(log_warnx, LEVEL_WARNING, false)
LOG_FUNCTION(log_info, LEVEL_INFO, false)
LOG_FUNCTION(log_debug, LEVEL_DEBUG, false)

static const char *const level_names[LEVEL_COUNT] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};

static const char *const target_names[TARGET_COUNT] = {
	[TARGET_AUTO] = "auto",
	[TARGET_JOURNAL] = "journal",
	[TARGET_SYSLOG] = "syslog",
	[TARGET_STDERR] = "stderr",
};

const char *log_level_name(enum log_level level)
{
	return names_get(level_names, LEVEL_COUNT, level);
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
	int index = names_find(level_names, LEVEL_COUNT, text);

	if (index < 0)
		return index;
	*ret_level = (enum log_level)index;
	return 0;
}

const char *log_target_name(enum log_target target)
{
	return names_get(target_names, TARGET_COUNT, target);
}

int log_target_parse(const char *text, enum log_target *ret_target)
{
	int index = names_find(target_names, TARGET_COUNT, text);

	if (index < 0)
		return index;
	*ret_target = (enum log_target)index;
	return 0;
}
