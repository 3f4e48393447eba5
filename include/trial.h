/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial: a collision of our own making, on loopback, between sockets that are all ours: what the
 * kernel, the rules and perhaps a closewaitd make of it, measured instead of guessed.
 *
 * It takes a bit over a second, the shortest life of FIN_WAIT_2 that can be asked for, and in the
 * worst case TRIAL_DEADLINE_MS. Nothing is left behind: every socket ends with a reset, also when
 * the process is killed; the first client's FIN_WAIT_2 alone outlives it, by a second at most.
 */
#ifndef CW_TRIAL_H
#define CW_TRIAL_H

#include "child.h"
#include "tuple.h"

#include <stdbool.h>
#include <stdint.h>

/* How long the colliding SYN is waited for: it is sent again after 1 s and after 2 or 3 s. */
#define TRIAL_PATIENCE_MS 3500
#define TRIAL_DEADLINE_MS 12000
/* Connections that are aborted, each with an RST; what limits the rate of RSTs lets a few pass. */
#define TRIAL_RESETS 20

enum trial_end {
	TRIAL_UNDONE, /* it did not come to a collision: step and error tell why */
	TRIAL_CONNECTED,
	TRIAL_REFUSED,
	TRIAL_HANGS, /* nothing for TRIAL_PATIENCE_MS */
	TRIAL_ERROR, /* connect() failed with error */
};

/* What became of the old socket. */
enum trial_occupant { TRIAL_STAYS, TRIAL_RESET, TRIAL_DESTROYED, TRIAL_LOST };

/* How far it came. */
enum trial_step {
	TRIAL_IN_NAMESPACE,
	TRIAL_AT_LISTEN,
	TRIAL_AT_CONNECT, /* of the first client */
	TRIAL_AT_CLOSE,	  /* its FIN was not acknowledged, or the server was reset */
	TRIAL_AT_PORT,	  /* its port did not become free */
	TRIAL_AT_COLLISION,
};

struct trial {
	enum trial_end end;
	enum trial_step step;
	int error;   /* negative errno of TRIAL_UNDONE and TRIAL_ERROR */
	uint32_t us; /* from the colliding connect() to its end */
	enum trial_occupant occupant;
	bool ack_lost;		 /* a bare ACK did not arrive */
	uint32_t resets_arrived; /* of resets_sent */
	uint32_t resets_sent;	 /* 0: not tried */
	struct tuple syn;	 /* the colliding one; all zero before TRIAL_AT_PORT */
};

enum trial_place { TRIAL_HERE, TRIAL_IN_OWN_NAMESPACE };

/*
 * Starts one in a process of its own, on 127.0.0.1 or ::1. In its own network namespace there are
 * no rules; where the privilege for one is missing, a user namespace is tried. -errno of clone().
 */
int trial_start(enum trial_place place, bool v6, struct child *ret_child);
/*
 * Waits for it, until the deadline (CLOCK_MONOTONIC), TRIAL_DEADLINE_MS after its start. -errno:
 * there is no result.
 */
int trial_finish(struct child *child, int64_t deadline_ms, struct trial *ret_trial);

#endif
