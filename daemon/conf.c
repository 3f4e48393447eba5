/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration comes to be in three steps, of which each trusts only the one before it:
 * conftext makes a text that libconfig cannot misread, libconfig makes a tree of it, and the tree
 * is walked once along confschema's table. What the table cannot say of single values, because it
 * is about two of them, comes last.
 */
#include "config.h"

#include "conf.h"
#include "conferror.h"
#include "conffile.h"
#include "confschema.h"
#include "conftext.h"
#include "conftype.h"
#include "confvalue.h"
#include "processors.h"

#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define ROOM_AT_LEAST ((size_t)256 * 1024)
#define ROOM_PER_BYTE 64

/*
 * More would hardly be busy, and each takes a queue number and some memory; on a larger host
 * several processors share one.
 */
#define OWN_CHOICE_MAX 16

/* What is left to us to choose. */
static void settle(struct conf *conf)
{
	const unsigned int there_are = UINT16_MAX + 1u - conf->queue.number;

	if (conf->queue.workers == 0)
		conf->queue.workers = MIN(MIN(processors_count(), OWN_CHOICE_MAX), there_are);
}

/* Not settled yet. */
static int make_conf(struct conf **ret_conf)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return -ENOMEM;
	for (size_t i = 0; i < confschema_n_keys; i++) {
		const struct confschema_key *key = &confschema_keys[i];

		switch (key->kind) {
		case KIND_INTEGER:
		case KIND_MARK:
		case KIND_WORD:
		case KIND_DURATION:
		case KIND_STATES:
			confschema_set_number(key, conf, key->initial);
			break;
		case KIND_PATH:
		case KIND_GROUP:
			confschema_set_text(key, conf, key->initial_text);
			break;
		case KIND_RULES: /* none */
		case KIND_NAME:
		case KIND_PORTS:
		case KIND_LOCALS:
		case KIND_USER:
		case KIND_UNIT:
		case KIND_UNREAD:
			break;
		}
	}
	*ret_conf = conf;
	return 0;
}

int conf_defaults(struct conf **ret_conf)
{
	int err = make_conf(ret_conf);

	if (err == 0)
		settle(*ret_conf);
	return err;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	policy_clear(&conf->policy);
	free(conf);
}

/* --- the tree along the table ----------------------------------------------------------------- */

static const struct confschema_key *find_key(const char *group, const char *name)
{
	for (size_t i = 0; i < confschema_n_keys; i++) {
		const struct confschema_key *key = &confschema_keys[i];

		if (strcmp(key->group, group) == 0 && strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}

static bool is_group(const char *name)
{
	for (size_t i = 0; i < confschema_n_keys; i++) {
		if (name[0] && strcmp(confschema_keys[i].group, name) == 0)
			return true;
	}
	return false;
}

/* What may stand in a group, by index: its keys; at the top level, "", also the groups. */
static const char *word_in_group(unsigned int index, const void *ctx)
{
	const struct confschema_key *key = &confschema_keys[index];
	const char *group = ctx;

	if (strcmp(key->group, group) == 0)
		return key->name;
	return group[0] ? NULL : key->group;
}

/* The groups that have a key of that name, "a or b"; "" if none does. */
static const char *find_elsewhere(const char *name, char buf[static CONFERROR_QUOTE_SIZE])
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < confschema_n_keys && len < CONFERROR_QUOTE_SIZE; i++) {
		const char *group = confschema_keys[i].group;

		if (strcmp(confschema_keys[i].name, name) == 0)
			len += (size_t)snprintf(buf + len, CONFERROR_QUOTE_SIZE - len, "%s%s",
						len > 0 ? " or " : "",
						group[0] ? group : "the top level");
	}
	return buf;
}

static int refuse_unknown(const struct conferror *error, const char *group,
			  const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const char *where = group[0] ? group : "the top level";
	unsigned int line = config_setting_source_line(setting);
	const char *meant;
	char quoted[CONFERROR_QUOTE_SIZE], elsewhere[CONFERROR_QUOTE_SIZE];

	conferror_quote(name, strlen(name), quoted);
	meant = conftype_nearest(name, word_in_group, (unsigned int)confschema_n_keys, group);
	if (meant)
		return conferror_at(error, line, "unknown setting %s in %s (did you mean \"%s\"?)",
				    quoted, where, meant);
	if (find_elsewhere(name, elsewhere)[0])
		return conferror_at(error, line, "unknown setting %s in %s: it belongs to %s",
				    quoted, where, elsewhere);
	return conferror_at(error, line, "unknown setting %s in %s", quoted, where);
}

static int read_group(const struct conferror *error, const config_setting_t *setting,
		      struct conf *conf)
{
	const char *group = config_setting_name(setting);
	char prefix[CONFERROR_QUOTE_SIZE];
	const struct confvalue_place top = {error, ""};
	const struct confvalue_place place = {error, prefix};

	if (!config_setting_is_group(setting))
		return confvalue_refuse_type(&top, group, setting, "a group, { ... }");
	snprintf(prefix, sizeof(prefix), "%s.", group);
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *child = config_setting_get_elem(setting, (unsigned int)i);
		const struct confschema_key *key = find_key(group, config_setting_name(child));
		int err = key ? confvalue_read(&place, key, child, conf)
			      : refuse_unknown(error, group, child);

