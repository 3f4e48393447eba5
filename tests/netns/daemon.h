/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real daemon as a child process, in the caller's network namespace. Functions that wait have
 * a deadline and fail the test with what they waited for.
 */
#ifndef NETNS_DAEMON_H
#define NETNS_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "loglines.h"

struct daemon {
	pid_t pid; /* 0: it has ended, or was never started */
	char dir[32];
	char conf_path[64];
	char control_path[64]; /* "": no control socket */
	bool text_format; /* the log is to be text, not JSON: it has no events that can be read */
	struct loglines log;
	bool name_process;   /* log.leaker is to be "process" */
	int lacks;	     /* it is to start without this capability; 0: it has all of root's */
	bool contained;	     /* it is to be root of a user namespace, with a network of its own */
	size_t next_event;   /* the first line that daemon_event() has not seen */
	size_t next_message; /* the same for daemon_message() */
};

/* The program: $CLOSEWAITD, or ./closewaitd. */
const char *daemon_program(void);

/* Makes a directory for the configuration; before everything else. */
void daemon_init(struct daemon *daemon);
/* From the next start on it has a control socket, in that directory. */
void daemon_want_control(struct daemon *daemon);
/* Writes the configuration file: `text` below settings that send JSON to stderr. */
void daemon_write_conf(struct daemon *daemon, const char *text);
/* The number of the line in the file on which `text` began. */
extern const unsigned int daemon_conf_first_line;

/* Starts it with the file and with more arguments up to a null pointer; uid 0 stays root. */
void daemon_spawn(struct daemon *daemon, uid_t uid, const char *const arguments[]);
/* Writes, starts, and waits for "ready". */
void daemon_start(struct daemon *daemon, const char *conf);
/* Writes, sends SIGHUP and waits for "reloaded". */
void daemon_reload(struct daemon *daemon, const char *conf);
void daemon_signal(struct daemon *daemon, int signal);
/* Stops it where it stands, so that SYNs stay in its queue, and lets it go on. */
void daemon_freeze(struct daemon *daemon);
void daemon_thaw(struct daemon *daemon);

/* The next message, of those not waited for yet, that contains the text. */
const char *daemon_message(struct daemon *daemon, const char *text);
/* Whether any of its messages so far contains the text. */
bool daemon_has_said(struct daemon *daemon, const char *text);
/* The next event, which must have this name; borrowed, valid until daemon_release(). */
json_t *daemon_event(struct daemon *daemon, const char *name);
/* How many events of this name there were so far; NULL: of any name. */
size_t daemon_count_events(struct daemon *daemon, const char *name);

/* Drops the lines read so far, for tests that have many; events are invalid then. */
void daemon_forget(struct daemon *daemon);

/* Waits for the end and for the last line; the exit status, or 128 + the signal that killed it. */
int daemon_wait_exit(struct daemon *daemon);
/* SIGTERM, a successful exit and the line of totals. */
void daemon_stop(struct daemon *daemon);
/* From that line, for example "collisions"; fails the test if there is no such total. */
long daemon_total(const struct daemon *daemon, const char *name);

/* Prints its log to stderr, and how it ended if it has ended unasked. */
void daemon_print(struct daemon *daemon);
/* Kills it if it runs; releases everything. */
void daemon_release(struct daemon *daemon);

/* The member of an event, which must be there. */
const char *event_text(const json_t *event, const char *key);
long event_number(const json_t *event, const char *key);

#endif
