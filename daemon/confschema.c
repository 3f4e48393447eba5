/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "confschema.h"
#include "conf.h"
#include "conftype.h"
#include "names.h"

#include <stdint.h>
#include <string.h>

/*
 * The kernel tells the age of a socket in 32 bits of milliseconds (tcpi_last_ack_recv): 49.7 days.
 * A greater minimum could never be reached.
 */
#define AGE_MAX (49 * CONFTYPE_DAY)

static const char *mode_word(unsigned int value)
{
	return mode_name((enum mode)value);
}

static const char *action_word(unsigned int value)
{
	return action_name((enum action)value);
}

static const char *level_word(unsigned int value)
{
	return log_level_name((enum log_level)value);
}

static const char *target_word(unsigned int value)
{
	return log_target_name((enum log_target)value);
}

static const char *state_word(unsigned int value)
{
	enum tcpstate state = (enum tcpstate)value;

	return tcpstate_can_be_stale(state) ? tcpstate_name(state) : NULL;
}

const char *conf_filter_name(enum conf_filter filter)
{
	static const char *const words[CONF_FILTER_COUNT] = {
		[FILTER_ALL] = "all",
		[FILTER_SOCKET] = "socket",
		[FILTER_BPF] = "bpf",
	};

	return names_get(words, CONF_FILTER_COUNT, filter);
}

static const char *filter_word(unsigned int value)
{
	return conf_filter_name((enum conf_filter)value);
}

static const char *format_word(unsigned int value)
{
	static const char *const words[CONF_FORMAT_COUNT] = {
		[FORMAT_TEXT] = "text",
		[FORMAT_JSON] = "json",
	};

	return names_get(words, CONF_FORMAT_COUNT, value);
}

static const char *leaker_word(unsigned int value)
{
	static const char *const words[CONF_LEAKER_COUNT] = {
		[NAME_UNIT] = "unit",
		[NAME_PROCESS] = "process",
	};

	return names_get(words, CONF_LEAKER_COUNT, value);
}

static const char *addresses_word(unsigned int value)
{
	static const char *const words[CONF_ADDRESSES_COUNT] = {
		[ADDRESSES_LOOPBACK] = "loopback",
		[ADDRESSES_LOCAL] = "local",
	};

	return names_get(words, CONF_ADDRESSES_COUNT, value);
}

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define CONF(member)	    FIELD(struct conf, member)
#define RULE(member)	    FIELD(struct policy_rule, member)
#define RANGE(from, to)	    .min = (from), .max = (to)
#define WORDS(function, n)  .word = (function), .n_words = (n)

