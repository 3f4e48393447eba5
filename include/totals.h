/* SPDX-License-Identifier: GPL-2.0-or-later */
/* totals: what all workers have counted together, held against what the kernel has counted. */
#ifndef CW_TOTALS_H
#define CW_TOTALS_H

#include "coverage.h"
#include "servicestate.h"

struct totals {
	struct stats stats;
	struct coverage coverage;
	bool kernel_known;   /* kernel is filled */
	struct kstat kernel; /* since the start */
};

/* Remembers where the kernel's counters stand now. */
void totals_start(struct service *s);
/* The kernel's counters since the start; false if they cannot be read. */
bool totals_kernel(const struct service *s, struct kstat *ret_since);
/* The workers that do not come back. Not after failopen_stop(). */
unsigned int totals_away(const struct service *s);
void totals_read(const struct service *s, struct totals *ret_totals);
/* As Prometheus text, to be freed; NULL if there is no memory. */
char *totals_metrics(const struct service *s, size_t *ret_len);

#endif
