/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A histogram in the manner of HDR histograms: buckets of equal width within each power of two, so
 * that the relative error is the same everywhere, here below 0.4 %.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS	 256 /* per power of two */
#define HISTOGRAM_POWERS 32  /* up to 2^40 ns, 18 minutes; what is longer counts as that */

struct histogram {
	uint64_t count, max;
	uint64_t buckets[HISTOGRAM_POWERS * HISTOGRAM_STEPS + HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *h, uint64_t value);
/* Adds every value of from to h. */
void histogram_merge(struct histogram *h, const struct histogram *from);
/* The value that `percent` of all do not exceed, as the middle of its bucket; 0 if there is none. */
uint64_t histogram_percentile(const struct histogram *h, double percent);

#endif
