/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attribution: incidents wait here, in order, until it is known which process holds their socket.
 *
 * Bounded in number and in time: an incident that cannot wait goes on as LEAKER_LATE. Never blocks
 * and never reads /proc: an ownerserver does, in another process. One thread.
 */
#ifndef CW_ATTRIBUTION_H
#define CW_ATTRIBUTION_H

#include "diag.h"
#include "incident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Incidents that wait at most, and for how long. */
#define ATTRIBUTION_MAX	    256
#define ATTRIBUTION_WAIT_US 10000000

struct attribution;

/*
 * server_fd, non-blocking, leads to an ownerserver and is taken over; diag, for the listeners of
 * sockets that were not accepted, stays the caller's. -ENOMEM: server_fd is the caller's still.
 */
int attribution_new(int server_fd, struct diag *diag, struct attribution **ret_attribution);
void attribution_free(struct attribution *a);
/* To poll for reading; -1 for NULL, and when the server has ended. */
int attribution_fd(const struct attribution *a);

/*
 * Takes a copy of an incident. If too many wait, the oldest of them has to go on: then true is
 * returned and it is in ret_displaced. now_us is monotonic, here and below.
 */
bool attribution_add(struct attribution *a, const struct incident *incident, uint64_t now_us,
		     struct incident *ret_displaced);
/*
 * Takes the server's answers; one that it cannot have meant, with the number -1 for a process, is
 * passed over. -EPIPE: it has ended, and nobody waits for it any more.
 */
int attribution_hear(struct attribution *a);
/* Nobody waits any longer. */
void attribution_give_up(struct attribution *a);
/* The oldest incident, as soon as its leaker is known or its time is up; false if there is none. */
bool attribution_take(struct attribution *a, uint64_t now_us, struct incident *ret_incident);
/* In how many microseconds the oldest one goes on at the latest; UINT64_MAX if there is none. */
uint64_t attribution_wait_us(const struct attribution *a, uint64_t now_us);
/* How many incidents have been taken or displaced with each kind of leaker. */
const uint64_t *attribution_counts(const struct attribution *a);

#endif
