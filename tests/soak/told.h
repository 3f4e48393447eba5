/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon says it has destroyed, held against what it may have destroyed. */
#ifndef SOAK_TOLD_H
#define SOAK_TOLD_H

#include <stddef.h>
#include <stdint.h>

#include "netns/daemon.h"

struct told {
	uint64_t *cookies; /* of what was destroyed, in order; to be released with free() */
	size_t count, room;
};

/* Reads what the daemon has written and drops it; adds the cookies. */
void told_read(struct told *told, struct daemon *daemon);
/* Takes one cookie out: whether it was there. */
bool told_take(struct told *told, uint64_t cookie);

#endif
