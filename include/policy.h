/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy: what the administrator wants done about a proven collision. A pure function. */
#ifndef CW_POLICY_H
#define CW_POLICY_H

#include "action.h"
#include "tcpstate.h"
#include "tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The uid of a socket whose owner is not known; no rule can ask for it. */
#define POLICY_NO_UID ((uid_t)-1)

/* Bytes, NUL included: names of rules go into events, names of units into rules. */
#define POLICY_NAME_SIZE 64
#define POLICY_UNIT_SIZE 256
/* A unit that cannot be told now: whether a rule for a unit holds is not known. */
#define POLICY_UNIT_IN_DOUBT ""

/* What stands for a rule's name where none decided; no rule may be called so. */
#define POLICY_RULE_DEFAULT	 "default"	/* no rule held */
#define POLICY_RULE_MIN_AGE	 "min-age"	/* too young for any */
#define POLICY_RULE_UNIT_UNKNOWN "unit-unknown" /* a unit in doubt would have decided */
#define POLICY_RULE_SWEEP_ACTION "sweep-action" /* the sweep keeps what was to be destroyed */

struct policy_ports {
	uint16_t first, last; /* host byte order, both included */
};

struct policy_prefix {
	struct in6_addr addr;
	unsigned int bits; /* of the 128-bit form: 127.0.0.0/8 has 104 */
};

/* Every condition that is given must hold; an empty one holds always. */
struct policy_rule {
	char name[POLICY_NAME_SIZE];
	struct policy_ports *ports; /* of the occupant's local side */
	size_t n_ports;
	struct policy_prefix *locals; /* holds the occupant's local address */
	size_t n_locals;
	bool has_uid;
	uid_t uid;		     /* of the occupant's owner */
	char unit[POLICY_UNIT_SIZE]; /* the occupant's unit; "" = any */
	uint64_t min_age_ms;
	bool has_max_unread;
	uint32_t max_unread; /* bytes */
	enum action action;
};

struct policy {
	tcpstate_set stale; /* states in which an occupant counts as stale */
	enum action fallback;
	uint64_t min_age_ms; /* younger occupants are only logged */
	struct policy_rule *rules;
	size_t n_rules;
};

/* What is known about the occupant when the decision falls. */
struct policy_occupant {
	struct endpoint local;
	uid_t uid;	  /* or POLICY_NO_UID */
	const char *unit; /* NULL: none; or POLICY_UNIT_IN_DOUBT */
	uint64_t age_ms;
	uint32_t unread; /* bytes */
};

struct policy_decision {
	enum action action;
	const char *rule; /* its name, or a POLICY_RULE_*; lives as long as the policy */
	bool needs_unit;  /* exactly with POLICY_RULE_UNIT_UNKNOWN */
};

/*
 * Where a unit in doubt would decide whether a rule holds, it is only logged. Every other decision
 * about a unit in doubt is the one that falls whatever the unit is.
 */
struct policy_decision policy_decide(const struct policy *policy,
				     const struct policy_occupant *occupant);
/* Whether this is one of the POLICY_RULE_*. */
bool policy_is_reserved(const char *name);
/* Whether everything that the later rule matches is matched by the earlier one already. */
bool policy_rule_covers(const struct policy_rule *earlier, const struct policy_rule *later);
/* Releases the rules, not the struct. */
void policy_clear(struct policy *policy);

#endif
