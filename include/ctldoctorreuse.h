/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctorreuse: whether a port is drawn again while its server has not closed yet. */
#ifndef CW_CTLDOCTORREUSE_H
#define CW_CTLDOCTORREUSE_H

#include "child.h"
#include "ctldiagnosis.h"
#include "trialreuse.h"

#include <stdbool.h>

struct doctor_reuse {
	const char *why_not; /* NULL, or why it was not to be tried */
	int error;	     /* negative errno: it could not be tried */
	struct trialreuse trial;
	struct child child;
	int64_t deadline_ms;
};

/* why_not: NULL, or a reason against it, which must outlive reuse. */
void doctor_reuse_start(struct doctor_reuse *reuse, const char *why_not);
void doctor_reuse_finish(struct doctor_reuse *reuse);
/* hurts: collisions make a connect hang or fail. */
void doctor_reuse_judge(const struct doctor_reuse *reuse, bool hurts, struct diagnoses *all);

#endif
