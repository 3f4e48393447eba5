/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing set of measurements and its percentiles. */
#ifndef TEST_SAMPLES_H
#define TEST_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	int64_t *values;
	size_t count, size;
};

/* 0 or -ENOMEM. A zeroed struct is an empty set. */
int samples_add(struct samples *set, int64_t value);

/* Sorts the set; samples_percentile() needs it sorted. */
void samples_sort(struct samples *set);

/*
 * The smallest value that at least `percent` of the samples do not exceed (nearest rank); 0 is
 * the minimum, 100 the maximum. An empty set gives 0.
 */
int64_t samples_percentile(const struct samples *set, double percent);

void samples_free(struct samples *set);

#endif
