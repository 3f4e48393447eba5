/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source addresses of a minefield: one, or a range of IPv4 addresses. */
#ifndef TOOLS_SOURCES_H
#define TOOLS_SOURCES_H

#include <stddef.h>

#include "lib/endpoint.h"

/* A whole 127.0.0.0/16; with every port of each it is more than memory holds anyway. */
#define SOURCES_MAX 65536

struct sources {
	union endpoint first;
	size_t count;
};

/* "127.0.0.2", "127.0.0.2-127.0.0.9" or "::1": 0 or -EINVAL. */
int sources_parse(const char *text, struct sources *ret_sources);

/* The address number `index` (from 0) with this port. */
union endpoint sources_at(const struct sources *sources, size_t index, uint16_t port);

#endif
