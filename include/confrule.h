/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confrule: the rules of the policy. */
#ifndef CW_CONFRULE_H
#define CW_CONFRULE_H

#include "conferror.h"
#include "policy.h"

#include <libconfig.h>

/*
 * Adds the rules of the setting policy.rules to a policy that has none; also on failure they are
 * released by policy_clear(). -EINVAL, -ENOMEM.
 */
int confrule_read(const struct conferror *error, const config_setting_t *setting,
		  struct policy *policy);

#endif
