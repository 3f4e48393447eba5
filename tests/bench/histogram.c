/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "histogram.h"

#include <stddef.h>

#define N_BUCKETS (sizeof(((struct histogram *)NULL)->buckets) / sizeof(uint64_t))

/* Below HISTOGRAM_STEPS a bucket holds one value; from there on 2^power of them. */
static size_t bucket_of(uint64_t value)
{
	unsigned int power = 0;

	while (value >> power >= 2 * HISTOGRAM_STEPS)
		power++;
	if (value < HISTOGRAM_STEPS)
		return value;
	return (power + 1) * HISTOGRAM_STEPS + (value >> power) - HISTOGRAM_STEPS;
}

static uint64_t middle_of(size_t bucket)
{
	size_t power;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	power = bucket / HISTOGRAM_STEPS - 1;
	return ((uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << power) +
	       ((uint64_t)1 << power) / 2;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	size_t bucket = bucket_of(value);

	h->count++;
	if (value > h->max)
		h->max = value;
	h->buckets[bucket < N_BUCKETS ? bucket : N_BUCKETS - 1]++;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	h->count += from->count;
	if (from->max > h->max)
		h->max = from->max;
	for (size_t i = 0; i < N_BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	double rank = (double)h->count * percent / 100;
	uint64_t below = 0;

	for (size_t i = 0; i < N_BUCKETS; i++) {
		below += h->buckets[i];
		if (below > 0 && (double)below >= rank)
			return middle_of(i);
	}
	return 0;
}
