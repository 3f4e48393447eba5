/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctorsysctl: the kernel's TCP settings that matter to collisions, and what they mean here. */
#ifndef CW_CTLDOCTORSYSCTL_H
#define CW_CTLDOCTORSYSCTL_H

#include "ctldiagnosis.h"
#include "ephemeral.h"

#include <stdint.h>

enum doctor_setting {
	SETTING_FIN_TIMEOUT,
	SETTING_TW_REUSE,
	SETTING_CHALLENGE_ACK_LIMIT,
	SETTING_ABORT_ON_OVERFLOW,
	SETTING_SYN_RETRIES,
	SETTING_SOMAXCONN,
};
#define SETTING_COUNT 6

#define SETTING_UNKNOWN (-1)

struct doctor_sysctl {
	int64_t value[SETTING_COUNT]; /* SETTING_UNKNOWN, or what the file says */
	int ports_error;	      /* negative errno: ports is not known */
	struct ephemeral ports;
};

/* Of this network namespace. */
void doctor_sysctl_read(struct doctor_sysctl *ret_sysctl);
void doctor_sysctl_judge(const struct doctor_sysctl *sysctl, struct diagnoses *all);

#endif
