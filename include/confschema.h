/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confschema: every setting there is, as a table that reading, defaults and printing walk. */
#ifndef CW_CONFSCHEMA_H
#define CW_CONFSCHEMA_H

#include <stddef.h>
#include <stdint.h>

/* How a setting is written, and what it is stored as. */
enum confschema_kind {
	KIND_INTEGER,  /* an unsigned integer of the field's size */
	KIND_MARK,     /* the same, printed in hexadecimal */
	KIND_WORD,     /* one of words: an enum */
	KIND_DURATION, /* "5m": uint64_t, milliseconds */
	KIND_PATH,     /* an absolute path or "": char[] */
	KIND_GROUP,    /* a group's name or "": char[] */
	KIND_STATES,   /* a list of words: tcpstate_set */
	KIND_RULES,    /* a list of groups: policy.rules */
	/* Conditions of a rule, stored in struct policy_rule. */
	KIND_NAME,
	KIND_PORTS,
	KIND_LOCALS,
	KIND_USER,
	KIND_UNIT,
	KIND_UNREAD, /* an integer that may be absent */
};

struct confschema_key {
	const char *group; /* "" for the top level */
	const char *name;
	enum confschema_kind kind;
	size_t offset, size; /* of the field, in struct conf or struct policy_rule */
	uint64_t min, max;   /* of a number; milliseconds for a duration */
	/* The words of an enum by value; NULL for a value that cannot be chosen. */
	const char *(*word)(unsigned int value);
	unsigned int n_words;
	uint64_t initial;	  /* the default: a number, an enum's value, a set */
	const char *initial_text; /* the default of a path or a group */
};

/* The keys of struct conf, those of one group next to each other. */
extern const struct confschema_key confschema_keys[];
extern const size_t confschema_n_keys;
/* The keys of struct policy_rule, which has no defaults. */
extern const struct confschema_key confschema_rule_keys[];
extern const size_t confschema_n_rule_keys;

/* The key's field in base, a struct conf or struct policy_rule; numbers of 2, 4 or 8 bytes. */
void confschema_set_number(const struct confschema_key *key, void *base, uint64_t value);
uint64_t confschema_number(const struct confschema_key *key, const void *base);
const char *confschema_text(const struct confschema_key *key, const void *base);
/* text fits the field's size, its NUL included. */
void confschema_set_text(const struct confschema_key *key, void *base, const char *text);

#endif
