/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge: what the answers to the look-ups say about one SYN. Answers in, a finding out: no I/O,
 * no clock. mitigate asks for many SYNs at once and explain for one; both judge with this.
 */
#ifndef CW_JUDGE_H
#define CW_JUDGE_H

#include "diag.h"
#include "incident.h"
#include "policy.h"
#include "track.h"

#include <stdbool.h>
#include <stddef.h>

/* What is known about one SYN so far. */
struct judgement {
	enum finding finding;
	int error;    /* of a failed look-up or destroy */
	bool suspect; /* a stale occupant, and no finding yet */
	bool has_occupant;
	struct sock_info occupant;
	bool has_claimant;
	enum tcpstate claimant_state;
	struct endpoint claimant_dst; /* with PROOF_SOURCE: where the claimant wants to be */
	enum proof proof;
	struct policy_decision decision;
	enum result result;
	struct track_entry entry; /* of connection tracking, before a destroy; see mitigate.c */
	bool again;		  /* the SYN has to be sent once more */
};

/* The states of a socket that counts when a claimant is sought elsewhere. */
#define JUDGE_CONNECTED                                                                            \
	(TCPSTATE_SET_ALL & ~(tcpstate_bit(TCPSTATE_LISTEN) | tcpstate_bit(TCPSTATE_CLOSE)))

/*
 * The steps, in their order; each of the later ones only while the SYN is a suspect.
 *
 * occupant: the answer for the SYN's tuple reversed.
 * foreign: the SYN's source is no address of this host.
 * second_look: the answer for that very occupant, by its cookie, with details.
 * claimant: the answer for the SYN's own tuple; a suspect afterwards has to be sought elsewhere.
 * elsewhere: what diag_sockets_on() says of the SYN's source and JUDGE_CONNECTED; only is the
 *   first socket.
 */
void judge_occupant(struct judgement *j, tcpstate_set stale, const struct diag_answer *answer);
void judge_foreign(struct judgement *j);
void judge_second_look(struct judgement *j, tcpstate_set stale, const struct diag_answer *answer);
void judge_claimant(struct judgement *j, const struct diag_answer *answer);
void judge_elsewhere(struct judgement *j, int err, size_t count, const struct sock_info *only);
/*
 * other_peer: after an exact proof, where destinations may have been rewritten: the same for the
 *   SYN's source and judge_peer_states() of the occupant's state. A socket there may be the
 *   occupant's living peer, connected to another destination that was rewritten to this one.
 */
void judge_other_peer(struct judgement *j, int err, size_t count);
/* The states in which the peer of an occupant in this state can be, if it lives. */
tcpstate_set judge_peer_states(enum tcpstate occupant);

/*
 * What the policy does about the occupant on dst, and what comes of that. A destroy that is to be
 * carried out has the result "limited" until judge_destroy(), which is told the kernel's answer.
 * May be called again, with the unit, if the decision needs one.
 */
void judge_decide(struct judgement *j, const struct policy *policy, enum mode mode,
		  const struct endpoint *dst, const char *unit);
void judge_destroy(struct judgement *j, int error);
/* The occupant's process has closed it: it lives on without a descriptor until its peer answers. */
bool judge_is_closed(const struct judgement *j);

/* The judgement as something to tell; time_ns and verdict_us are the caller's to fill in. */
struct incident judge_incident(const struct judgement *j, const struct tuple *syn, enum mode mode);

#endif
