/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leaker: which process holds the socket of an incident, as far as that was found. A value. */
#ifndef CW_LEAKER_H
#define CW_LEAKER_H

#include <sys/types.h>

enum leaker_kind {
	LEAKER_NOT_SOUGHT,   /* by configuration, or there was no socket to ask about */
	LEAKER_HELD,	     /* these processes hold it */
	LEAKER_ACCEPT_QUEUE, /* nobody has accepted it: these hold the listener, if any was found */
	LEAKER_ORPHANED,     /* closed by its process; the kernel alone still has it */
	LEAKER_GONE,   /* held by nobody when looked for: closed meanwhile, or its process ended */
	LEAKER_DENIED, /* not found, but not every process could be looked at */
	LEAKER_LATE,   /* the event could not wait for the answer any longer */
};
#define LEAKER_KIND_COUNT 7

#define LEAKER_COMM_SIZE  16
#define LEAKER_EXE_SIZE	  256
#define LEAKER_OTHERS_MAX 7

struct leaker_holder {
	pid_t pid;
	int fd;
};

struct leaker {
	enum leaker_kind kind;
	unsigned int count;	    /* descriptors that were found, in all processes */
	struct leaker_holder first; /* only if count > 0, and so are comm and exe */
	char comm[LEAKER_COMM_SIZE];
	char exe[LEAKER_EXE_SIZE];			/* "": not known */
	struct leaker_holder others[LEAKER_OTHERS_MAX]; /* the first of those beyond the first */
};

/* The word used in events and metrics; never NULL. */
const char *leaker_kind_name(enum leaker_kind kind);

#endif
