/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctlprint.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Columns of the names, and the one that no line goes beyond. */
#define NAME_WIDTH 16
#define LINE_WIDTH 94
/* Room for the words about a process: its name may be escaped, which takes four bytes for one. */
#define LEAKER_SIZE 192

static bool has_colour(void)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && term &&
	       strcmp(term, "dumb") != 0;
}

const char *ctlprint_colour(enum ctlprint_colour colour)
{
	if (!has_colour())
		return "";
	switch (colour) {
	case COLOUR_NONE:
		return "\033[0m";
	case COLOUR_GOOD:
		return "\033[32m";
	case COLOUR_BAD:
		return "\033[31m";
	case COLOUR_NOTE:
		return "\033[33m";
	case COLOUR_DIM:
		return "\033[2m";
	}
	return "";
}

/* How much of text goes into one line with room for width columns. */
static size_t line_length(const char *text, size_t width)
{
	size_t len = strlen(text);

	if (len <= width)
		return len;
	for (size_t i = width; i > 0; i--) {
		if (text[i] == ' ')
			return i;
	}
	return strcspn(text, " "); /* one long word, a path perhaps, stays whole */
}

void ctlprint_wrap(unsigned int indent, enum ctlprint_colour colour, const char *text)
{
	unsigned int margin = 0; /* the first line goes behind what the caller has written */

	do {
		size_t len = line_length(text, LINE_WIDTH - indent);

		printf("%*s%s%.*s%s\n", (int)margin, "", ctlprint_colour(colour), (int)len, text,
		       ctlprint_colour(COLOUR_NONE));
		margin = indent;
		text += len + strspn(text + len, " ");
	} while (*text);
}

void ctlprint_pair(const char *name, enum ctlprint_colour colour, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	printf("  %-*s", NAME_WIDTH, name);
	ctlprint_wrap(2 + NAME_WIDTH, colour, value);
}

const char *ctlprint_count(uint64_t count, char buf[static CTLPRINT_SIZE])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *at = buf;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return buf;
}

const char *ctlprint_duration(uint64_t ms, char buf[static CTLPRINT_SIZE])
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};

	if (ms < 1000) {
		snprintf(buf, CTLPRINT_SIZE, "%" PRIu64 " ms", ms);
	} else if (ms < 60000) {
		snprintf(buf, CTLPRINT_SIZE, "%" PRIu64 ".%" PRIu64 " s", ms / 1000,
			 ms % 1000 / 100);
	} else {
		size_t i = 0;

		while (ms < units[i].ms)
			i++;
		snprintf(buf, CTLPRINT_SIZE, "%" PRIu64 " %s %" PRIu64 " %s", ms / units[i].ms,
			 units[i].unit, ms % units[i].ms / units[i + 1].ms, units[i + 1].unit);
	}
	return buf;
}

const char *ctlprint_us(uint64_t us, char buf[static CTLPRINT_SIZE])
{
	if (us < 1000)
		snprintf(buf, CTLPRINT_SIZE, "%" PRIu64 " us", us);
	else if (us < 1000000)
		snprintf(buf, CTLPRINT_SIZE, "%.1f ms", (double)us / 1e3);
	else
		snprintf(buf, CTLPRINT_SIZE, "%.1f s", (double)us / 1e6);
	return buf;
}

