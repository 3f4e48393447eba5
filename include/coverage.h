/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coverage: do the SYNs that matter come through the queue? The kernel's own count against ours.
 *
 * The kernel counts a challenge for every SYN that it delivers to a connected socket. Each of those
 * should have come through the queue before and been let pass on purpose.
 */
#ifndef CW_COVERAGE_H
#define CW_COVERAGE_H

#include "conf.h"
#include "stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coverage_state {
	COVERAGE_UNKNOWN, /* the kernel's counters cannot be read */
	COVERAGE_IDLE,	  /* nothing has happened that would show it */
	COVERAGE_OK,
	COVERAGE_NOT_FED, /* SYNs are on their way, and not one ever comes */
	COVERAGE_MISSED,  /* SYNs met a connected socket that did not come through the queue */
};
#define COVERAGE_COUNT 5

struct coverage_facts {
	bool kernel_known;
	uint64_t syn_challenges; /* of kstat.h, since the start */
	uint64_t active_opens;
	enum conf_filter filter; /* in force: which SYNs the rules are to send */
	uint64_t marked;	 /* with FILTER_BPF: how many of them it has marked */
};

struct coverage {
	enum coverage_state state;
	enum conf_filter filter;
	uint64_t syn_challenges;
	uint64_t active_opens;
	uint64_t marked;
	uint64_t let_pass; /* SYNs that were given to a connected socket on purpose */
	uint64_t missed;   /* challenges beyond that */
};

/* Room for any sentence of coverage_sentence(). */
#define COVERAGE_SENTENCE_SIZE 512

/*
 * Both sides since the start. facts are to be read before stats, so that a SYN in between is
 * counted on our side only.
 */
struct coverage coverage_judge(const struct coverage_facts *facts, const struct stats *stats);
/* The word used in answers; never NULL. */
const char *coverage_name(enum coverage_state state);
/* What that means and what to do, in one or two sentences. */
const char *coverage_sentence(const struct coverage *coverage, unsigned int queue,
			      char buf[static COVERAGE_SENTENCE_SIZE]);

#endif
