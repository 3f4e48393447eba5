/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctorguard.h"

#include <string.h>

const char *doctor_guard_objection(const struct doctor_daemon *daemon,
				   const struct doctor_rules *rules)
{
	/* Somebody may read the queue whose control socket is switched off, or elsewhere. */
	if (daemon->status == CTL_NO_DAEMON && !rules->bound)
		return NULL;
	switch (rules->state) {
	case DOCTOR_RULES_UNKNOWN:
		return "a closewaitd is at work, and would count a collision that its rules do not "
		       "hold as missed traffic: whether they do is not known";
	case DOCTOR_RULES_NONE:
	case DOCTOR_RULES_WRONG:
		return "a closewaitd is at work whose rules are not in order, and would count the "
		       "collision as missed traffic";
	case DOCTOR_RULES_RIGHT:
		break;
	}
	if (!rules->all_ports)
		return "the rules are for certain ports only, and closewaitd would count a "
		       "collision on another one as missed traffic";
	return NULL;
}

bool doctor_guard_protects(const struct doctor_daemon *daemon)
{
	return daemon->status == CTL_OK && strcmp(daemon->mode, "enforce") == 0 &&
	       strcmp(daemon->coverage, "missed") != 0 && strcmp(daemon->coverage, "not-fed") != 0;
}

static struct diagnosis judge_absent(bool hurt, size_t mines)
{
	struct diagnosis diagnosis = diagnosis_make(
		"closewaitd", hurt && mines > 0 ? VERDICT_BAD : VERDICT_NOTE, "not running");

	diagnosis_means(&diagnosis, "nobody watches for collisions on this host");
	if (hurt)
		diagnosis_advise(
			&diagnosis, EFFECT_DAEMON,
			"Run closewaitd: closewaitd-rules up, and the daemon in audit mode "
			"at first, which touches nothing; with mode = \"enforce\" connects "
			"no longer hang.");
	else if (mines > 0)
		diagnosis_advise(
			&diagnosis, EFFECT_DAEMON,
			"Run closewaitd in audit mode, which touches nothing: it tells how "
			"often clients meet leaked sockets, and whose they are.");
	return diagnosis;
}

static struct diagnosis judge_daemon(const struct doctor_daemon *daemon, bool hurt, size_t mines)
{
	bool enforces = strcmp(daemon->mode, "enforce") == 0;
	struct diagnosis diagnosis;

	if (daemon->status == CTL_NO_DAEMON)
		return judge_absent(hurt, mines);
	if (daemon->status == CTL_DENIED) {
		diagnosis = diagnosis_make("closewaitd", VERDICT_UNKNOWN, "may not be asked");
		diagnosis_means(&diagnosis, "run as root or as a member of control.group");
		return diagnosis;
	}
	if (daemon->status != CTL_OK) {
		diagnosis = diagnosis_make("closewaitd", VERDICT_BAD, "does not answer");
		diagnosis_means(&diagnosis, "a daemon that is stopped or stuck holds SYNs: those "
					    "connects hang");
		diagnosis_advise(&diagnosis, EFFECT_RULES,
				 "Start closewaitd again: it does not answer on its socket.");
		return diagnosis;
	}
	diagnosis = diagnosis_make("closewaitd", enforces ? VERDICT_GOOD : VERDICT_NOTE,
				   "running, mode %s", daemon->mode);
	if (enforces)
		return diagnosis;
	diagnosis_means(&diagnosis, "it decides and reports, and touches nothing");
	if (hurt || mines > 0)
		diagnosis_advise(&diagnosis, EFFECT_DAEMON,
				 "See what closewaitd would do (closewaitctl events), write rules "
				 "for what it must leave alone, and then set mode = \"enforce\".");
	return diagnosis;
}

static struct diagnosis judge_coverage(const struct doctor_daemon *daemon)
{
	bool bad =
		strcmp(daemon->coverage, "missed") == 0 || strcmp(daemon->coverage, "not-fed") == 0;
	enum ctl_verdict verdict = VERDICT_GOOD;
	struct diagnosis diagnosis;

