/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: what the daemon has to say about itself, one line each, to one place.
 *
 * Each severity comes as a pair: log_err() appends ": " and the text of errno, log_errx() does
 * not. All of them keep errno. Thread-safe as far as stderr and syslog are; the hot path never
 * calls them. Incidents do not come this way: see event.h.
 */
#ifndef CW_LOG_H
#define CW_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };
#define LEVEL_COUNT 4

enum log_target {
	TARGET_AUTO,	/* the journal if stderr goes there, stderr if it is read, else syslog */
	TARGET_JOURNAL, /* stderr with the "<N>" prefixes of sd-daemon(3); events: journal.h */
	TARGET_SYSLOG,
	TARGET_STDERR,
};
#define TARGET_COUNT 4

/* Room for log_time(), NUL included. */
#define LOG_TIME_SIZE 32

/* Receives a finished line without newline; for tests. */
typedef void log_sink(enum log_level level, const char *line, void *ctx);

/*
 * Chooses where lines go; may be called again. json: each line is an object with the members
 * time, level and message. Returns what TARGET_AUTO turned out to be.
 */
enum log_target log_open(const char *program, enum log_target target, enum log_level level,
			 bool json);
/* A sink takes the place of the target; NULL gives it back. */
void log_set_sink(log_sink *sink, void *ctx);
bool log_enabled(enum log_level level);
/* The severity of syslog(3). */
int log_priority(enum log_level level);

/* Writes a line of plain text at that severity. */
void log_line(enum log_level level, const char *line);
/* The same for a line that is finished: not wrapped in an object, no program's name before it. */
void log_raw(enum log_level level, const char *line);
/* "2026-01-31T12:00:00.123456Z" for nanoseconds since the epoch. */
const char *log_time(uint64_t realtime_ns, char buf[static LOG_TIME_SIZE]);

void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_errx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The words of the configuration's log.level and log.target. */
const char *log_level_name(enum log_level level);
int log_level_parse(const char *text, enum log_level *ret_level);
const char *log_target_name(enum log_target target);
int log_target_parse(const char *text, enum log_target *ret_target);

#endif
