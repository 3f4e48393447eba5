/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "coverage.h"
#include "names.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * ActiveOpens counts connects to other hosts as well, and the rules may be for a few ports only; so
 * many without one SYN are still no accident.
 */
#define OPENS_WITHOUT_SYN 20

#define CHECK_AND_UP "Run closewaitd-rules check; closewaitd-rules up puts the rules in"

static const char *const names[COVERAGE_COUNT] = {
	[COVERAGE_UNKNOWN] = "unknown", [COVERAGE_IDLE] = "idle",     [COVERAGE_OK] = "ok",
	[COVERAGE_NOT_FED] = "not-fed", [COVERAGE_MISSED] = "missed",
};

const char *coverage_name(enum coverage_state state)
{
	return names_get(names, COVERAGE_COUNT, state);
}

/* Whether the SYN of such a collision went on to the occupant. */
static bool reaches_occupant(enum result result)
{
	switch (result) {
	case RESULT_LOGGED:
	case RESULT_AUDITED:
	case RESULT_FAILED:
	case RESULT_LIMITED:
		return true;
	case RESULT_DESTROYED:
	case RESULT_GONE:
	case RESULT_DROPPED:
	case RESULT_REJECTED:
		return false;
	}
	return false;
}

static uint64_t count_let_pass(const struct stats *stats)
{
	uint64_t sum = stats_get(&stats->finding[FINDING_DUPLICATE_SYN]) +
		       stats_get(&stats->finding[FINDING_UNPROVEN]) +
		       stats_get(&stats->finding[FINDING_FOREIGN_SOURCE]) +
		       stats_get(&stats->finding[FINDING_LOOKUP_FAILED]);

	for (unsigned int state = 0; state < TCPSTATE_COUNT; state++) {
		if (!tcpstate_can_be_stale((enum tcpstate)state))
			continue; /* such a socket gives way to a SYN */
		sum += stats_get(&stats->not_stale[state]);
		for (unsigned int action = 0; action < ACTION_COUNT; action++) {
			for (unsigned int result = 0; result < RESULT_COUNT; result++) {
				if (reaches_occupant((enum result)result))
					sum += stats_get(&stats->collision[state][action][result]);
			}
		}
	}
	return sum;
}

/* Whether so many SYNs were due that one of them should have come. */
static bool syns_were_due(const struct coverage_facts *facts)
{
	switch (facts->filter) {
	case FILTER_ALL:
		return facts->active_opens >= OPENS_WITHOUT_SYN;
	case FILTER_BPF:
		return facts->marked > 0;
	case FILTER_SOCKET:
		return false; /* an ordinary SYN does not come */
	}
	return false;
}

struct coverage coverage_judge(const struct coverage_facts *facts, const struct stats *stats)
{
	uint64_t held = stats_get(&stats->count[STAT_HELD]);
	struct coverage coverage = {
		.filter = facts->filter,
		.marked = facts->marked,
		.let_pass = count_let_pass(stats),
	};

	if (!facts->kernel_known)
		return coverage;
	coverage.syn_challenges = facts->syn_challenges;
	coverage.active_opens = facts->active_opens;
	if (facts->syn_challenges > coverage.let_pass)
		coverage.missed = facts->syn_challenges - coverage.let_pass;

	if (held == 0 && syns_were_due(facts))
		coverage.state = COVERAGE_NOT_FED;
	else if (coverage.missed > 0)
		coverage.state = COVERAGE_MISSED;
	else if (held == 0)
		coverage.state = COVERAGE_IDLE;
	else
		coverage.state = COVERAGE_OK;
	return coverage;
}

const char *coverage_sentence(const struct coverage *coverage, unsigned int queue,
			      char buf[static COVERAGE_SENTENCE_SIZE])
{
	const size_t size = COVERAGE_SENTENCE_SIZE;

	switch (coverage->state) {
	case COVERAGE_UNKNOWN:
		snprintf(buf, size,
			 "the kernel's counters in /proc/net cannot be read, so there is nothing "
			 "to compare with");
		break;
	case COVERAGE_IDLE:
		snprintf(buf, size,
			 "no SYN has come through queue %u yet, and none met an old socket without",
			 queue);
		break;
	case COVERAGE_OK:
		snprintf(buf, size, "no SYN met an old socket without coming through queue %u",
			 queue);
		break;
	case COVERAGE_NOT_FED:
		if (coverage->filter == FILTER_BPF)
			snprintf(buf, size,
				 "no rule feeds queue %u: since the start the bpf filter has "
				 "marked %" PRIu64 " SYNs and not one came. %s",
				 queue, coverage->marked, CHECK_AND_UP);
		else
			snprintf(buf, size,
				 "no rule feeds queue %u: since the start %" PRIu64
				 " connections were opened on this machine and not one SYN came. "
				 "%s",
				 queue, coverage->active_opens, CHECK_AND_UP);
		break;
	case COVERAGE_MISSED:
		snprintf(buf, size,
			 "the rules miss traffic: %" PRIu64
			 " SYNs met a connected socket without coming through queue %u. A port or "
			 "an address family may not be covered, or the queue have been full; SYNs "
			 "from other hosts count here too%s. Run "
			 "closewaitd-rules check",
			 coverage->missed, queue,
			 coverage->filter == FILTER_BPF
				 ? ", and those that met a socket which is not stale"
				 : "");
		break;
	}
	return buf;
}
