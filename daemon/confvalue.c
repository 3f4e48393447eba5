/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "confvalue.h"
#include "conf.h"
#include "confcond.h"
#include "confrule.h"
#include "conftype.h"
#include "idlookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes; the longest is the list of all states' names. */
#define WANTED_SIZE 160

int confvalue_count(const config_setting_t *setting)
{
	return config_setting_is_list(setting) ? config_setting_length(setting) : 1;
}

const config_setting_t *confvalue_at(const config_setting_t *setting, int index)
{
	if (!config_setting_is_list(setting))
		return setting;
	return config_setting_get_elem(setting, (unsigned int)index);
}

bool confvalue_is_integer(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT ||
	       config_setting_type(setting) == CONFIG_TYPE_INT64;
}

bool confvalue_is_string(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_STRING;
}

static unsigned int line_of(const config_setting_t *setting)
{
	return config_setting_source_line(setting);
}

/* --- what is wrong ---------------------------------------------------------------------------- */

static void describe_integer(const config_setting_t *setting, char buf[static CONFERROR_QUOTE_SIZE])
{
	bool hex = config_setting_get_format(setting) == CONFIG_FORMAT_HEX;

	snprintf(buf, CONFERROR_QUOTE_SIZE, hex ? "0x%llx" : "%lld",
		 config_setting_get_int64(setting));
}

static const char *type_name(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "the integer ";
	case CONFIG_TYPE_FLOAT:
		return "the floating-point number ";
	case CONFIG_TYPE_STRING:
		return "the string ";
	case CONFIG_TYPE_BOOL:
		return "the boolean ";
	case CONFIG_TYPE_GROUP:
		return "a group";
	}
	return config_setting_length(setting) > 0 ? "a list" : "an empty list";
}

static void describe_value(const config_setting_t *setting, char buf[static CONFERROR_QUOTE_SIZE])
{
	const char *text;

	buf[0] = '\0';
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		describe_integer(setting, buf);
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(buf, CONFERROR_QUOTE_SIZE, "%g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_STRING:
		text = config_setting_get_string(setting);
		conferror_quote(text, strlen(text), buf);
		break;
	case CONFIG_TYPE_BOOL:
		strcpy(buf, config_setting_get_bool(setting) ? "true" : "false");
		break;
	}
}

int confvalue_refuse_type(const struct confvalue_place *place, const char *name,
			  const config_setting_t *setting, const char *wanted)
{
	char value[CONFERROR_QUOTE_SIZE];

	describe_value(setting, value);
	return conferror_at(place->error, line_of(setting), "%s%s is %s%s; it must be %s",
			    place->prefix, name, type_name(setting), value, wanted);
}

int confvalue_refuse(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, const char *wanted, const char *suggestion)
{
	char value[CONFERROR_QUOTE_SIZE];
	char meant[CONFERROR_QUOTE_SIZE];

	describe_value(setting, value);
	if (!suggestion)
		return conferror_at(place->error, line_of(setting), "%s%s is %s; it must be %s",
				    place->prefix, key->name, value, wanted);
	return conferror_at(place->error, line_of(setting),
			    "%s%s is %s; it must be %s (did you mean %s?)", place->prefix,
			    key->name, value, wanted,
			    conferror_quote(suggestion, strlen(suggestion), meant));
}

int confvalue_refuse_lookup(const struct confvalue_place *place, const struct confschema_key *key,
			    const config_setting_t *setting, int err, const char *wanted)
{
	char value[CONFERROR_QUOTE_SIZE];

	if (err == -ENOENT)
		return confvalue_refuse(place, key, setting, wanted, NULL);
	if (err == -ENOMEM)
		return conferror_nomem(place->error);
	describe_value(setting, value);
	return conferror_at(place->error, line_of(setting), "%s%s %s cannot be looked up: %s",
			    place->prefix, key->name, value, strerror(-err));
}

/* --- numbers ---------------------------------------------------------------------------------- */

