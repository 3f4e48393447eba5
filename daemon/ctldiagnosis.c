/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldiagnosis.h"
#include "ctlprint.h"
#include "names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Columns: the verdict, the name (tcp_challenge_ack_limit is the longest), the value. */
#define VERDICT_WIDTH 7
#define NAME_WIDTH    23
#define MEANING_AT    (2 + VERDICT_WIDTH + 2)
#define VALUE_AT      (MEANING_AT + NAME_WIDTH + 2)

static const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_GOOD] = "good",
	[VERDICT_NOTE] = "note",
	[VERDICT_BAD] = "bad",
	[VERDICT_UNKNOWN] = "unknown",
};

static const char *const question_names[QUESTION_COUNT] = {
	[QUESTION_COLLISION] = "collision",
	[QUESTION_SETTINGS] = "settings",
	[QUESTION_ACCEPT_QUEUES] = "accept-queues",
	[QUESTION_DESCRIPTORS] = "descriptors",
	[QUESTION_MINES] = "mines",
	[QUESTION_PROTECTION] = "protection",
};

static const char *const headings[QUESTION_COUNT] = {
	[QUESTION_COLLISION] = "What a SYN that meets a leaked socket comes to",
	[QUESTION_SETTINGS] = "Settings of the kernel",
	[QUESTION_ACCEPT_QUEUES] = "Accept queues",
	[QUESTION_DESCRIPTORS] = "Descriptors of those who leak sockets",
	[QUESTION_MINES] = "Mines: leaked sockets whose peer is gone",
	[QUESTION_PROTECTION] = "closewaitd and its rules",
};

const char *question_name(enum ctl_question question)
{
	return names_get(question_names, QUESTION_COUNT, question);
}

const char *verdict_name(enum ctl_verdict verdict)
{
	return names_get(verdict_names, VERDICT_COUNT, verdict);
}

/* --- one --------------------------------------------------------------------------------------*/

struct diagnosis diagnosis_make(const char *name, enum ctl_verdict verdict, const char *value_fmt,
				...)
{
	struct diagnosis diagnosis = {.name = name, .verdict = verdict, .effect = EFFECT_NONE};
	va_list ap;

	va_start(ap, value_fmt);
	vsnprintf(diagnosis.value, sizeof(diagnosis.value), value_fmt, ap);
	va_end(ap);
	return diagnosis;
}

void diagnosis_number(struct diagnosis *diagnosis, uint64_t number)
{
	diagnosis->has_number = true;
	diagnosis->number = number;
}

void diagnosis_means(struct diagnosis *diagnosis, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(diagnosis->meaning, sizeof(diagnosis->meaning), fmt, ap);
	va_end(ap);
}

void diagnosis_advise(struct diagnosis *diagnosis, enum ctl_effect effect, const char *fmt, ...)
{
	va_list ap;

	diagnosis->effect = effect;
	va_start(ap, fmt);
	vsnprintf(diagnosis->advice, sizeof(diagnosis->advice), fmt, ap);
	va_end(ap);
}

/* --- all --------------------------------------------------------------------------------------*/

void diagnoses_add(struct diagnoses *all, enum ctl_question question,
		   const struct diagnosis *diagnosis)
{
	if (all->n == DIAGNOSES_MAX)
		return;
	all->list[all->n] = *diagnosis;
	all->list[all->n].question = question;
	all->n++;
}

enum ctl_verdict diagnoses_worst(const struct diagnoses *all)
{
	static const enum ctl_verdict by_weight[] = {VERDICT_BAD, VERDICT_UNKNOWN, VERDICT_NOTE};

	for (size_t v = 0; v < sizeof(by_weight) / sizeof(by_weight[0]); v++) {
		for (size_t i = 0; i < all->n; i++) {
			if (all->list[i].verdict == by_weight[v])
				return by_weight[v];
		}
	}
	return VERDICT_GOOD;
}

/* IPv4's and IPv6's diagnoses, for example, may mean and advise the same: once is enough. */
static bool was_meant(const struct diagnoses *all, size_t i)
{
	for (size_t earlier = 0; earlier < i; earlier++) {
		if (strcmp(all->list[earlier].meaning, all->list[i].meaning) == 0)
			return true;
	}
	return false;
}

