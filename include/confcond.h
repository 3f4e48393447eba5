/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confcond: the conditions of a rule that no other setting is like. */
#ifndef CW_CONFCOND_H
#define CW_CONFCOND_H

#include "confvalue.h"
#include "policy.h"

/*
 * Stores one of the kinds from KIND_NAME on; what it allocates, also on failure, is released by
 * policy_clear(). -EINVAL, also for any other kind; -ENOMEM.
 */
int confcond_read(const struct confvalue_place *place, const struct confschema_key *key,
		  const config_setting_t *setting, struct policy_rule *rule);

#endif
