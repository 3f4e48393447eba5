/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recent: the last incidents, kept for whoever asks. Each kind of event, by incident_name(), has a
 * share of the room that no flood of another takes from it.
 */
#ifndef CW_RECENT_H
#define CW_RECENT_H

#include "incident.h"

#include <stddef.h>
#include <stdint.h>

#define RECENT_MAX 256
/* The findings, and mines. */
#define RECENT_KINDS (FINDING_COUNT + 1)

/* All 0: empty. */
struct recent {
	struct incident incidents[RECENT_MAX]; /* in no order */
	uint16_t order[RECENT_MAX];	       /* their places, the oldest first */
	size_t kept;
	size_t kept_of[RECENT_KINDS];
	uint64_t total; /* ever added */
};

/* When there is no room, the oldest of the kind that has most goes, the new one counted. */
void recent_add(struct recent *recent, const struct incident *incident);
size_t recent_kept(const struct recent *recent);
/* index 0 is the newest; it is less than recent_kept(). */
const struct incident *recent_get(const struct recent *recent, size_t index);

#endif