		if (err < 0)
			return err;
	}
	return 0;
}

static int read_root(const struct conferror *error, const config_setting_t *root, struct conf *conf)
{
	const struct confvalue_place place = {error, ""};

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *child = config_setting_get_elem(root, (unsigned int)i);
		const struct confschema_key *key = find_key("", config_setting_name(child));
		int err;

		if (key)
			err = confvalue_read(&place, key, child, conf);
		else if (is_group(config_setting_name(child)))
			err = read_group(error, child, conf);
		else
			err = refuse_unknown(error, "", child);
		if (err < 0)
			return err;
	}
	return 0;
}

/* --- settings that must fit each other -------------------------------------------------------- */

/* The line of the later one of two settings; at least one of them is given. */
static unsigned int later_line(const config_t *tree, const char *path_a, const char *path_b)
{
	const config_setting_t *a = config_lookup(tree, path_a);
	const config_setting_t *b = config_lookup(tree, path_b);
	unsigned int line_a = a ? config_setting_source_line(a) : 0;
	unsigned int line_b = b ? config_setting_source_line(b) : 0;

	return line_a > line_b ? line_a : line_b;
}

static int check_queue(const struct conferror *error, const config_t *tree, const struct conf *conf)
{
	unsigned int last = conf->queue.number + conf->queue.workers - 1;

	if (last > UINT16_MAX)
		return conferror_at(error, later_line(tree, "queue.number", "queue.workers"),
				    "queue.number is %u and queue.workers is %u; the last queue "
				    "would be %u, but the highest is %u",
				    conf->queue.number, conf->queue.workers, last, UINT16_MAX);
	return 0;
}

static int check_sweep(const struct conferror *error, const config_t *tree, const struct conf *conf)
{
	uint64_t interval_ms = conf->sweep.interval_ms;
	char text[CONFTYPE_STRLEN];

	if (interval_ms == 0)
		return 0;
	conftype_format_duration(interval_ms, text);
	if (interval_ms < CONFTYPE_SECOND)
		return conferror_at(error, later_line(tree, "sweep.interval", "sweep.interval"),
				    "sweep.interval is \"%s\"; it must be \"0s\" for no sweeps, or "
				    "at least \"1s\"",
				    text);
	if (!tcpstate_in(TCPSTATE_CLOSE_WAIT, conf->policy.stale))
		return conferror_at(error, later_line(tree, "sweep.interval", "stale.states"),
				    "sweep.interval is \"%s\", but stale.states does not name "
				    "\"close-wait\", the only state that is swept; name it, or set "
				    "the interval to \"0s\"",
				    text);
	return 0;
}

/* --- text to configuration -------------------------------------------------------------------- */

static int refuse_syntax(const struct conferror *error, const config_t *tree, const char *text)
{
	unsigned int line = (unsigned int)config_error_line(tree);
	char quoted[CONFERROR_QUOTE_SIZE];
	size_t len;
	const char *source = conftext_line(text, line, &len);

	if (len == 0)
		return conferror_at(error, line, "%s", config_error_text(tree));
	return conferror_at(error, line, "%s: %s", config_error_text(tree),
			    conferror_quote(source, len, quoted));
}

/*
 * libconfig (1.5) writes through a null pointer when memory runs out; so that a reload cannot end
 * the daemon, it is not even called unless there is more than it takes. The densest text, "a=1;"
 * over and over, costs it about 40 bytes for each of its own.
 */
static bool has_room(size_t len)
{
	/* volatile: a compiler may leave out an allocation that nobody uses. */
	void *volatile room = malloc(ROOM_AT_LEAST + len * ROOM_PER_BYTE);
	bool there = room != NULL;

	free(room);
	return there;
}

static int parse(const struct conferror *error, const char *text, size_t len,
		 struct conf **ret_conf)
{
	struct conf *conf = NULL;
	char *prepared = NULL;
	config_t tree;
	int err;

	if (!has_room(len))
		return conferror_nomem(error);
	config_init(&tree);
	err = conftext_prepare(text, len, error, &prepared);
	if (err < 0)
		goto out;
	err = make_conf(&conf);
	if (err < 0) {
		err = conferror_nomem(error);
		goto out;
	}
	if (config_read_string(&tree, prepared) != CONFIG_TRUE) {
		err = refuse_syntax(error, &tree, text);
		goto out;
	}
	err = read_root(error, config_root_setting(&tree), conf);
	if (err < 0)
		goto out;
	settle(conf);
	err = check_queue(error, &tree, conf);
	if (err == 0)
		err = check_sweep(error, &tree, conf);
	if (err < 0)
		goto out;
	*ret_conf = conf;
	conf = NULL;
out:
	conf_free(conf);
	free(prepared);
	config_destroy(&tree);
	return err;
}

int conf_parse(const char *text, const char *name, struct conf **ret_conf,
	       char error[static CONF_ERROR_SIZE])
{
	const struct conferror place = {.file = name, .text = error};

	return parse(&place, text, strlen(text), ret_conf);
}

int conf_load(const char *path, struct conf **ret_conf, char error[static CONF_ERROR_SIZE])
{
	const struct conferror place = {.file = path, .text = error};
	char *text;
	size_t len;
	int err = conffile_read(&place, path, &text, &len);

	if (err < 0)
		return err;
	err = parse(&place, text, len, ret_conf);
	free(text);
	return err;
}
