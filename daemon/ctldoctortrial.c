/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctortrial.h"
#include "clock.h"
#include "ctlprint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A SYN that is sent again is so after a second at the earliest (RFC 6298). */
#define RETRANSMISSION_US 700000

static const char *const names[ARENA_COUNT] = {
	[ARENA_KERNEL] = "collision-alone",
	[ARENA_IPV4] = "collision-ipv4",
	[ARENA_IPV6] = "collision-ipv6",
};

/* --- the facts --------------------------------------------------------------------------------*/

void doctor_trial_start(struct doctor_trials *trials, enum doctor_arena arena, const char *why_not)
{
	struct doctor_trial *one = &trials->of[arena];

	*one = (struct doctor_trial){.why_not = why_not};
	trials->deadline_ms = clock_ms(CLOCK_MONOTONIC) + TRIAL_DEADLINE_MS;
	if (!why_not)
		one->error =
			trial_start(arena == ARENA_KERNEL ? TRIAL_IN_OWN_NAMESPACE : TRIAL_HERE,
				    arena == ARENA_IPV6, &one->child);
}

void doctor_trials_finish(struct doctor_trials *trials)
{
	for (unsigned int arena = 0; arena < ARENA_COUNT; arena++) {
		struct doctor_trial *one = &trials->of[arena];

		if (!one->why_not && one->error == 0)
			one->error = trial_finish(&one->child, trials->deadline_ms, &one->trial);
	}
}

/* --- the judgement ----------------------------------------------------------------------------*/

static bool is_made(const struct doctor_trial *one)
{
	return !one->why_not && one->error == 0 && one->trial.end != TRIAL_UNDONE;
}

static bool hurts(const struct doctor_trial *one)
{
	return is_made(one) && (one->trial.end == TRIAL_HANGS || one->trial.end == TRIAL_ERROR) &&
	       strcmp(one->result, "dropped") != 0;
}

bool doctor_trials_hurt(const struct doctor_trials *trials)
{
	return hurts(&trials->of[ARENA_IPV4]) || hurts(&trials->of[ARENA_IPV6]);
}

static const char *step_text(const struct trial *trial)
{
	switch (trial->step) {
	case TRIAL_IN_NAMESPACE:
		return "lo could not be set up in a network namespace of its own";
	case TRIAL_AT_LISTEN:
		return "no listener could be made";
	case TRIAL_AT_CONNECT:
		return "a connection between two ports of the kernel's choice does not come about";
	case TRIAL_AT_CLOSE:
		return "a connection could not be closed on one side";
	case TRIAL_AT_PORT:
		if (trial->error == -ECONNRESET)
			return "somebody has ended the old socket before the collision";
		return "the first client's port could not be used again";
	case TRIAL_AT_COLLISION:
		break;
	}
	return "";
}

static struct diagnosis judge_undone(const char *name, const struct doctor_trial *one)
{
	int error = one->error ? one->error : one->trial.error;
	struct diagnosis diagnosis = diagnosis_make(name, VERDICT_UNKNOWN, "not measured");

	if (one->why_not)
		diagnosis_means(&diagnosis, "%s", one->why_not);
	else if (one->error == -EPERM || one->error == -ENOSPC || one->error == -EUSERS)
		diagnosis_means(&diagnosis,
				"a network namespace of its own is not permitted (%s): run as root",
				strerror(-error));
	else if (one->error)
		diagnosis_means(&diagnosis, "the trial has ended early: %s", strerror(-error));
	else if (one->trial.step == TRIAL_IN_NAMESPACE)
		diagnosis_means(&diagnosis, "%s (%s): run as root", step_text(&one->trial),
				strerror(-error));
	else
		diagnosis_means(&diagnosis, "%s: %s%s", step_text(&one->trial), strerror(-error),
				one->trial.step == TRIAL_AT_CONNECT && !one->trial.ack_lost
					? ": rules may admit certain ports only"
					: "");
	return diagnosis;
}

static const char *occupant_text(enum trial_occupant occupant)
{
	switch (occupant) {
	case TRIAL_STAYS:
		return "the old socket stays";
	case TRIAL_RESET:
		return "the old socket reset";
	case TRIAL_DESTROYED:
		return "the old socket destroyed";
	case TRIAL_LOST:
		return "the old socket gone";
	}
	return "";
}

