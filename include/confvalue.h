/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confvalue: one setting of libconfig's tree, checked against its key and stored in its field. */
#ifndef CW_CONFVALUE_H
#define CW_CONFVALUE_H

#include "conferror.h"
#include "confschema.h"

#include <libconfig.h>
#include <stdbool.h>

/* What an error says in front of a key: "", "queue." or "rule \"web\": ". */
struct confvalue_place {
	const struct conferror *error;
	const char *prefix;
};

/* Stores the setting in base, a struct conf or struct policy_rule. -EINVAL, -ENOMEM. */
int confvalue_read(const struct confvalue_place *place, const struct confschema_key *key,
		   const config_setting_t *setting, void *base);

/* KIND_INTEGER and KIND_MARK. */
int confvalue_read_integer(const struct confvalue_place *place, const struct confschema_key *key,
			   const config_setting_t *setting, void *base);

bool confvalue_is_integer(const config_setting_t *setting);
bool confvalue_is_string(const config_setting_t *setting);

/*
 * A list, ( ) or [ ], or a single value in its place: how many values, and each of them.
 */
int confvalue_count(const config_setting_t *setting);
const config_setting_t *confvalue_at(const config_setting_t *setting, int index);

/* "queue is the integer 5; it must be a group": for a setting of the wrong type. -EINVAL. */
int confvalue_refuse_type(const struct confvalue_place *place, const char *name,
			  const config_setting_t *setting, const char *wanted);
/* "number is 70000; it must be ... (did you mean ...?)": suggestion may be NULL. -EINVAL. */
int confvalue_refuse(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, const char *wanted, const char *suggestion);
/* For a user or group that idlookup failed to find with the error err. -EINVAL, -ENOMEM. */
int confvalue_refuse_lookup(const struct confvalue_place *place, const struct confschema_key *key,
			    const config_setting_t *setting, int err, const char *wanted);

#endif