int confvalue_read_integer(const struct confvalue_place *place, const struct confschema_key *key,
			   const config_setting_t *setting, void *base)
{
	bool hex = key->kind == KIND_MARK;
	char wanted[WANTED_SIZE];
	long long value;

	snprintf(wanted, sizeof(wanted),
		 hex ? "an integer from 0x%llx to 0x%llx" : "an integer from %llu to %llu",
		 (unsigned long long)key->min, (unsigned long long)key->max);
	if (!confvalue_is_integer(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	value = config_setting_get_int64(setting);
	if (value < 0 || (uint64_t)value < key->min || (uint64_t)value > key->max)
		return confvalue_refuse(place, key, setting, wanted, NULL);
	confschema_set_number(key, base, (uint64_t)value);
	return 0;
}

static int read_duration(const struct confvalue_place *place, const struct confschema_key *key,
			 const config_setting_t *setting, void *base)
{
	char from[CONFTYPE_STRLEN], to[CONFTYPE_STRLEN], wanted[WANTED_SIZE];
	uint64_t ms;
	int err;

	snprintf(wanted, sizeof(wanted), "a duration from \"%s\" to \"%s\"",
		 conftype_format_duration(key->min, from), conftype_format_duration(key->max, to));
	if (!confvalue_is_string(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	err = conftype_duration(config_setting_get_string(setting), &ms);
	if (err == -EINVAL)
		return confvalue_refuse(
			place, key, setting,
			"a number and its unit: \"500ms\", \"30s\", \"5m\", \"2h\", \"1d\"", NULL);
	if (err < 0 || ms < key->min || ms > key->max)
		return confvalue_refuse(place, key, setting, wanted, NULL);
	confschema_set_number(key, base, ms);
	return 0;
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *word_of_key(unsigned int index, const void *ctx)
{
	const struct confschema_key *key = ctx;

	return key->word(index);
}

/* "a", "b" or "c" */
static void join_words(const struct confschema_key *key, char buf[static WANTED_SIZE])
{
	const char *words[TCPSTATE_COUNT]; /* the longest list there is */
	unsigned int n = 0;
	size_t len = 0;

	for (unsigned int i = 0; i < key->n_words; i++) {
		if (key->word(i))
			words[n++] = key->word(i);
	}
	for (unsigned int i = 0; i < n; i++) {
		const char *between = i == 0 ? "" : i + 1 < n ? ", " : " or ";

		snprintf(buf + len, WANTED_SIZE - len, "%s\"%s\"", between, words[i]);
		len += strlen(buf + len);
	}
}

static int take_word(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, unsigned int *ret_value)
{
	char wanted[WANTED_SIZE];
	const char *text;

	join_words(key, wanted);
	if (!confvalue_is_string(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	text = config_setting_get_string(setting);
	for (unsigned int i = 0; i < key->n_words; i++) {
		const char *word = key->word(i);

		if (word && strcmp(word, text) == 0) {
			*ret_value = i;
			return 0;
		}
	}
	return confvalue_refuse(place, key, setting, wanted,
				conftype_nearest(text, word_of_key, key->n_words, key));
}

static int read_word(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, void *base)
{
	unsigned int value;
	int err = take_word(place, key, setting, &value);

	if (err < 0)
		return err;
	confschema_set_number(key, base, value);
	return 0;
}

static int read_states(const struct confvalue_place *place, const struct confschema_key *key,
		       const config_setting_t *setting, void *base)
{
	int n = confvalue_count(setting);
	tcpstate_set set = 0;

	if (n == 0)
		return confvalue_refuse_type(place, key->name, setting,
					     "a list of one state or more");
	for (int i = 0; i < n; i++) {
		const config_setting_t *item = confvalue_at(setting, i);
		unsigned int state;
		int err = take_word(place, key, item, &state);

		if (err < 0)
			return err;
		if (tcpstate_in((enum tcpstate)state, set))
			return conferror_at(place->error, line_of(item), "%s%s has \"%s\" twice",
					    place->prefix, key->name, key->word(state));
		set |= tcpstate_bit((enum tcpstate)state);
	}
	confschema_set_number(key, base, set);
	return 0;
}

/* --- texts ------------------------------------------------------------------------------------ */

static int read_path(const struct confvalue_place *place, const struct confschema_key *key,
		     const config_setting_t *setting, void *base)
{
	char wanted[WANTED_SIZE];
	const char *text;

	snprintf(wanted, sizeof(wanted), "an absolute path of at most %zu bytes, or \"\" for none",
		 key->size - 1);
	if (!confvalue_is_string(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	text = config_setting_get_string(setting);
	if ((text[0] != '\0' && text[0] != '/') || strlen(text) >= key->size)
		return confvalue_refuse(place, key, setting, wanted, NULL);
	confschema_set_text(key, base, text);
	return 0;
}

static int read_group(const struct confvalue_place *place, const struct confschema_key *key,
		      const config_setting_t *setting, void *base)
{
	const char *wanted = "the name of a group that exists, or \"\" for none";
	const char *text;
	gid_t gid;
	int err;

	if (!confvalue_is_string(setting))
		return confvalue_refuse_type(place, key->name, setting, wanted);
	text = config_setting_get_string(setting);
	if (strlen(text) >= key->size)
		return confvalue_refuse(place, key, setting, wanted, NULL);
	if (text[0] != '\0') {
		err = idlookup_group(text, &gid);
		if (err < 0)
			return confvalue_refuse_lookup(place, key, setting, err, wanted);
	}
	confschema_set_text(key, base, text);
	return 0;
}

int confvalue_read(const struct confvalue_place *place, const struct confschema_key *key,
		   const config_setting_t *setting, void *base)
{
	switch (key->kind) {
	case KIND_INTEGER:
	case KIND_MARK:
		return confvalue_read_integer(place, key, setting, base);
	case KIND_WORD:
		return read_word(place, key, setting, base);
	case KIND_DURATION:
		return read_duration(place, key, setting, base);
	case KIND_PATH:
		return read_path(place, key, setting, base);
	case KIND_GROUP:
		return read_group(place, key, setting, base);
	case KIND_STATES:
		return read_states(place, key, setting, base);
	case KIND_RULES:
		return confrule_read(place->error, setting, &((struct conf *)base)->policy);
	case KIND_NAME:
	case KIND_PORTS:
	case KIND_LOCALS:
	case KIND_USER:
	case KIND_UNIT:
	case KIND_UNREAD:
		return confcond_read(place, key, setting, base);
	}
	return -EINVAL;
}