static struct diagnosis judge_connected(const char *name, const struct trial *trial)
{
	bool slow = trial->us >= RETRANSMISSION_US;
	char time[CTLPRINT_SIZE];
	struct diagnosis diagnosis =
		diagnosis_make(name, slow ? VERDICT_BAD : VERDICT_GOOD, "connected in %s, %s",
			       ctlprint_us(trial->us, time), occupant_text(trial->occupant));

	diagnosis_number(&diagnosis, trial->us);
	if (trial->occupant == TRIAL_DESTROYED)
		diagnosis_means(&diagnosis, "closewaitd, or somebody else with SOCK_DESTROY, has "
					    "taken the old socket away");
	else if (slow)
		diagnosis_means(&diagnosis,
				"the connect is healed, but only when its SYN is sent again");
	else
		diagnosis_means(&diagnosis,
				"the kernel heals it: a challenge ACK, and an RST that ends the "
				"old socket, also one that somebody still uses");
	return diagnosis;
}

static struct diagnosis judge_failed(const char *name, const struct doctor_trial *one)
{
	const struct trial *trial = &one->trial;
	struct diagnosis diagnosis;
	char time[CTLPRINT_SIZE];

	ctlprint_us(trial->us, time);
	if (trial->end == TRIAL_HANGS)
		diagnosis = diagnosis_make(name, VERDICT_BAD, "no answer for %s, %s", time,
					   occupant_text(trial->occupant));
	else
		diagnosis = diagnosis_make(name, VERDICT_BAD, "%s after %s, %s",
					   strerror(-trial->error), time,
					   occupant_text(trial->occupant));
	diagnosis_number(&diagnosis, trial->us);
	diagnosis_means(&diagnosis,
			"a client that is given the port of a leaked socket cannot connect: it "
			"waits until ETIMEDOUT, two minutes by default");
	return diagnosis;
}

static struct diagnosis judge_refused(const char *name, const struct doctor_trial *one)
{
	bool by_policy = strcmp(one->result, "rejected") == 0;
	struct diagnosis diagnosis =
		diagnosis_make(name, by_policy ? VERDICT_GOOD : VERDICT_NOTE, "refused, %s",
			       occupant_text(one->trial.occupant));

	diagnosis_number(&diagnosis, one->trial.us);
	diagnosis_means(&diagnosis,
			by_policy ? "as closewaitd's policy says: reject"
				  : "something answers such a SYN with a reset: closewaitd, by "
				    "the action reject, or a rule of the firewall");
	return diagnosis;
}

static struct diagnosis judge_collision(const char *name, const struct doctor_trial *one)
{
	if (!is_made(one))
		return judge_undone(name, one);
	switch (one->trial.end) {
	case TRIAL_CONNECTED:
		return judge_connected(name, &one->trial);
	case TRIAL_REFUSED:
		return judge_refused(name, one);
	case TRIAL_UNDONE:
	case TRIAL_HANGS:
	case TRIAL_ERROR:
		break;
	}
	return judge_failed(name, one);
}

static void judge_kernel(const struct doctor_trial *one, const char *release, struct diagnoses *all)
{
	struct diagnosis diagnosis = diagnosis_make("kernel", VERDICT_GOOD, "Linux %s", release);

	diagnoses_add(all, QUESTION_COLLISION, &diagnosis);
	diagnosis = judge_collision(names[ARENA_KERNEL], one);
	if (hurts(one))
		diagnosis_advise(&diagnosis, EFFECT_DAEMON,
				 "This kernel does not heal collisions: let closewaitd do it, with "
				 "mode = \"enforce\".");
	diagnoses_add(all, QUESTION_COLLISION, &diagnosis);
}

/* What is to be said where the kernel alone fares better than the kernel with the host's rules. */
static void blame_rules(struct diagnosis *diagnosis, const struct doctor_trials *trials,
			const struct doctor_trial *one)
{
	const struct doctor_trial *kernel = &trials->of[ARENA_KERNEL];
	bool resets_pass =
		one->trial.resets_sent > 0 && one->trial.resets_arrived == one->trial.resets_sent;

	if (!is_made(kernel) || hurts(kernel))
		return;
	diagnosis_means(diagnosis,
			"a client that is given the port of a leaked socket waits until "
			"ETIMEDOUT, two minutes by default. The kernel alone heals it: rules of "
			"this host, or its TCP settings, keep it from that");
	if (resets_pass)
		diagnosis_advise(diagnosis, EFFECT_FIREWALL,
				 "Find the rule that drops the kernel's challenge ACK or the RST "
				 "that answers it on lo: nft list ruleset, iptables-save -c; rules "
				 "for ctstate INVALID first. Accept what comes in on lo and goes "
				 "out on lo before it.");
}

