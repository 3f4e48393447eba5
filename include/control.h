/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the unix socket on which a running daemon is asked and told things.
 *
 * The protocol is in HACKING.md. This module knows lines, clients and their limits; what a request
 * means is its handler's business. Nothing in here ever waits for a client. One thread at a time.
 */
#ifndef CW_CONTROL_H
#define CW_CONTROL_H

#include "sockfile.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_VERSION	    1
#define CONTROL_ERROR_SIZE  512
#define CONTROL_REQUEST_MAX 4096 /* bytes of a request, its newline included */
#define CONTROL_CLIENTS_MAX 32
#define CONTROL_ANSWER_MAX  (2 * 1024 * 1024) /* bytes that wait for one client, answers */
#define CONTROL_STREAM_MAX  (64 * 1024)	      /* bytes that wait for one client, published lines */

/* Why a request was refused; the words are part of the protocol. */
#define CONTROL_BAD_REQUEST "bad-request" /* not understood */
#define CONTROL_DENIED	    "denied"	  /* the caller may not do that */
#define CONTROL_FAILED	    "failed"	  /* understood, permitted, and not possible */
#define CONTROL_BUSY	    "busy"	  /* too many clients */

struct control;

struct control_caller {
	uint64_t client; /* for the answer; never used again after the client is gone */
	pid_t pid;
	uid_t uid;
	bool trusted; /* uid 0, the daemon's own uid, or a member of the group */
};

/*
 * One request. It is answered by any number of control_line() and then one of control_answer(),
 * control_refuse(), now or later; until then the client's next request waits.
 */
typedef void control_handler(void *ctx, const struct control_caller *caller, const char *request,
			     const json_t *arguments);

/*
 * user: owns the socket, see sockfile.h. group: its members are trusted, and the socket is theirs
 * too; "" for none. On failure error holds one line that says what to do; -errno is returned.
 */
int control_open(const char *path, uid_t user, const char *group, control_handler *handler,
		 void *ctx, struct control **ret_control, char error[static CONTROL_ERROR_SIZE]);
void control_close(struct control *control);

/* Readable when there is something to do: call control_work() then. */
int control_fd(const struct control *control);
void control_work(struct control *control);

/* All four do nothing if the client is gone. text is one line without its newline. */
void control_line(struct control *control, uint64_t client, const char *text);
/* Takes the reference to result, an object; "ok" and "version" are added. */
void control_answer(struct control *control, uint64_t client, json_t *result);
void control_refuse(struct control *control, uint64_t client, const char *code, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
/* From the end of its answer on, the client receives what is published and asks nothing more. */
void control_follow(struct control *control, uint64_t client);

/* Sends a line to every follower; one that does not read is told later how many it has missed. */
void control_publish(struct control *control, const char *text);
bool control_is_followed(const struct control *control);

#endif
