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

/*
 * Whether the SYN, as it comes in, belongs to an entry that an earlier connection on its tuple has
 * left, and not to one of its own. true also where the kernel does not tell.
 */
bool track_remembers(struct track *track, const struct tuple *syn);

#endif
