/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "confcond.h"
#include "conftype.h"
#include "idlookup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the longest description of a legal value here. */
#define WANTED_SIZE 96

static bool consists_of(const char *text, const char *others)
{
	for (; *text; text++) {
		bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');

		if (!letter && !(*text >= '0' && *text <= '9') && !strchr(others, *text))
			return false;
	}
	return true;
}

static int read_name(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, struct policy_rule *rule)
{
	char wanted[WANTED_SIZE];
	const char *text;

	snprintf(wanted, sizeof(wanted), "1 to %zu letters, digits, dots, hyphens and underscores",
		 key->size - 1);
	if (!confvalue_is_string(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	text = config_setting_get_string(setting);
	if (text[0] == '\0' || strlen(text) >= key->size || !consists_of(text, "._-"))
		return confvalue_refuse(place, key, setting, wanted, NULL);
	if (policy_is_reserved(text))
		return confvalue_refuse(place, key, setting,
					"another name: events use this one where no rule decided",
					NULL);
	strcpy(rule->name, text);
	return 0;
}

static const char *unit_suffix(unsigned int index, const void *ctx)
{
	static const char *const suffixes[] = {".service", ".scope", ".slice"};

	(void)ctx;
	return suffixes[index];
}
#define N_UNIT_SUFFIXES 3

/* Where a name without the right end most likely lacks it or has a slip in it; else NULL. */
static const char *suggest_unit(const char *text, char buf[static POLICY_UNIT_SIZE])
{
	const char *dot = strrchr(text, '.');
	const char *suffix = ".service";
	size_t stem = strlen(text);

	if (dot) {
		suffix = conftype_nearest(dot, unit_suffix, N_UNIT_SUFFIXES, NULL);
		stem = (size_t)(dot - text);
	}
	if (!suffix || stem == 0 || stem + strlen(suffix) >= POLICY_UNIT_SIZE)
		return NULL;
	memcpy(buf, text, stem);
	strcpy(buf + stem, suffix);
	return buf;
}

static bool is_unit(const char *text)
{
	const char *dot = strrchr(text, '.');

	if (!dot || dot == text)
		return false;
	for (unsigned int i = 0; i < N_UNIT_SUFFIXES; i++) {
		if (strcmp(dot, unit_suffix(i, NULL)) == 0)
			return true;
	}
	return false;
}

static int read_unit(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, struct policy_rule *rule)
{
	const char *wanted = "a unit's name that ends in .service, .scope or .slice";
	char suggestion[POLICY_UNIT_SIZE];
	const char *text;

	if (!confvalue_is_string(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	text = config_setting_get_string(setting);
	/* The characters of systemd.unit(5). */
	if (strlen(text) >= key->size || !consists_of(text, ":-_.\\@"))
		return confvalue_refuse(place, key, setting,
					"a unit's name: letters, digits, : - _ . \\ and @", NULL);
	if (!is_unit(text))
		return confvalue_refuse(place, key, setting, wanted,
					suggest_unit(text, suggestion));
	strcpy(rule->unit, text);
	return 0;
}

static int take_ports(const struct confvalue_place *place, const struct confschema_key *key,
		      const config_setting_t *item, struct policy_ports *ret_ports)
{
	const char *wanted = "a port from 1 to 65535 or a range of them such as \"8000-8099\"";
	long long port;

	if (confvalue_is_string(item)) {
		if (conftype_ports(config_setting_get_string(item), ret_ports) < 0)
			return confvalue_refuse(place, key, item, wanted, NULL);
		return 0;
	}
	if (!confvalue_is_integer(item))
		return confvalue_refuse_type(place, key->name, item, wanted);
	port = config_setting_get_int64(item);
	if (port < (long long)key->min || port > (long long)key->max)
		return confvalue_refuse(place, key, item, wanted, NULL);
	*ret_ports = (struct policy_ports){(uint16_t)port, (uint16_t)port};
	return 0;
}

static int take_prefix(const struct confvalue_place *place, const struct confschema_key *key,
		       const config_setting_t *item, struct policy_prefix *ret_prefix)
{
	const char *wanted = "an address or a prefix such as \"127.0.0.0/8\" or \"::1\"";
	struct policy_prefix prefix, masked;
	char suggestion[CONFTYPE_STRLEN];
	int err;

	if (!confvalue_is_string(item))
		return confvalue_refuse_type(place, key->name, item, wanted);
	err = conftype_prefix(config_setting_get_string(item), &prefix);
	if (err == -ERANGE)
		return confvalue_refuse(place, key, item,
					"a prefix of at most 32 bits for IPv4, 128 for IPv6", NULL);
	if (err < 0)
		return confvalue_refuse(place, key, item, wanted, NULL);
	masked = conftype_prefix_masked(&prefix);
	if (!addr_equal(&masked.addr, &prefix.addr))
		return confvalue_refuse(place, key, item, "a prefix without bits beyond its length",
					conftype_format_prefix(&masked, suggestion));
	*ret_prefix = prefix;
	return 0;
}

static int read_ports(const struct confvalue_place *place, const struct confschema_key *key,
		      const config_setting_t *setting, struct policy_rule *rule)
{
	int n = confvalue_count(setting);

	if (n == 0)
		return confvalue_refuse_type(place, key->name, setting,
					     "one port or more, or left out for any");
	rule->ports = calloc((size_t)n, sizeof(*rule->ports));
	if (!rule->ports)
		return conferror_nomem(place->error);
	for (int i = 0; i < n; i++) {
		int err = take_ports(place, key, confvalue_at(setting, i), &rule->ports[i]);

		if (err < 0)
			return err;
		rule->n_ports++;
	}
	return 0;
}

static int read_locals(const struct confvalue_place *place, const struct confschema_key *key,
		       const config_setting_t *setting, struct policy_rule *rule)
{
	int n = confvalue_count(setting);

	if (n == 0)
		return confvalue_refuse_type(place, key->name, setting,
					     "one address or more, or left out for any");
	rule->locals = calloc((size_t)n, sizeof(*rule->locals));
	if (!rule->locals)
		return conferror_nomem(place->error);
	for (int i = 0; i < n; i++) {
		int err = take_prefix(place, key, confvalue_at(setting, i), &rule->locals[i]);

		if (err < 0)
			return err;
		rule->n_locals++;
	}
	return 0;
}

static int read_user(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, struct policy_rule *rule)
{
	const char *wanted = "the name of a user that exists, or a user's number";
	long long number;
	int err;

	if (confvalue_is_string(setting)) {
		err = idlookup_user(config_setting_get_string(setting), &rule->uid);
		if (err < 0)
			return confvalue_refuse_lookup(place, key, setting, err, wanted);
	} else if (confvalue_is_integer(setting)) {
		number = config_setting_get_int64(setting);
		if (number < 0 || (uint64_t)number > key->max)
			return confvalue_refuse(place, key, setting, wanted, NULL);
		rule->uid = (uid_t)number;
	} else {
		return confvalue_refuse_type(place, key->name, setting, wanted);
	}
	rule->has_uid = true;
	return 0;
}

static int read_unread(const struct confvalue_place *place, const struct confschema_key *key,
		       const config_setting_t *setting, struct policy_rule *rule)
{
	int err = confvalue_read_integer(place, key, setting, rule);

	if (err == 0)
		rule->has_max_unread = true;
	return err;
}

int confcond_read(const struct confvalue_place *place, const struct confschema_key *key,
		  const config_setting_t *setting, struct policy_rule *rule)
{
	switch (key->kind) {
	case KIND_NAME:
		return read_name(place, key, setting, rule);
	case KIND_PORTS:
		return read_ports(place, key, setting, rule);
	case KIND_LOCALS:
		return read_locals(place, key, setting, rule);
	case KIND_USER:
		return read_user(place, key, setting, rule);
	case KIND_UNIT:
		return read_unit(place, key, setting, rule);
	case KIND_UNREAD:
		return read_unread(place, key, setting, rule);
	case KIND_INTEGER:
	case KIND_MARK:
	case KIND_WORD:
	case KIND_DURATION:
	case KIND_PATH:
	case KIND_GROUP:
	case KIND_STATES:
	case KIND_RULES:
		break;
	}
	return -EINVAL;
}
