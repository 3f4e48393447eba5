/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon under test has written to its stderr, line by line, waited for with a deadline. */
#ifndef NETNS_LOGLINES_H
#define NETNS_LOGLINES_H

#include <jansson.h>
#include <stddef.h>

struct logline {
	char *text;
	json_t *object;	     /* NULL if the line is no JSON object */
	const char *event;   /* its member "event"; NULL if the line is no event */
	const char *message; /* its member "message"; the line itself if it is no JSON object */
};

struct loglines {
	int fd; /* the reading end of the pipe, non-blocking; -1 after its end */
	struct logline *lines;
	size_t count;
	char *rest; /* the start of a line whose end has not come yet */
	size_t rest_len;
};

/* Takes the descriptor over. */
void loglines_init(struct loglines *log, int fd);
void loglines_release(struct loglines *log);

/* Drops the lines that are there. */
void loglines_forget(struct loglines *log);
/* Reads what is there. */
void loglines_read(struct loglines *log);
/*
 * Reads until there is another line or time runs out: 0, -ETIMEDOUT, or -EPIPE if the daemon has
 * closed its end.
 */
int loglines_wait(struct loglines *log, int timeout_ms);
/* Reads until the daemon has closed its end: 0 or -ETIMEDOUT. */
int loglines_wait_end(struct loglines *log, int timeout_ms);
/* Prints the last lines to stderr. */
void loglines_print(const struct loglines *log);

#endif
