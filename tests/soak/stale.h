/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the leaking server has leaked: by place and source port, so that each connect knows before
 * whether it collides. All of it is provable: the old client is gone, and no other socket is on its
 * address and port.
 */
#ifndef SOAK_STALE_H
#define SOAK_STALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soak/chance.h"
#include "soak/place.h"

struct stale {
	int fd;	     /* in CLOSE_WAIT; -1: there is none */
	bool honest; /* its client was in FIN_WAIT_2 when it was leaked */
	uint64_t cookie;
};

struct leaving;

struct stales {
	struct stale at[THERE_COUNT][SOURCE_PORTS];
	size_t count[THERE_COUNT];
	struct leaving *leaving; /* clients whose FIN is not acknowledged yet */
	size_t n_leaving, room;
};

void stales_init(struct stales *stales);
void stales_release(struct stales *stales);

/*
 * The client goes, the server keeps its end. At once by TCP_REPAIR, once its FIN is acknowledged;
 * or honestly, by close(): then its port is free when FIN_WAIT_2 has passed.
 */
void stales_leak(struct stales *stales, const struct place *place, int client, int server,
		 bool honest);
/* Goes on with those who are leaving. */
void stales_go_on(struct stales *stales);

/*
 * Drops those that have ended: a SYN that its client had sent a second time, and that came late, has
 * met them. How many.
 */
long stales_sweep(struct stales *stales);

/* What a SYN from this port would meet, or NULL. */
struct stale *stales_find(struct stales *stales, const struct place *place, uint16_t port);
/* The port of one of them, 0 if there is none. */
uint16_t stales_pick(const struct stales *stales, const struct place *place, struct chance *chance);
/* Closes it. */
void stales_remove(struct stales *stales, const struct place *place, struct stale *stale);

#endif
