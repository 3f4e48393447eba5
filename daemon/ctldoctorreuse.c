/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctorreuse.h"
#include "clock.h"
#include "ctlprint.h"

#include <string.h>

void doctor_reuse_start(struct doctor_reuse *reuse, const char *why_not)
{
	*reuse = (struct doctor_reuse){.why_not = why_not};
	reuse->deadline_ms = clock_ms(CLOCK_MONOTONIC) + TRIALREUSE_DEADLINE_MS;
	if (!why_not)
		reuse->error = trialreuse_start(&reuse->child);
}

void doctor_reuse_finish(struct doctor_reuse *reuse)
{
	if (!reuse->why_not && reuse->error == 0)
		reuse->error = trialreuse_finish(&reuse->child, reuse->deadline_ms, &reuse->trial);
}

void doctor_reuse_judge(const struct doctor_reuse *reuse, bool hurts, struct diagnoses *all)
{
	static const char name[] = "port-reuse";
	int error = reuse->error ? reuse->error : reuse->trial.error;
	struct diagnosis diagnosis;
	char time[CTLPRINT_SIZE];

	ctlprint_duration(reuse->trial.after_ms, time);
	if (reuse->why_not || error < 0) {
		diagnosis = diagnosis_make(name, VERDICT_UNKNOWN, "not measured");
		if (reuse->why_not)
			diagnosis_means(&diagnosis, "%s", reuse->why_not);
		else
			diagnosis_means(
				&diagnosis,
				"a network namespace of its own is needed (%s): run as root",
				strerror(-error));
	} else if (reuse->trial.reused) {
		diagnosis = diagnosis_make(name, hurts ? VERDICT_BAD : VERDICT_NOTE,
					   "after %s already", time);
		diagnosis_number(&diagnosis, reuse->trial.after_ms);
		diagnosis_means(
			&diagnosis,
			"a client is given the port of a connection that its server has not "
			"closed yet (FIN_WAIT_2): also a server that leaks nothing, and "
			"closes a second late, is met by a SYN");
		diagnosis_advise(&diagnosis, EFFECT_SETTING,
				 "Set net.ipv4.tcp_tw_reuse to 0: this kernel then leaves ports "
				 "alone for tcp_fin_timeout. Linux 6.12 and newer do so anyway.");
	} else {
		diagnosis = diagnosis_make(name, VERDICT_GOOD, "not within %s", time);
		diagnosis_means(&diagnosis, "a port is not drawn again while its server has not "
					    "closed yet, before tcp_fin_timeout");
	}
	diagnoses_add(all, QUESTION_COLLISION, &diagnosis);
}
