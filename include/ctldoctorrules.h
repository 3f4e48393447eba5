/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctorrules: what closewaitd-rules check says. */
#ifndef CW_CTLDOCTORRULES_H
#define CW_CTLDOCTORRULES_H

#include "child.h"
#include "ctl.h"

#include <stdbool.h>
#include <stdint.h>

enum doctor_rules_state {
	DOCTOR_RULES_UNKNOWN, /* text says why */
	DOCTOR_RULES_NONE,
	DOCTOR_RULES_WRONG, /* text says what */
	DOCTOR_RULES_RIGHT,
};

struct doctor_rules {
	enum doctor_rules_state state;
	bool all_ports; /* they hold SYNs to any port */
	bool bound;	/* a program reads the queue */
	char text[256];
	int error; /* of starting the check */
	struct child child;
};

/* What closewaitd-rules check has printed, and its exit status. */
void doctor_rules_parse(const char *output, int status, struct doctor_rules *ret_rules);
/* Runs closewaitd-rules check, which takes part of a second; its result, by the deadline. */
void doctor_rules_start(const struct ctl *ctl, struct doctor_rules *rules);
void doctor_rules_finish(struct doctor_rules *rules, int64_t deadline_ms);

#endif
