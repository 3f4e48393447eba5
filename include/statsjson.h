/* SPDX-License-Identifier: GPL-2.0-or-later */
/* statsjson: the counters as a JSON object, with the words of events and metrics. */
#ifndef CW_STATSJSON_H
#define CW_STATSJSON_H

#include "stats.h"

#include <jansson.h>

/* A new reference; NULL if there is no memory. Collisions that never happened are left out. */
json_t *statsjson_object(const struct stats *stats);

#endif