static bool was_advised(const struct diagnoses *all, size_t i)
{
	for (size_t earlier = 0; earlier < i; earlier++) {
		if (strcmp(all->list[earlier].advice, all->list[i].advice) == 0)
			return true;
	}
	return false;
}

/* Calls each for every piece of advice, in the order of effect; how many there are. */
static unsigned int each_advice(const struct diagnoses *all,
				void (*each)(void *ctx, unsigned int i, const char *advice),
				void *ctx)
{
	unsigned int n = 0;

	for (unsigned int effect = EFFECT_NONE + 1; effect <= EFFECT_ASK_AGAIN; effect++) {
		for (size_t i = 0; i < all->n; i++) {
			const struct diagnosis *diagnosis = &all->list[i];

			if (diagnosis->effect == effect && !was_advised(all, i))
				each(ctx, n++, diagnosis->advice);
		}
	}
	return n;
}

/* --- for people -------------------------------------------------------------------------------*/

static enum ctlprint_colour colour_of(enum ctl_verdict verdict)
{
	switch (verdict) {
	case VERDICT_GOOD:
		return COLOUR_GOOD;
	case VERDICT_BAD:
		return COLOUR_BAD;
	case VERDICT_NOTE:
	case VERDICT_UNKNOWN:
		return COLOUR_NOTE;
	}
	return COLOUR_NONE;
}

static void print_one(const struct diagnosis *diagnosis, bool with_meaning)
{
	printf("  %s%-*s%s  %-*s  ", ctlprint_colour(colour_of(diagnosis->verdict)), VERDICT_WIDTH,
	       verdict_name(diagnosis->verdict), ctlprint_colour(COLOUR_NONE), NAME_WIDTH,
	       diagnosis->name);
	ctlprint_wrap(VALUE_AT, COLOUR_NONE, diagnosis->value);
	if (diagnosis->meaning[0] && with_meaning) {
		printf("%*s", MEANING_AT, "");
		ctlprint_wrap(MEANING_AT, COLOUR_DIM, diagnosis->meaning);
	}
}

static void print_advice(void *ctx, unsigned int i, const char *advice)
{
	(void)ctx;
	printf("  %u. ", i + 1);
	ctlprint_wrap(5, COLOUR_NONE, advice);
}

void diagnoses_print(const struct diagnoses *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (i == 0 || all->list[i].question != all->list[i - 1].question)
			printf("%s%s\n", i > 0 ? "\n" : "", headings[all->list[i].question]);
		print_one(&all->list[i], !was_meant(all, i));
	}
	puts("\nWhat to do, in the order of its effect");
	if (each_advice(all, print_advice, NULL) == 0)
		puts("  nothing");
}

/* --- for programs -----------------------------------------------------------------------------*/

/* Texts may hold what a process has chosen as its name; JSON is UTF-8. */
static json_t *text(const char *value)
{
	json_t *string = json_string(value);

	return string ? string : json_string("?");
}

static json_t *object_of(const struct diagnosis *diagnosis)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:o}", "question",
				   question_name(diagnosis->question), "name", diagnosis->name,
				   "verdict", verdict_name(diagnosis->verdict), "value",
				   text(diagnosis->value), "meaning", text(diagnosis->meaning));

	if (diagnosis->has_number)
		json_object_set_new(object, "number", json_integer((json_int_t)diagnosis->number));
	if (diagnosis->effect != EFFECT_NONE)
		json_object_set_new(object, "advice", text(diagnosis->advice));
	return object;
}

static void append_advice(void *ctx, unsigned int i, const char *advice)
{
	(void)i;
	json_array_append_new(ctx, text(advice));
}

json_t *diagnoses_object(const struct diagnoses *all)
{
	json_t *list = json_array();
	json_t *advice = json_array();

	for (size_t i = 0; i < all->n; i++)
		json_array_append_new(list, object_of(&all->list[i]));
	each_advice(all, append_advice, advice);
	return json_pack("{s:s, s:o, s:o}", "verdict", verdict_name(diagnoses_worst(all)),
			 "diagnoses", list, "advice", advice);
}
