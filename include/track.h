/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * track: what connection tracking remembers of a tuple (ctnetlink).
 *
 * One thread at a time.
 */
#ifndef CW_TRACK_H
#define CW_TRACK_H

#include "tuple.h"

#include <stdbool.h>
#include <stdint.h>

struct track;

/* The network namespace is the caller's, for ever. -errno. */
int track_open(struct track **ret_track);
void track_close(struct track *track);

/* What there is for a SYN, as it comes in. */
enum track_kind {
	TRACK_NONE,
	TRACK_OWN, /* that it has made itself */
	TRACK_OLD, /* that an earlier connection on its tuple has left */
};

struct track_entry {
	enum track_kind kind;
	/* By what it is known again. */
	bool has_state, has_id;
	uint8_t state; /* TCP_CONNTRACK_* */
	uint32_t id;   /* as the kernel has it */
};

/* TRACK_OLD also where the kernel does not tell. */
struct track_entry track_look(struct track *track, const struct tuple *syn);

/*
 * Deletes this entry of the SYN, if it is there still; an old one may have been closed since it was
 * seen. Then the SYN is not tracked.
 */
void track_forget(struct track *track, const struct tuple *syn, const struct track_entry *entry);

#endif
