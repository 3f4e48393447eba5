/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctordaemon: what a running closewaitd says about itself and the doctor's collisions. */
#ifndef CW_CTLDOCTORDAEMON_H
#define CW_CTLDOCTORDAEMON_H

#include "ctl.h"
#include "ctldoctortrial.h"

struct doctor_daemon {
	int status; /* CTL_OK: it has answered; CTL_NO_DAEMON, CTL_DENIED, CTL_FAILED */
	char mode[16];
	char coverage[16]; /* its state, and what it says of it */
	char coverage_text[512];
};

void doctor_daemon_ask(const struct ctl *ctl, struct doctor_daemon *ret_daemon);
/* Fills in what the daemon says that it did about the trials' collisions. */
void doctor_daemon_ask_about(const struct ctl *ctl, struct doctor_trials *trials);

#endif
