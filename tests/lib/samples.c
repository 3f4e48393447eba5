/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/samples.h"

#include <errno.h>
#include <stdlib.h>

int samples_add(struct samples *set, int64_t value)
{
	if (set->count == set->size) {
		size_t size = set->size ? set->size * 2 : 256;
		int64_t *values = reallocarray(set->values, size, sizeof(*values));

		if (!values)
			return -ENOMEM;
		set->values = values;
		set->size = size;
	}
	set->values[set->count++] = value;
	return 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void samples_sort(struct samples *set)
{
	if (set->count)
		qsort(set->values, set->count, sizeof(*set->values), compare);
}

int64_t samples_percentile(const struct samples *set, double percent)
{
	double rank = percent / 100 * (double)set->count;
	size_t index = (size_t)rank;

	if (set->count == 0)
		return 0;
	/* Rank r, rounded up, is the value with index r - 1. */
	if ((double)index == rank && index > 0)
		index--;
	return set->values[index < set->count ? index : set->count - 1];
}

void samples_free(struct samples *set)
{
	free(set->values);
	*set = (struct samples){0};
}
