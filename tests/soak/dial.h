/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A handful of clients that connect at the same time, and the server's ends of theirs. */
#ifndef SOAK_DIAL_H
#define SOAK_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soak/chance.h"
#include "soak/place.h"
#include "soak/stale.h"

#define DIALS_MAX 64

struct dial {
	const struct place *place;
	uint16_t port;
	int client, server; /* server: -1 where clients wait */
	int64_t start_ns;
	long ms;
	int err; /* of the connect: 0 or a positive errno */
	/* What its SYN meets: fd -1 if nothing. Still in the table of stale sockets. */
	struct stale *met;
};

struct dials {
	struct dial list[DIALS_MAX];
	size_t n;
};

/* Begins one; nothing happens if the port is not free after all. */
void dials_begin(struct dials *dials, const struct place *place, uint16_t port,
		 struct stales *stales);
/*
 * Waits until each is connected or has failed, and accepts those of places that do. Strangers are
 * closed if they may come: a connect that failed can have reached the server.
 */
void dials_finish(struct dials *dials, struct place places[PLACES], bool strangers);

#endif