static void judge_host(const struct doctor_trials *trials, enum doctor_arena arena,
		       struct diagnoses *all)
{
	const struct doctor_trial *one = &trials->of[arena];
	struct diagnosis diagnosis = judge_collision(names[arena], one);

	/* A host without ::1 is in good health. */
	if (arena == ARENA_IPV6 && one->error == 0 && !one->why_not &&
	    (one->trial.error == -EADDRNOTAVAIL || one->trial.error == -EAFNOSUPPORT) &&
	    one->trial.step == TRIAL_AT_LISTEN) {
		diagnosis = diagnosis_make(names[arena], VERDICT_GOOD, "no IPv6 on loopback");
	} else if (is_made(one) && !hurts(one) && strcmp(one->result, "dropped") == 0) {
		diagnosis.verdict = VERDICT_NOTE;
		diagnosis_means(&diagnosis, "as closewaitd's policy says: drop");
	} else if (hurts(one)) {
		blame_rules(&diagnosis, trials, one);
	}
	diagnoses_add(all, QUESTION_COLLISION, &diagnosis);
}

/* --- RSTs and ACKs ----------------------------------------------------------------------------*/

static struct diagnosis judge_resets(const char *name, const struct trial *trial)
{
	/* One passed, or had passed before: the collision was healed by it. */
	bool some_pass = trial->resets_arrived > 0 ||
			 (trial->end == TRIAL_CONNECTED && trial->occupant == TRIAL_RESET);
	struct diagnosis diagnosis = diagnosis_make(name, VERDICT_GOOD, "%u of %u arrive",
						    trial->resets_arrived, trial->resets_sent);

	diagnosis_number(&diagnosis, trial->resets_arrived);
	if (trial->resets_arrived == trial->resets_sent)
		return diagnosis;
	diagnosis.verdict = VERDICT_BAD;
	diagnosis_means(&diagnosis,
			"a rule on loopback %s RSTs: the kernel cannot heal collisions without "
			"them, and refused connections hang",
			some_pass ? "limits the rate of" : "drops");
	diagnosis_advise(
		&diagnosis, EFFECT_FIREWALL,
		"Let RSTs pass on lo: accept -i lo -p tcp --tcp-flags RST RST in INPUT, and "
		"the same with -o lo in OUTPUT, before the rule that drops or limits them "
		"(iptables, ip6tables or nft). If the rules of closewaitd are in place, run "
		"closewaitd-rules up again afterwards.");
	return diagnosis;
}

static struct diagnosis judge_acks(const char *name, const struct trial *trial)
{
	struct diagnosis diagnosis =
		diagnosis_make(name, trial->ack_lost ? VERDICT_BAD : VERDICT_GOOD, "%s",
			       trial->ack_lost ? "lost" : "arrive");

	if (!trial->ack_lost)
		return diagnosis;
	diagnosis_means(&diagnosis,
			"an ACK without data did not arrive on loopback: no handshake is complete "
			"without one, no FIN is acknowledged, and no collision is healed");
	diagnosis_advise(&diagnosis, EFFECT_FIREWALL,
			 "Let ACKs pass on lo: find the rule that drops them with nft list ruleset "
			 "or iptables-save -c, and accept everything on lo before it, in INPUT and "
			 "OUTPUT.");
	return diagnosis;
}

static void judge_passage(const struct doctor_trial *one, bool v6, struct diagnoses *all)
{
	struct diagnosis diagnosis;

	if (one->why_not || one->error)
		return;
	if (one->trial.resets_sent > 0) {
		diagnosis = judge_resets(v6 ? "resets-ipv6" : "resets-ipv4", &one->trial);
		diagnoses_add(all, QUESTION_COLLISION, &diagnosis);
	}
	if (one->trial.step > TRIAL_AT_CLOSE || one->trial.ack_lost) {
		diagnosis = judge_acks(v6 ? "acks-ipv6" : "acks-ipv4", &one->trial);
		diagnoses_add(all, QUESTION_COLLISION, &diagnosis);
	}
}

void doctor_trials_judge(const struct doctor_trials *trials, const char *release,
			 struct diagnoses *all)
{
	judge_kernel(&trials->of[ARENA_KERNEL], release, all);
	judge_host(trials, ARENA_IPV4, all);
	judge_passage(&trials->of[ARENA_IPV4], false, all);
	judge_host(trials, ARENA_IPV6, all);
	judge_passage(&trials->of[ARENA_IPV6], true, all);
}
