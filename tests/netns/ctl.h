/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The built closewaitctl, run against a stage's daemon. */
#ifndef NETNS_CTL_H
#define NETNS_CTL_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include "daemon.h"

/* The program: $CLOSEWAITCTL, or ./closewaitctl. */
const char *ctl_program(void);

/* What it has written, up to a few kilobytes; valid until the next run. */
struct ctl_output {
	int status; /* its exit status, or 128 + the signal that killed it */
	char out[65536];
	char err[4096];
};

/* Runs it with the daemon's configuration and these arguments, up to a null pointer. */
const struct ctl_output *ctl_run(const struct daemon *daemon, ...) __attribute__((sentinel));
/* The same as another user, in no group but this one. */
const struct ctl_output *ctl_run_as(uid_t uid, gid_t gid, const struct daemon *daemon, ...)
	__attribute__((sentinel));
/* Runs it with --json; it must succeed. Its only line, to be released. */
json_t *ctl_json(const struct daemon *daemon, ...) __attribute__((sentinel));

/* "a.b.c": a member of a member of an object; fails the test if it is not there. */
const json_t *ctl_member(const json_t *object, const char *path);
const char *ctl_text(const json_t *object, const char *path);
long ctl_number(const json_t *object, const char *path);

/* Starts "events --follow --json"; its output, to be read line by line. Ends with the daemon. */
struct ctl_stream {
	pid_t pid;
	FILE *out;
};
struct ctl_stream ctl_follow(const struct daemon *daemon, ...) __attribute__((sentinel));
/* The next line, to be released; NULL at the end. */
json_t *ctl_next(struct ctl_stream *stream);
/* Waits for its end; the exit status. */
int ctl_end(struct ctl_stream *stream);

#endif
