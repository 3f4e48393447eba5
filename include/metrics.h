/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics: everything that is counted, in the text format of Prometheus (version 0.0.4).
 *
 * Every series that can ever be is there from the start, at zero: a first collision is then an
 * increase, which alerts can see.
 */
#ifndef CW_METRICS_H
#define CW_METRICS_H

#include "action.h"
#include "coverage.h"
#include "kstat.h"
#include "leaker.h"
#include "prefilter.h"
#include "stats.h"
#include "sweepstats.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct metrics {
	const struct stats *stats;
	const struct coverage *coverage;
	const struct kstat *kernel; /* since the start; NULL: cannot be read */
	const char *version;
	uint64_t start_time; /* seconds since the epoch */
	unsigned int workers;
	unsigned int workers_away; /* see worker_is_away() */
	enum mode mode;
	uint64_t generation; /* of the configuration */
	bool reload_failed;  /* the last one */
	uint64_t events_suppressed;
	const struct prefilter_counts *prefilter; /* NULL: not attached */
	const struct sweepstats *sweep;
	const uint64_t *leakers; /* events by leaker_kind; NULL: processes are not looked for */
	bool owner_server;	 /* it runs, that looks for them */
};

/* What could not be written is the stream's to tell: ferror(). */
void metrics_write(const struct metrics *metrics, FILE *out);

#endif
