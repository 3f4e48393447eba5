/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recent: the last incidents, kept for whoever asks. */
#ifndef CW_RECENT_H
#define CW_RECENT_H

#include "incident.h"

#include <stddef.h>
#include <stdint.h>

#define RECENT_MAX 256

struct recent {
	struct incident incidents[RECENT_MAX];
	uint64_t total; /* ever added */
};

static inline void recent_add(struct recent *recent, const struct incident *incident)
{
	recent->incidents[recent->total++ % RECENT_MAX] = *incident;
}

static inline size_t recent_kept(const struct recent *recent)
{
	return recent->total < RECENT_MAX ? (size_t)recent->total : RECENT_MAX;
}

/* index 0 is the newest; it is less than recent_kept(). */
static inline const struct incident *recent_get(const struct recent *recent, size_t index)
{
	return &recent->incidents[(recent->total - 1 - index) % RECENT_MAX];
}

#endif