/* clang-format off */
const struct confschema_key confschema_keys[] = {
	{"", "mode", KIND_WORD, CONF(mode), WORDS(mode_word, MODE_COUNT), .initial = MODE_AUDIT},

	{"queue", "number", KIND_INTEGER, CONF(queue.number), RANGE(0, UINT16_MAX), .initial = 61},
	{"queue", "workers", KIND_INTEGER, CONF(queue.workers), RANGE(0, 64)},
	{"queue", "max_held", KIND_INTEGER, CONF(queue.max_held), RANGE(1, 65536),
	 .initial = 1024},
	{"queue", "filter", KIND_WORD, CONF(queue.filter), WORDS(filter_word, CONF_FILTER_COUNT),
	 .initial = FILTER_ALL},
	{"queue", "filter_fallback", KIND_WORD, CONF(queue.filter_fallback),
	 WORDS(filter_word, FILTER_BPF), .initial = FILTER_ALL},
	{"queue", "filter_mark", KIND_MARK, CONF(queue.filter_mark), RANGE(1, UINT32_MAX),
	 .initial = 0x20000000},

	{"stale", "states", KIND_STATES, CONF(policy.stale), WORDS(state_word, TCPSTATE_COUNT),
	 .initial = (tcpstate_set)1 << TCPSTATE_CLOSE_WAIT},

	{"policy", "default", KIND_WORD, CONF(policy.fallback), WORDS(action_word, ACTION_COUNT),
	 .initial = ACTION_DESTROY},
	{"policy", "min_age", KIND_DURATION, CONF(policy.min_age_ms), RANGE(0, AGE_MAX)},
	{"policy", "rules", KIND_RULES, CONF(policy.rules)},

	{"limits", "destroy_per_second", KIND_INTEGER, CONF(limits.destroy_per_second),
	 RANGE(0, 1000000), .initial = 1000},
	{"limits", "events_per_second", KIND_INTEGER, CONF(limits.events_per_second),
	 RANGE(0, 1000000), .initial = 20},

	{"sweep", "interval", KIND_DURATION, CONF(sweep.interval_ms), RANGE(0, 7 * CONFTYPE_DAY)},
	{"sweep", "min_age", KIND_DURATION, CONF(sweep.min_age_ms), RANGE(0, AGE_MAX),
	 .initial = 5 * 60 * CONFTYPE_SECOND},
	{"sweep", "action", KIND_WORD, CONF(sweep.action), WORDS(action_word, ACTION_DROP),
	 .initial = ACTION_DESTROY},
	{"sweep", "max_per_second", KIND_INTEGER, CONF(sweep.max_per_second), RANGE(1, 100000),
	 .initial = 100},
	{"sweep", "addresses", KIND_WORD, CONF(sweep.addresses),
	 WORDS(addresses_word, CONF_ADDRESSES_COUNT), .initial = ADDRESSES_LOOPBACK},

	{"log", "target", KIND_WORD, CONF(log.target), WORDS(target_word, TARGET_COUNT),
	 .initial = TARGET_AUTO},
	{"log", "format", KIND_WORD, CONF(log.format), WORDS(format_word, CONF_FORMAT_COUNT),
	 .initial = FORMAT_TEXT},
	{"log", "level", KIND_WORD, CONF(log.level), WORDS(level_word, LEVEL_COUNT),
	 .initial = LEVEL_INFO},
	{"log", "leaker", KIND_WORD, CONF(log.leaker), WORDS(leaker_word, CONF_LEAKER_COUNT),
	 .initial = NAME_UNIT},

	{"metrics", "textfile", KIND_PATH, CONF(metrics.textfile), .initial_text = ""},
	{"metrics", "interval", KIND_DURATION, CONF(metrics.interval_ms),
	 RANGE(CONFTYPE_SECOND, CONFTYPE_HOUR), .initial = 15 * CONFTYPE_SECOND},

	{"control", "socket", KIND_PATH, CONF(control.socket),
	 .initial_text = "/run/closewaitd/control.sock"},
	{"control", "group", KIND_GROUP, CONF(control.group), .initial_text = ""},
};

const struct confschema_key confschema_rule_keys[] = {
	{"", "name", KIND_NAME, RULE(name)},
	{"", "port", KIND_PORTS, RULE(ports), RANGE(1, UINT16_MAX)},
	{"", "local", KIND_LOCALS, RULE(locals)},
	{"", "user", KIND_USER, RULE(uid), RANGE(0, UINT32_MAX - 1)},
	{"", "unit", KIND_UNIT, RULE(unit)},
	{"", "min_age", KIND_DURATION, RULE(min_age_ms), RANGE(0, AGE_MAX)},
	{"", "max_unread", KIND_UNREAD, RULE(max_unread), RANGE(0, INT32_MAX)},
	{"", "action", KIND_WORD, RULE(action), WORDS(action_word, ACTION_COUNT)},
};
/* clang-format on */

const size_t confschema_n_keys = NAMES_LEN(confschema_keys);
const size_t confschema_n_rule_keys = NAMES_LEN(confschema_rule_keys);

void confschema_set_number(const struct confschema_key *key, void *base, uint64_t value)
{
	char *field = (char *)base + key->offset;
	uint16_t two = (uint16_t)value;
	uint32_t four = (uint32_t)value;

	if (key->size == sizeof(two))
		memcpy(field, &two, sizeof(two));
	else if (key->size == sizeof(four))
		memcpy(field, &four, sizeof(four));
	else
		memcpy(field, &value, sizeof(value));
}

uint64_t confschema_number(const struct confschema_key *key, const void *base)
{
	const char *field = (const char *)base + key->offset;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	if (key->size == sizeof(two)) {
		memcpy(&two, field, sizeof(two));
		return two;
	}
	if (key->size == sizeof(four)) {
		memcpy(&four, field, sizeof(four));
		return four;
	}
	memcpy(&eight, field, sizeof(eight));
	return eight;
}

const char *confschema_text(const struct confschema_key *key, const void *base)
{
	return (const char *)base + key->offset;
}

void confschema_set_text(const struct confschema_key *key, void *base, const char *text)
{
	memcpy((char *)base + key->offset, text, strlen(text) + 1);
}
