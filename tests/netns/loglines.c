/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "loglines.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/monotime.h"

/* Some tests make thousands of events. */
#define PRINTED_MAX 60

static void *must_alloc(void *memory)
{
	if (!memory) {
		perror("out of memory");
		abort();
	}
	return memory;
}

void loglines_init(struct loglines *log, int fd)
{
	*log = (struct loglines){.fd = fd};
}

void loglines_forget(struct loglines *log)
{
	for (size_t i = 0; i < log->count; i++) {
		free(log->lines[i].text);
		json_decref(log->lines[i].object);
	}
	log->count = 0;
}

void loglines_release(struct loglines *log)
{
	loglines_forget(log);
	free(log->lines);
	free(log->rest);
	if (log->fd >= 0)
		close(log->fd);
	loglines_init(log, -1);
}

static void add_line(struct loglines *log, const char *start, size_t len)
{
	struct logline *line;

	log->lines = must_alloc(realloc(log->lines, (log->count + 1) * sizeof(*log->lines)));
	line = &log->lines[log->count++];
	*line = (struct logline){.text = must_alloc(strndup(start, len))};
	line->message = line->text;
	line->object = json_loads(line->text, JSON_REJECT_DUPLICATES, NULL);
	if (line->object) {
		line->event = json_string_value(json_object_get(line->object, "event"));
		line->message = json_string_value(json_object_get(line->object, "message"));
	}
}

static void split(struct loglines *log)
{
	char *start = log->rest, *end;

	while ((end = memchr(start, '\n', log->rest_len))) {
		add_line(log, start, (size_t)(end - start));
		log->rest_len -= (size_t)(end + 1 - start);
		start = end + 1;
	}
	memmove(log->rest, start, log->rest_len);
}

void loglines_read(struct loglines *log)
{
	char buf[65536];
	ssize_t got;

	while (log->fd >= 0 && (got = read(log->fd, buf, sizeof(buf))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return;
		log->rest = must_alloc(realloc(log->rest, log->rest_len + (size_t)got));
		memcpy(log->rest + log->rest_len, buf, (size_t)got);
		log->rest_len += (size_t)got;
		split(log);
	}
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static int wait_readable(struct loglines *log, int64_t deadline)
{
	struct pollfd pfd = {.fd = log->fd, .events = POLLIN};

	if (log->fd < 0)
		return -EPIPE;
	if (poll(&pfd, 1, mono_ms_left(deadline)) == 0)
		return -ETIMEDOUT;
	loglines_read(log);
	return 0;
}

int loglines_wait(struct loglines *log, int timeout_ms)
{
	int64_t deadline = mono_ns() + (int64_t)timeout_ms * 1000000;
	size_t before = log->count;
	int rc = 0;

	while (rc == 0 && log->count == before)
		rc = wait_readable(log, deadline);
	return rc;
}

int loglines_wait_end(struct loglines *log, int timeout_ms)
{
	int64_t deadline = mono_ns() + (int64_t)timeout_ms * 1000000;
	int rc = 0;

	while (rc == 0)
		rc = wait_readable(log, deadline);
	return rc == -EPIPE ? 0 : rc;
}

void loglines_print(const struct loglines *log)
{
	size_t first = log->count > PRINTED_MAX ? log->count - PRINTED_MAX : 0;

	if (first > 0)
		fprintf(stderr, "    (%zu lines before these)\n", first);
	for (size_t i = first; i < log->count; i++)
		fprintf(stderr, "    %s\n", log->lines[i].text);
	if (log->rest_len > 0)
		fprintf(stderr, "    %.*s\n", (int)log->rest_len, log->rest);
}
