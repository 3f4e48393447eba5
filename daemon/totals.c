/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "totals.h"
#include "log.h"
#include "metrics.h"
#include "reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void totals_start(struct service *s)
{
	int err = kstat_read(&s->kernel_at_start);

	s->kernel_known = err == 0;
	if (err < 0)
		log_warnx("the kernel's TCP counters cannot be read (%s): closewaitctl status "
			  "cannot say whether the rules miss traffic",
			  strerror(-err));
}

bool totals_kernel(const struct service *s, struct kstat *ret_since)
{
	const struct kstat *start = &s->kernel_at_start;
	struct kstat now;

	if (!s->kernel_known || kstat_read(&now) < 0)
		return false;
	*ret_since = (struct kstat){
		.syn_challenges = now.syn_challenges - start->syn_challenges,
		.active_opens = now.active_opens - start->active_opens,
		.listen_overflows = now.listen_overflows - start->listen_overflows,
		.listen_drops = now.listen_drops - start->listen_drops,
	};
	return true;
}

unsigned int totals_away(const struct service *s)
{
	unsigned int away = 0;

	for (unsigned int i = 0; i < s->n_workers; i++)
		away += worker_is_away(s->workers[i]);
	return away;
}

void totals_read(const struct service *s, struct totals *ret_totals)
{
	struct coverage_facts facts = {.filter = service_filter_in_force(s)};

	memset(ret_totals, 0, sizeof(*ret_totals));
	if (s->prefilter)
		facts.marked = prefilter_read(s->prefilter).marked;
	/* Before the workers' counters: see coverage_judge(). */
	ret_totals->kernel_known = totals_kernel(s, &ret_totals->kernel);
	facts.kernel_known = ret_totals->kernel_known;
	facts.syn_challenges = ret_totals->kernel.syn_challenges;
	facts.active_opens = ret_totals->kernel.active_opens;
	for (unsigned int i = 0; i < s->n_workers; i++)
		stats_accumulate(&ret_totals->stats, worker_stats(s->workers[i]));
	if (s->sweeper)
		stats_add(&ret_totals->stats.count[STAT_EVENTS_LOST],
			  stats_get(&sweeper_stats(s->sweeper)->count[SWEEP_STAT_EVENTS_LOST]));
	ret_totals->coverage = coverage_judge(&facts, &ret_totals->stats);
}

char *totals_metrics(const struct service *s, size_t *ret_len)
{
	struct prefilter_counts prefilter;
	struct totals totals;
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);
	struct metrics metrics = {
		.stats = &totals.stats,
		.coverage = &totals.coverage,
		.version = PACKAGE_VERSION,
		.start_time = s->start_realtime_ns / 1000000000,
		.workers = s->n_workers,
		.workers_away = totals_away(s),
		.mode = reload_mode_of(s, s->conf),
		.generation = s->generation,
		.reload_failed = s->reload_error[0] != '\0',
		.events_suppressed = s->events.suppressed_total,
		.prefilter = s->prefilter ? &prefilter : NULL,
		.sweep = sweeper_stats(s->sweeper),
		.leakers = s->attribution ? attribution_counts(s->attribution) : NULL,
		.owner_server = attribution_fd(s->attribution) >= 0,
	};

	if (!out)
		return NULL;
	if (s->prefilter)
		prefilter = prefilter_read(s->prefilter);
	totals_read(s, &totals);
	metrics.kernel = totals.kernel_known ? &totals.kernel : NULL;
	metrics_write(&metrics, out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
