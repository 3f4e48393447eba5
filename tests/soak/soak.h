/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soak: healthy connections in every state, a server that leaks, forged SYNs, and what happens
 * to a daemon. Nothing but the leaked sockets may be destroyed, and in calm rounds, while the
 * daemon is up, every one that a SYN meets.
 */
#ifndef SOAK_SOAK_H
#define SOAK_SOAK_H

#include <stdbool.h>

#include "netns/load.h"
#include "netns/pulse.h"
#include "netns/stage.h"
#include "soak/dial.h"
#include "soak/keeper.h"
#include "soak/member.h"
#include "soak/place.h"
#include "soak/stale.h"
#include "soak/told.h"

/* Each kind at each place that accepts, this often; and one where clients wait. */
#define COPIES	2
#define MEMBERS (THERE_COUNT * (COPIES * (MEMBER_KINDS - 1) + 1))

struct figures {
	long connects, forged;	/* SYNs of each sort, without retransmissions */
	long collisions;	/* connects that have met a leaked socket */
	long destroyed;		/* of them: by the daemon */
	long healed_upset;	/* by the kernel, while the daemon was away */
	long failed_upset;	/* redirected connects, after the daemon stood still */
	long given_up;		/* by the kernel; the daemon has told that time ran out */
	long missed;		/* by the kernel, and the daemon was there */
	long unproven;		/* leaked sockets that only a forged or repeated SYN has met */
	long wrongly_destroyed; /* told of by the daemon, or seen by a member */
	long unexplained;	/* challenges of calm rounds that nothing accounts for */
	long members, handed;	/* healthy connections; passed to another process */
	long slowest_ms, slowest_upset_ms;
	long stops, kills, restarts, reloads;
};

struct soak {
	struct stage *stage;
	struct chance chance;
	struct place places[PLACES];
	struct member members[MEMBERS];
	bool lives[MEMBERS];
	struct stales stales;
	struct keeper keeper;
	struct told told;
	struct figures figures;
	struct pulse *pulse;
	struct load *load; /* of the round */
	bool upset;	   /* the daemon is stopped, killed, restarted in this round */
	long challenges;   /* those that the forged SYNs of this round will provoke */
	long challenges_before, retransmitted_before;
};

/* The namespace, with or without connection tracking; the daemon and its rules. */
void soak_begin(struct soak *soak, struct stage *stage, uint64_t seed, bool tracks);
/* Some ten thousand SYNs, and the account of them. */
void soak_round(struct soak *soak, bool upset);
/* Checks every member for the last time. */
void soak_end(struct soak *soak);

#endif
