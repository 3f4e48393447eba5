/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * incident: one thing worth telling about a SYN, about several that met the same full accept queue,
 * or about a mine. A value; copied through the ring.
 */
#ifndef CW_INCIDENT_H
#define CW_INCIDENT_H

#include "action.h"
#include "diagmsg.h"
#include "leaker.h"
#include "outcome.h"
#include "policy.h"
#include "tuple.h"

#include <stdbool.h>
#include <stdint.h>

enum incident_kind {
	INCIDENT_SYN,
	INCIDENT_MINE, /* found by the sweep: no SYN has come, syn is the one that would meet it */
};

struct incident {
	enum incident_kind kind;
	uint64_t time_ns;     /* of the receipt, CLOCK_REALTIME */
	uint64_t verdict_us;  /* from receipt to verdict */
	enum finding finding; /* not of a mine */
	struct tuple syn;
	uint32_t syns; /* how many of which this is the last; only for a full accept queue */
	int error;     /* negative errno of a failed look-up or destroy, 0 if none */

	/* The socket on the tuple: the occupant, or the listener whose accept queue is full. */
	bool has_occupant;
	struct sock_info occupant;
	struct leaker leaker; /* of that socket: for the main thread, after the verdict */
	bool has_claimant;
	enum tcpstate claimant_state;

	/* Only of a mine, and where the finding is a collision. */
	enum mode mode;
	enum proof proof;   /* not of a mine */
	enum action action; /* in audit mode: what enforce mode would have done */
	enum result result;
	char rule[POLICY_NAME_SIZE];
	/* Only for a full accept queue, and where the kernel's counters can be read (kstat.h). */
	bool has_kernel;
	uint64_t listen_overflows, listen_drops; /* since the start */
};

/* Whether something was decided about the occupant. */
static inline bool incident_has_decision(const struct incident *incident)
{
	return incident->kind == INCIDENT_MINE || incident->finding == FINDING_COLLISION;
}

/* The event's name; never NULL. */
static inline const char *incident_name(const struct incident *incident)
{
	return incident->kind == INCIDENT_MINE ? "mine" : finding_name(incident->finding);
}

/* Whether this finding is told as an event; the others are counted only. */
static inline bool incident_is_told(enum finding finding)
{
	return finding == FINDING_COLLISION || finding == FINDING_UNPROVEN ||
	       finding == FINDING_FOREIGN_SOURCE || finding == FINDING_ACCEPT_QUEUE_FULL ||
	       finding == FINDING_LOOKUP_FAILED;
}

#endif
