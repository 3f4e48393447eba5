/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctorguard: whether collisions on this host are taken care of. */
#ifndef CW_CTLDOCTORGUARD_H
#define CW_CTLDOCTORGUARD_H

#include "ctldiagnosis.h"
#include "ctldoctordaemon.h"
#include "ctldoctorrules.h"
#include "ctldoctortrial.h"

#include <stdbool.h>
#include <stddef.h>

/* NULL, or why a collision on this host had better not be made. */
const char *doctor_guard_objection(const struct doctor_daemon *daemon,
				   const struct doctor_rules *rules);
/* Whether collisions are acted on, as far as is known. */
bool doctor_guard_protects(const struct doctor_daemon *daemon);
void doctor_guard_judge(const struct doctor_daemon *daemon, const struct doctor_rules *rules,
			const struct doctor_trials *trials, size_t mines, struct diagnoses *all);

#endif
