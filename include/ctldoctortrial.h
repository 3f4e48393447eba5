/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctldoctortrial: what a collision comes to, with this kernel alone and on this host, and whether
 * RSTs and bare ACKs pass. The difference between the two is what the host's rules make.
 */
#ifndef CW_CTLDOCTORTRIAL_H
#define CW_CTLDOCTORTRIAL_H

#include "child.h"
#include "ctldiagnosis.h"
#include "trial.h"

#include <stdbool.h>

enum doctor_arena {
	ARENA_KERNEL, /* a network namespace of its own, without rules */
	ARENA_IPV4,   /* this host's loopback */
	ARENA_IPV6,
};
#define ARENA_COUNT 3

struct doctor_trial {
	const char *why_not; /* NULL, or why it was not to be made */
	int error;	     /* negative errno: it could not be made */
	struct trial trial;
	struct child child;
	/* Of a daemon that was asked: the result in its event about this one, "" for no event. */
	bool was_asked;
	char result[16];
};

struct doctor_trials {
	struct doctor_trial of[ARENA_COUNT];
	int64_t deadline_ms;
};

/* why_not: NULL, or a reason against it, which must outlive trials. */
void doctor_trial_start(struct doctor_trials *trials, enum doctor_arena arena, const char *why_not);
void doctor_trials_finish(struct doctor_trials *trials);

/* release: of the kernel. */
void doctor_trials_judge(const struct doctor_trials *trials, const char *release,
			 struct diagnoses *all);
/* Whether a collision on this host made a connect hang or fail. */
bool doctor_trials_hurt(const struct doctor_trials *trials);

#endif
