/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "judge.h"

#include <errno.h>
#include <string.h>

static void settle(struct judgement *j, enum finding finding)
{
	j->finding = finding;
	j->suspect = false;
}

static void settle_failed(struct judgement *j, int error)
{
	settle(j, FINDING_LOOKUP_FAILED);
	j->error = error;
}

static bool is_stale(enum tcpstate state, tcpstate_set stale)
{
	return tcpstate_can_be_stale(state) && tcpstate_in(state, stale);
}

void judge_occupant(struct judgement *j, tcpstate_set stale, const struct diag_answer *answer)
{
	if (answer->error == -ENOENT) {
		settle(j, FINDING_NO_LISTENER);
		return;
	}
	if (answer->error < 0) {
		settle_failed(j, answer->error);
		return;
	}
	j->has_occupant = true;
	j->occupant = answer->info;
	if (answer->info.state == TCPSTATE_LISTEN)
		settle(j, sock_info_accept_queue_full(&answer->info) ? FINDING_ACCEPT_QUEUE_FULL
								     : FINDING_LISTENER);
	else if (is_stale(answer->info.state, stale))
		j->suspect = true;
	else
		settle(j, FINDING_NOT_STALE);
}

void judge_foreign(struct judgement *j)
{
	settle(j, FINDING_FOREIGN_SOURCE);
}

void judge_second_look(struct judgement *j, tcpstate_set stale, const struct diag_answer *answer)
{
	if (answer->error == -ENOENT) {
		settle(j, FINDING_NOT_STALE);
		j->occupant.state = TCPSTATE_CLOSE; /* closed by its owner in between */
		return;
	}
	if (answer->error < 0) {
		settle_failed(j, answer->error);
		return;
	}
	j->occupant = answer->info;
	if (!is_stale(answer->info.state, stale))
		settle(j, FINDING_NOT_STALE);
}

void judge_claimant(struct judgement *j, const struct diag_answer *answer)
{
	/* The kernel answers with a listener on the source port where there is no connection. */
	if (answer->error == -ENOENT ||
	    (answer->error == 0 && answer->info.state == TCPSTATE_LISTEN))
		return;
	if (answer->error < 0) {
		settle_failed(j, answer->error);
		return;
	}
	j->has_claimant = true;
	j->claimant_state = answer->info.state;
	if (answer->info.state == TCPSTATE_SYN_SENT) {
		settle(j, FINDING_COLLISION);
		j->proof = PROOF_EXACT;
	} else {
		settle(j, FINDING_DUPLICATE_SYN);
	}
}

void judge_elsewhere(struct judgement *j, int err, size_t count, const struct sock_info *only)
{
	if (err < 0) {
		settle_failed(j, err);
		return;
	}
	if (count > 0) {
		j->has_claimant = true;
		j->claimant_state = only->state;
	}
	if (count == 1 && only->state == TCPSTATE_SYN_SENT) {
		settle(j, FINDING_COLLISION);
		j->proof = PROOF_SOURCE;
		j->claimant_dst = only->tuple.dst;
	} else {
		settle(j, FINDING_UNPROVEN);
	}
}

void judge_other_peer(struct judgement *j, int err, size_t count)
{
	if (err == 0 && count == 0)
		return; /* the proof stands */
	j->proof = PROOF_NONE;
	if (err < 0)
		settle_failed(j, err);
	else
		settle(j, FINDING_UNPROVEN);
}

tcpstate_set judge_peer_states(enum tcpstate occupant)
{
	if (tcpstate_in(occupant, TCPSTATE_SET_FIN_RECEIVED))
		return tcpstate_bit(TCPSTATE_FIN_WAIT_1) | tcpstate_bit(TCPSTATE_FIN_WAIT_2) |
		       tcpstate_bit(TCPSTATE_CLOSING);
	return JUDGE_CONNECTED & ~tcpstate_bit(TCPSTATE_SYN_SENT);
}

void judge_decide(struct judgement *j, const struct policy *policy, enum mode mode,
		  const struct endpoint *dst, const char *unit)
{
	const struct policy_occupant known = {
		.local = *dst,
		/* Not accepted yet, or a mere remnant: the kernel may say 0 for "nobody". */
		.uid = j->occupant.inode != 0 ? j->occupant.uid : POLICY_NO_UID,
		.unit = unit,
		.age_ms = j->occupant.age_ms,
		.unread = sock_info_unread(&j->occupant),
	};

	j->decision = policy_decide(policy, &known);
	if (mode == MODE_AUDIT) {
		j->result = RESULT_AUDITED;
		return;
	}
	switch (j->decision.action) {
	case ACTION_LOG:
		j->result = RESULT_LOGGED;
		break;
	case ACTION_DESTROY:
		j->result = RESULT_LIMITED;
		break;
	case ACTION_DROP:
		j->result = RESULT_DROPPED;
		break;
	case ACTION_REJECT:
		j->result = RESULT_REJECTED;
		break;
	}
}

bool judge_is_closed(const struct judgement *j)
{
	return j->occupant.inode == 0 && tcpstate_in(j->occupant.state, TCPSTATE_SET_FIN_SENT);
}

void judge_destroy(struct judgement *j, int error)
{
	if (error == 0) {
		j->result = RESULT_DESTROYED;
	} else if (error == -ENOENT) {
		j->result = RESULT_GONE;
	} else {
		j->result = RESULT_FAILED;
		j->error = error;
	}
}

struct incident judge_incident(const struct judgement *j, const struct tuple *syn, enum mode mode)
{
	struct incident incident = {
		.finding = j->finding,
		.syn = *syn,
		.error = j->error,
		.has_occupant = j->has_occupant,
		.occupant = j->occupant,
		.has_claimant = j->has_claimant,
		.claimant_state = j->claimant_state,
		.mode = mode,
		.proof = j->proof,
		.action = j->decision.action,
		.result = j->result,
	};

	if (j->decision.rule)
		strncpy(incident.rule, j->decision.rule, sizeof(incident.rule) - 1);
	return incident;
}
