/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who floods displaces himself: as long as there are fewer kinds than places, the kind that has
 * most has more than its share, which is RECENT_MAX divided by the kinds that occur. Where only one
 * kind occurs it has all the room.
 */
#include "config.h"

#include "recent.h"

#include <string.h>

static size_t kind_of(const struct incident *incident)
{
	return incident->kind == INCIDENT_MINE ? FINDING_COUNT : (size_t)incident->finding;
}

static size_t kind_with_most(const struct recent *recent)
{
	size_t most = 0;

	for (size_t kind = 1; kind < RECENT_KINDS; kind++) {
		if (recent->kept_of[kind] > recent->kept_of[most])
			most = kind;
	}
	return most;
}

/* Takes the oldest of this kind out of the order; returns the place that is free now. */
static uint16_t displace(struct recent *recent, size_t kind)
{
	size_t at = 0;
	uint16_t place;

	while (kind_of(&recent->incidents[recent->order[at]]) != kind)
		at++;
	place = recent->order[at];
	recent->kept--;
	recent->kept_of[kind]--;
	memmove(&recent->order[at], &recent->order[at + 1],
		(recent->kept - at) * sizeof(recent->order[0]));
	return place;
}

void recent_add(struct recent *recent, const struct incident *incident)
{
	uint16_t place = (uint16_t)recent->kept;

	recent->kept_of[kind_of(incident)]++;
	if (recent->kept == RECENT_MAX)
		place = displace(recent, kind_with_most(recent));
	recent->incidents[place] = *incident;
	recent->order[recent->kept++] = place;
	recent->total++;
}

size_t recent_kept(const struct recent *recent)
{
	return recent->kept;
}

const struct incident *recent_get(const struct recent *recent, size_t index)
{
	return &recent->incidents[recent->order[recent->kept - 1 - index]];
}
