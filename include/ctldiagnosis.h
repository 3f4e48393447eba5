/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldiagnosis: what closewaitctl doctor has found, each with a verdict, and what to do. */
#ifndef CW_CTLDIAGNOSIS_H
#define CW_CTLDIAGNOSIS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctl_question {
	QUESTION_COLLISION,
	QUESTION_SETTINGS,
	QUESTION_ACCEPT_QUEUES,
	QUESTION_DESCRIPTORS,
	QUESTION_MINES,
	QUESTION_PROTECTION,
};
#define QUESTION_COUNT 6

enum ctl_verdict {
	VERDICT_GOOD,
	VERDICT_NOTE,	 /* no harm in itself; good to know */
	VERDICT_BAD,	 /* connections fail or may fail because of it */
	VERDICT_UNKNOWN, /* it could not be found out */
};
#define VERDICT_COUNT 4

/* In the order of their effect: what ends failures comes before what makes them rarer. */
enum ctl_effect {
	EFFECT_NONE, /* there is nothing to do */
	EFFECT_ACCEPT,
	EFFECT_FIREWALL,
	EFFECT_RULES,
	EFFECT_DAEMON,
	EFFECT_LEAK,
	EFFECT_DESCRIPTORS,
	EFFECT_SETTING,
	EFFECT_ASK_AGAIN,
};

struct diagnosis {
	enum ctl_question question;
	const char *name; /* documented in closewaitctl(8) */
	enum ctl_verdict verdict;
	bool has_number;
	uint64_t number; /* value as a number; what it counts is documented with the name */
	char value[160];
	char meaning[512];
	enum ctl_effect effect;
	char advice[512];
};

#define DIAGNOSES_MAX 64
struct diagnoses {
	size_t n;
	struct diagnosis list[DIAGNOSES_MAX];
};

/* A diagnosis without number or advice. */
struct diagnosis diagnosis_make(const char *name, enum ctl_verdict verdict, const char *value_fmt,
				...) __attribute__((format(printf, 3, 4)));
void diagnosis_number(struct diagnosis *diagnosis, uint64_t number);
void diagnosis_means(struct diagnosis *diagnosis, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void diagnosis_advise(struct diagnosis *diagnosis, enum ctl_effect effect, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Those of one question come one after the other. What comes after DIAGNOSES_MAX is left out. */
void diagnoses_add(struct diagnoses *all, enum ctl_question question,
		   const struct diagnosis *diagnosis);
/* The worst: bad, else unknown, else note, else good. */
enum ctl_verdict diagnoses_worst(const struct diagnoses *all);
/* "good", "note", "bad", "unknown"; "collision", "settings", ...; never NULL. */
const char *verdict_name(enum ctl_verdict verdict);
const char *question_name(enum ctl_question question);

void diagnoses_print(const struct diagnoses *all);
/* The members of --json, a new reference; NULL if there is no memory. */
json_t *diagnoses_object(const struct diagnoses *all);

#endif
