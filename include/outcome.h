/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcome: what a SYN was found to be, how that was proved, and what came of it. */
#ifndef CW_OUTCOME_H
#define CW_OUTCOME_H

/* The rows of the decision table: what the look-ups said about one SYN. */
enum finding {
	FINDING_NOT_JUDGED,	   /* not a plain SYN on loopback: passed on unseen */
	FINDING_NO_LISTENER,	   /* nobody on the tuple, nobody listens */
	FINDING_LISTENER,	   /* the ordinary case */
	FINDING_ACCEPT_QUEUE_FULL, /* a listener that will not answer this SYN */
	FINDING_NOT_STALE,	   /* an occupant in a state the policy does not call stale */
	FINDING_COLLISION,	   /* a stale occupant, and the claimant proves its old peer gone */
	FINDING_DUPLICATE_SYN,	   /* a stale occupant, but the claimant is past SYN_SENT */
	FINDING_UNPROVEN,	   /* a stale occupant, and no claimant that proves anything */
	FINDING_FOREIGN_SOURCE,	   /* a stale occupant, but the source is another host's address */
	FINDING_LOOKUP_FAILED,	   /* the kernel gave no usable answer in time */
};
#define FINDING_COUNT 10

/* How the claimant was found; PROOF_NONE unless the finding is a collision. */
enum proof {
	PROOF_NONE,
	PROOF_EXACT,  /* the socket on the SYN's own tuple is in SYN_SENT */
	PROOF_SOURCE, /* the only socket on the SYN's source address and port is in SYN_SENT */
};
#define PROOF_COUNT 3

/* What came of a collision's action. */
enum result {
	RESULT_LOGGED,	  /* the action was log: nothing was touched */
	RESULT_AUDITED,	  /* audit mode: nothing was touched */
	RESULT_DESTROYED, /* the occupant was destroyed */
	RESULT_GONE,	  /* the occupant had vanished by itself in between */
	RESULT_FAILED,	  /* the kernel took no destroy, and the SYN was let pass; or no verdict */
	RESULT_LIMITED,	  /* limits.destroy_per_second was reached; the SYN was let pass */
	RESULT_DROPPED,	  /* the SYN was dropped */
	RESULT_REJECTED,  /* the SYN was answered with a reset */
};
#define RESULT_COUNT 8

/* The words used in events and metrics; never NULL. */
const char *finding_name(enum finding finding);
const char *proof_name(enum proof proof);
const char *result_name(enum result result);

#endif
