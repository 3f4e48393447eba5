/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "policy.h"
#include "names.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool ports_hold(const struct policy_rule *rule, uint16_t port)
{
	if (rule->n_ports == 0)
		return true;
	for (size_t i = 0; i < rule->n_ports; i++) {
		if (port >= rule->ports[i].first && port <= rule->ports[i].last)
			return true;
	}
	return false;
}

static bool locals_hold(const struct policy_rule *rule, const struct in6_addr *addr)
{
	if (rule->n_locals == 0)
		return true;
	for (size_t i = 0; i < rule->n_locals; i++) {
		if (addr_in_prefix(addr, &rule->locals[i].addr, rule->locals[i].bits))
			return true;
	}
	return false;
}

static bool is_in_doubt(const char *unit)
{
	return unit && !unit[0];
}

static bool unit_holds(const struct policy_rule *rule, const char *unit)
{
	return !rule->unit[0] || (unit && strcmp(rule->unit, unit) == 0);
}

/* Or may hold, with a unit in doubt. */
static bool rule_holds(const struct policy_rule *rule, const struct policy_occupant *occupant)
{
	return ports_hold(rule, ntohs(occupant->local.port)) &&
	       locals_hold(rule, &occupant->local.addr) &&
	       (!rule->has_uid || rule->uid == occupant->uid) &&
	       (is_in_doubt(occupant->unit) || unit_holds(rule, occupant->unit)) &&
	       occupant->age_ms >= rule->min_age_ms &&
	       (!rule->has_max_unread || occupant->unread <= rule->max_unread);
}

struct policy_decision policy_decide(const struct policy *policy,
				     const struct policy_occupant *occupant)
{
	if (occupant->age_ms < policy->min_age_ms)
		return (struct policy_decision){ACTION_LOG, POLICY_RULE_MIN_AGE, false};
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (!rule_holds(rule, occupant))
			continue;
		if (rule->unit[0] && is_in_doubt(occupant->unit))
			return (struct policy_decision){ACTION_LOG, POLICY_RULE_UNIT_UNKNOWN, true};
		return (struct policy_decision){rule->action, rule->name, false};
	}
	return (struct policy_decision){policy->fallback, POLICY_RULE_DEFAULT, false};
}

bool policy_is_reserved(const char *name)
{
	static const char *const reserved[] = {POLICY_RULE_DEFAULT, POLICY_RULE_MIN_AGE,
					       POLICY_RULE_UNIT_UNKNOWN, POLICY_RULE_SWEEP_ACTION};

	return names_find(reserved, NAMES_LEN(reserved), name) >= 0;
}

/* Every port of later lies in one range of earlier; ranges that only cover it together do not. */
static bool ports_cover(const struct policy_rule *earlier, const struct policy_rule *later)
{
	if (earlier->n_ports == 0)
		return true;
	if (later->n_ports == 0)
		return false;
	for (size_t i = 0; i < later->n_ports; i++) {
		bool covered = false;

		for (size_t j = 0; j < earlier->n_ports && !covered; j++)
			covered = later->ports[i].first >= earlier->ports[j].first &&
				  later->ports[i].last <= earlier->ports[j].last;
		if (!covered)
			return false;
	}
	return true;
}

static bool locals_cover(const struct policy_rule *earlier, const struct policy_rule *later)
{
	if (earlier->n_locals == 0)
		return true;
	if (later->n_locals == 0)
		return false;
	for (size_t i = 0; i < later->n_locals; i++) {
		bool covered = false;

		for (size_t j = 0; j < earlier->n_locals && !covered; j++)
			covered = later->locals[i].bits >= earlier->locals[j].bits &&
				  addr_in_prefix(&later->locals[i].addr, &earlier->locals[j].addr,
						 earlier->locals[j].bits);
		if (!covered)
			return false;
	}
	return true;
}

bool policy_rule_covers(const struct policy_rule *earlier, const struct policy_rule *later)
{
	if (earlier->has_uid && (!later->has_uid || later->uid != earlier->uid))
		return false;
	if (earlier->unit[0] && strcmp(earlier->unit, later->unit) != 0)
		return false;
	if (earlier->min_age_ms > later->min_age_ms)
		return false;
	if (earlier->has_max_unread &&
	    (!later->has_max_unread || later->max_unread > earlier->max_unread))
		return false;
	return ports_cover(earlier, later) && locals_cover(earlier, later);
}

void policy_clear(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		free(policy->rules[i].ports);
		free(policy->rules[i].locals);
	}
	free(policy->rules);
	policy->rules = NULL;
	policy->n_rules = 0;
}
