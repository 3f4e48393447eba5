/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "leaker.h"
#include "names.h"

static const char *const kind_names[LEAKER_KIND_COUNT] = {
	[LEAKER_NOT_SOUGHT] = "not-sought",
	[LEAKER_HELD] = "held",
	[LEAKER_ACCEPT_QUEUE] = "accept-queue",
	[LEAKER_ORPHANED] = "orphaned",
	[LEAKER_GONE] = "gone",
	[LEAKER_DENIED] = "denied",
	[LEAKER_LATE] = "late",
};

const char *leaker_kind_name(enum leaker_kind kind)
{
	return names_get(kind_names, LEAKER_KIND_COUNT, kind);
}
