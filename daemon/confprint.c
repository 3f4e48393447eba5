/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints a configuration in one canonical form. Other programs pick their settings out of it line
 * by line: outside of rules, a key has exactly one line, "  key = value;", inside its group.
 *
 * It is plain libconfig: a list of both numbers and texts stands in ( ), see conftext.c.
 */
#include "config.h"

#include "conf.h"
#include "conferror.h"
#include "confschema.h"
#include "conftype.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static void print_text(const char *text, FILE *out)
{
	char escaped[5];

	putc('"', out);
	for (; *text; text++)
		fputs(conferror_escape(*text, escaped), out);
	putc('"', out);
}

static void print_states(const struct confschema_key *key, tcpstate_set set, FILE *out)
{
	const char *between = "[ ";

	for (unsigned int i = 0; i < key->n_words; i++) {
		if (!tcpstate_in((enum tcpstate)i, set))
			continue;
		fprintf(out, "%s\"%s\"", between, key->word(i));
		between = ", ";
	}
	fputs(" ]", out);
}

static void print_ports(const struct policy_rule *rule, FILE *out)
{
	char text[CONFTYPE_STRLEN];

	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct policy_ports *ports = &rule->ports[i];
		const char *quote = ports->first == ports->last ? "" : "\"";

		fprintf(out, "%s%s%s%s", i == 0 ? "( " : ", ", quote,
			conftype_format_ports(ports, text), quote);
	}
	fputs(" )", out);
}

static void print_locals(const struct policy_rule *rule, FILE *out)
{
	char text[CONFTYPE_STRLEN];

	for (size_t i = 0; i < rule->n_locals; i++)
		fprintf(out, "%s\"%s\"", i == 0 ? "( " : ", ",
			conftype_format_prefix(&rule->locals[i], text));
	fputs(" )", out);
}

/* Whether the rule has that condition: without it anything matches. */
static bool is_given(const struct confschema_key *key, const struct policy_rule *rule)
{
	switch (key->kind) {
	case KIND_PORTS:
		return rule->n_ports > 0;
	case KIND_LOCALS:
		return rule->n_locals > 0;
	case KIND_USER:
		return rule->has_uid;
	case KIND_UNIT:
		return rule->unit[0] != '\0';
	case KIND_UNREAD:
		return rule->has_max_unread;
	case KIND_DURATION:
		return rule->min_age_ms > 0;
	case KIND_NAME:
	case KIND_WORD:
	case KIND_INTEGER:
	case KIND_MARK:
	case KIND_PATH:
	case KIND_GROUP:
	case KIND_STATES:
	case KIND_RULES:
		break;
	}
	return true;
}

static void print_value(const struct confschema_key *key, const void *base, FILE *out);

static void print_rule(const struct policy_rule *rule, FILE *out)
{
	fputs("    {\n", out);
	for (size_t i = 0; i < confschema_n_rule_keys; i++) {
		const struct confschema_key *key = &confschema_rule_keys[i];

		if (!is_given(key, rule))
			continue;
		fprintf(out, "      %s = ", key->name);
		print_value(key, rule, out);
		fputs(";\n", out);
	}
	fputs("    }", out);
}

static void print_rules(const struct policy *policy, FILE *out)
{
	fputs("(", out);
	for (size_t i = 0; i < policy->n_rules; i++) {
		fputs(i == 0 ? "\n" : ",\n", out);
		print_rule(&policy->rules[i], out);
	}
	fputs(policy->n_rules > 0 ? "\n  )" : ")", out);
}

static void print_value(const struct confschema_key *key, const void *base, FILE *out)
{
	char duration[CONFTYPE_STRLEN];

	switch (key->kind) {
	case KIND_INTEGER:
	case KIND_UNREAD:
		fprintf(out, "%" PRIu64, confschema_number(key, base));
		break;
	case KIND_USER:
		/* Quoted: plain libconfig has no numbers beyond 31 bits without a suffix. */
		fprintf(out, "\"%" PRIu64 "\"", confschema_number(key, base));
		break;
	case KIND_MARK:
		fprintf(out, "0x%08" PRIx64, confschema_number(key, base));
		break;
	case KIND_WORD:
		print_text(key->word((unsigned int)confschema_number(key, base)), out);
		break;
	case KIND_DURATION:
		print_text(conftype_format_duration(confschema_number(key, base), duration), out);
		break;
	case KIND_PATH:
	case KIND_GROUP:
	case KIND_NAME:
	case KIND_UNIT:
		print_text(confschema_text(key, base), out);
		break;
	case KIND_STATES:
		print_states(key, (tcpstate_set)confschema_number(key, base), out);
		break;
	case KIND_RULES:
		print_rules(&((const struct conf *)base)->policy, out);
		break;
	case KIND_PORTS:
		print_ports(base, out);
		break;
	case KIND_LOCALS:
		print_locals(base, out);
		break;
	}
}

void conf_print(const struct conf *conf, FILE *out)
{
	const char *group = "";

	for (size_t i = 0; i < confschema_n_keys; i++) {
		const struct confschema_key *key = &confschema_keys[i];

		if (strcmp(key->group, group) != 0) {
			fprintf(out, "%s%s = {\n", group[0] ? "};\n" : "", key->group);
			group = key->group;
		}
		fprintf(out, "%s%s = ", group[0] ? "  " : "", key->name);
		print_value(key, conf, out);
		fputs(";\n", out);
	}
	fputs("};\n", out);
}