	if (bad)
		verdict = VERDICT_BAD;
	else if (strcmp(daemon->coverage, "unknown") == 0)
		verdict = VERDICT_UNKNOWN;
	diagnosis = diagnosis_make("coverage", verdict, "%s", daemon->coverage);
	diagnosis_means(&diagnosis, "%s", daemon->coverage_text);
	if (bad)
		diagnosis_advise(
			&diagnosis, EFFECT_RULES,
			"Put the rules in order: closewaitd-rules check says what is wrong, "
			"closewaitd-rules up makes it right.");
	return diagnosis;
}

static struct diagnosis judge_rules(const struct doctor_rules *rules, bool is_running)
{
	struct diagnosis diagnosis;

	switch (rules->state) {
	case DOCTOR_RULES_UNKNOWN:
		diagnosis = diagnosis_make("rules", VERDICT_UNKNOWN, "not known");
		diagnosis_means(&diagnosis, "%s", rules->text);
		return diagnosis;
	case DOCTOR_RULES_RIGHT:
		diagnosis = diagnosis_make("rules", VERDICT_GOOD, "in order%s",
					   rules->all_ports ? "" : ", for certain ports only");
		if (!is_running && !rules->bound)
			diagnosis_means(&diagnosis, "nobody reads the queue: SYNs pass unheld");
		return diagnosis;
	case DOCTOR_RULES_NONE:
	case DOCTOR_RULES_WRONG:
		break;
	}
	diagnosis = diagnosis_make("rules", is_running ? VERDICT_BAD : VERDICT_NOTE, "%s",
				   rules->state == DOCTOR_RULES_NONE ? "none" : "not in order");
	diagnosis_means(&diagnosis, "%s", rules->text);
	if (is_running)
		diagnosis_advise(
			&diagnosis, EFFECT_RULES,
			"Put the rules in order: closewaitd-rules check says what is wrong, "
			"closewaitd-rules up makes it right.");
	return diagnosis;
}

/* Whether the collision that we made ourselves came to the daemon. */
static void judge_own(const struct doctor_trial *one, bool v6, struct diagnoses *all)
{
	const char *name = v6 ? "own-collision-ipv6" : "own-collision-ipv4";
	struct diagnosis diagnosis;

	if (!one->was_asked || one->trial.step != TRIAL_AT_COLLISION)
		return;
	if (one->result[0]) {
		diagnosis =
			diagnosis_make(name, VERDICT_GOOD, "seen by closewaitd: %s", one->result);
	} else {
		diagnosis = diagnosis_make(name, VERDICT_BAD, "not seen by closewaitd");
		diagnosis_means(&diagnosis, "the collision that was made here did not come through "
					    "its queue, or it keeps no such event");
		diagnosis_advise(
			&diagnosis, EFFECT_RULES,
			"Put the rules in order: closewaitd-rules check says what is wrong, "
			"closewaitd-rules up makes it right.");
	}
	diagnoses_add(all, QUESTION_PROTECTION, &diagnosis);
}

void doctor_guard_judge(const struct doctor_daemon *daemon, const struct doctor_rules *rules,
			const struct doctor_trials *trials, size_t mines, struct diagnoses *all)
{
	struct diagnosis diagnosis = judge_daemon(daemon, doctor_trials_hurt(trials), mines);

	diagnoses_add(all, QUESTION_PROTECTION, &diagnosis);
	if (daemon->status == CTL_OK) {
		diagnosis = judge_coverage(daemon);
		diagnoses_add(all, QUESTION_PROTECTION, &diagnosis);
	}
	diagnosis = judge_rules(rules, daemon->status != CTL_NO_DAEMON);
	diagnoses_add(all, QUESTION_PROTECTION, &diagnosis);
	judge_own(&trials->of[ARENA_IPV4], false, all);
	judge_own(&trials->of[ARENA_IPV6], true, all);
}