const char *ctlprint_time(const char *text, char buf[static CTLPRINT_SIZE])
{
	struct tm tm = {.tm_isdst = 0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t seconds = timegm(&tm);
	size_t len;

	if (!rest || *rest != '.' || !localtime_r(&seconds, &tm)) {
		snprintf(buf, CTLPRINT_SIZE, "%s", text);
		return buf;
	}
	len = strftime(buf, CTLPRINT_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf + len, CTLPRINT_SIZE - len, "%.4s", rest); /* to the millisecond */
	return buf;
}

/* A name that somebody else has chosen, of a control group for one, comes to a terminal. */
static void disarm(char *text)
{
	while (*text) {
		size_t len = utf8_printable(text);

		if (len == 0)
			*text = '?';
		text += len > 0 ? len : 1;
	}
}

const char *ctlprint_word(const char *text, char buf[static CTLPRINT_SIZE])
{
	size_t len = text ? strnlen(text, CTLPRINT_SIZE - 1) : 0;

	/* A character that does not fit as a whole is left out. */
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	snprintf(buf, CTLPRINT_SIZE, "%.*s", (int)len, text ? text : "");
	disarm(buf);
	return buf;
}

const char *ctlprint_text(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	char *text;

	if (!json_is_string(value))
		return "";
	text = strdup(json_string_value(value));
	if (text) {
		disarm(text);
		json_string_set(value, text);
	}
	free(text);
	return json_string_value(value);
}

uint64_t ctlprint_number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* ", pid 123 (python3), fd 4" and the like; nothing if the event does not name its process. */
static const char *format_leaker(const json_t *event, char buf[static LEAKER_SIZE])
{
	const char *leaker = ctlprint_text(event, "leaker");
	uint64_t count = ctlprint_number(event, "leaker_count");
	char others[48] = "";

	buf[0] = '\0';
	if (count > 1)
		snprintf(others, sizeof(others), " and %" PRIu64 " more", count - 1);
	if (count > 0)
		snprintf(buf, LEAKER_SIZE, ", %spid %" PRIu64 " (%s), fd %" PRIu64 "%s",
			 strcmp(leaker, "accept-queue") == 0 ? "in the accept queue of " : "",
			 ctlprint_number(event, "leaker_pid"), ctlprint_text(event, "leaker_comm"),
			 ctlprint_number(event, "leaker_fd"), others);
	else if (leaker[0])
		snprintf(buf, LEAKER_SIZE, ", process: %s", leaker);
	return buf;
}

void ctlprint_occupant(const json_t *event, char *buf, size_t size)
{
	const char *unit = ctlprint_text(event, "unit");
	char age[CTLPRINT_SIZE] = "", count[CTLPRINT_SIZE], leaker[LEAKER_SIZE];

	format_leaker(event, leaker);
	if (json_object_get(event, "backlog")) {
		snprintf(buf, size,
			 "%" PRIu64 " wait to be accepted, %" PRIu64 " may%s%s, uid %" PRIu64 "%s",
			 ctlprint_number(event, "queued"), ctlprint_number(event, "backlog"),
			 unit[0] ? ", " : "", unit, ctlprint_number(event, "uid"), leaker);
		return;
	}
	if (!json_object_get(event, "state")) {
		snprintf(buf, size, "nobody");
		return;
	}
	if (json_object_get(event, "age_ms"))
		ctlprint_duration(ctlprint_number(event, "age_ms"), age);
	snprintf(buf, size, "%s%s%s, %s bytes unread, uid %" PRIu64 "%s%s%s",
		 ctlprint_text(event, "state"), age[0] ? " for " : "", age,
		 ctlprint_count(ctlprint_number(event, "unread"), count),
		 ctlprint_number(event, "uid"), unit[0] ? ", " : "", unit, leaker);
}

void ctlprint_event(const json_t *event)
{
	const char *action = ctlprint_text(event, "action");
	const char *error = ctlprint_text(event, "error");
	char time[CTLPRINT_SIZE], occupant[512];

	ctlprint_occupant(event, occupant, sizeof(occupant));
	printf("%s%s%s  %-17s  %s -> %s  %s", ctlprint_colour(COLOUR_DIM),
	       ctlprint_time(ctlprint_text(event, "time"), time), ctlprint_colour(COLOUR_NONE),
	       ctlprint_text(event, "event"), ctlprint_text(event, "src"),
	       ctlprint_text(event, "dst"), occupant);
	if (action[0])
		printf("; rule %s: %s, %s", ctlprint_text(event, "rule"), action,
		       ctlprint_text(event, "result"));
	if (error[0])
		printf("; %s%s%s", ctlprint_colour(COLOUR_BAD), error,
		       ctlprint_colour(COLOUR_NONE));
	putchar('\n');
}
