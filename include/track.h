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

struct track;

/* The network namespace is the caller's, for ever. -errno. */
int track_open(struct track **ret_track);
void track_close(struct track *track);

/* What there is for a SYN, as it comes in. */
enum track_entry {
	TRACK_NONE,
	TRACK_OWN, /* that it has made itself */
	TRACK_OLD, /* that an earlier connection on its tuple has left */
};

/* TRACK_OLD also where the kernel does not tell. */
enum track_entry track_look(struct track *track, const struct tuple *syn);

/* Deletes the SYN's entry if it is still of this kind, and the kernel tells. Then the SYN is not tracked. */
void track_forget(struct track *track, const struct tuple *syn, enum track_entry entry);

#endif
