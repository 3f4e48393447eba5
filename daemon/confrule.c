/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "confrule.h"
#include "confschema.h"
#include "conftype.h"
#include "confvalue.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* They are tried one after the other for each collision, and compared in pairs when read. */
#define RULES_MAX 1024

/* Room for `rule "NAME": ` or `rule 1024: `. */
#define PREFIX_SIZE (POLICY_NAME_SIZE + 16)

static const char *key_name(unsigned int index, const void *ctx)
{
	(void)ctx;
	return confschema_rule_keys[index].name;
}

static const struct confschema_key *find_key(const char *name)
{
	for (size_t i = 0; i < confschema_n_rule_keys; i++) {
		if (strcmp(confschema_rule_keys[i].name, name) == 0)
			return &confschema_rule_keys[i];
	}
	return NULL;
}

/* The rule's name, NULL where it has none that could stand in a message. */
static const char *given_name(const config_setting_t *setting)
{
	const char *name;

	if (!config_setting_lookup_string(setting, "name", &name) || !name[0] ||
	    strlen(name) >= POLICY_NAME_SIZE)
		return NULL;
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"')
			return NULL;
	}
	return name;
}

static int refuse_unknown(const struct confvalue_place *place, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const char *meant =
		conftype_nearest(name, key_name, (unsigned int)confschema_n_rule_keys, NULL);
	char quoted[CONFERROR_QUOTE_SIZE];

	conferror_quote(name, strlen(name), quoted);
	if (!meant)
		return conferror_at(place->error, config_setting_source_line(setting),
				    "%sunknown setting %s", place->prefix, quoted);
	return conferror_at(place->error, config_setting_source_line(setting),
			    "%sunknown setting %s (did you mean \"%s\"?)", place->prefix, quoted,
			    meant);
}

static int read_rule(const struct confvalue_place *place, const config_setting_t *setting,
		     struct policy_rule *rule)
{
	static const char *const required[] = {"name", "action"};

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *child = config_setting_get_elem(setting, (unsigned int)i);
		const struct confschema_key *key = find_key(config_setting_name(child));
		int err;

		if (!key)
			return refuse_unknown(place, child);
		err = confvalue_read(place, key, child, rule);
		if (err < 0)
			return err;
	}
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		if (!config_setting_get_member(setting, required[i]))
			return conferror_at(place->error, config_setting_source_line(setting),
					    "%s%s is missing: a rule must have it", place->prefix,
					    required[i]);
	}
	return 0;
}

/* The last of n rules against those before it. */
static int check_against_others(const struct conferror *error, const config_setting_t *setting,
				const struct policy_rule *rules, int n)
{
	const struct policy_rule *last = &rules[n - 1];
	unsigned int line = config_setting_source_line(confvalue_at(setting, n - 1));

	for (int i = 0; i < n - 1; i++) {
		unsigned int other = config_setting_source_line(confvalue_at(setting, i));

		if (strcmp(rules[i].name, last->name) == 0)
			return conferror_at(error, line,
					    "rule \"%s\": the rule on line %u has the same name",
					    last->name, other);
		if (policy_rule_covers(&rules[i], last))
			return conferror_at(error, line,
					    "rule \"%s\" can never apply: rule \"%s\" on line %u "
					    "comes first and holds wherever it does",
					    last->name, rules[i].name, other);
	}
	return 0;
}

int confrule_read(const struct conferror *error, const config_setting_t *setting,
		  struct policy *policy)
{
	struct confvalue_place place = {.error = error, .prefix = "policy."};
	int n = confvalue_count(setting);

	if (n > RULES_MAX)
		return conferror_at(error, config_setting_source_line(setting),
				    "policy.rules has %d rules; at most %d are allowed", n,
				    RULES_MAX);
	if (n == 0)
		return 0;
	policy->rules = calloc((size_t)n, sizeof(*policy->rules));
	if (!policy->rules)
		return conferror_nomem(error);
	for (int i = 0; i < n; i++) {
		const config_setting_t *item = confvalue_at(setting, i);
		char prefix[PREFIX_SIZE];
		const char *name;
		int err;

		if (!config_setting_is_group(item))
			return confvalue_refuse_type(&place, "rules", item,
						     "a list of groups, ( { ... }, { ... } )");
		name = given_name(item);
		if (name)
			snprintf(prefix, sizeof(prefix), "rule \"%s\": ", name);
		else
			snprintf(prefix, sizeof(prefix), "rule %d: ", i + 1);
		policy->n_rules++;
		err = read_rule(&(struct confvalue_place){error, prefix}, item, &policy->rules[i]);
		if (err < 0)
			return err;
		err = check_against_others(error, setting, policy->rules, i + 1);
		if (err < 0)
			return err;
	}
	return 0;
}
