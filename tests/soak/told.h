/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon says it has destroyed, held against what it may have destroyed. */
#ifndef SOAK_TOLD_H
#define SOAK_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netns/daemon.h"

struct told {
	/* What was destroyed, and the event. */
	struct told_destroyed {
		uint64_t cookie;
		char *text;
	} * destroyed;
	size_t count, room;
	/* Every other event: about which tuple, and its name or its result. */
	struct told_other {
		uint16_t src_port, dst_port;
		char name[24];
	} * others;
	size_t n_others, others_room;
};

/* Reads what the daemon has written and drops it. */
void told_read(struct told *told, struct daemon *daemon);
/* Takes one cookie out: whether it was there. */
bool told_take(struct told *told, uint64_t cookie);
/* What else was told about a tuple, or NULL. */
const char *told_otherwise(const struct told *told, uint16_t src_port, uint16_t dst_port);
/* Forgets everything. */
void told_clear(struct told *told);
void told_release(struct told *told);

#endif
