/* SPDX-License-Identifier: GPL-2.0-or-later */
/* totals: what all workers have counted together, held against what the kernel has counted. */
#ifndef CW_TOTALS_H
#define CW_TOTALS_H

#include "coverage.h"
#include "servicestate.h"

struct totals {
	struct stats stats;
	struct coverage coverage;
};

/* Remembers where the kernel's counters stand now. */
void totals_start(struct service *s);
void totals_read(const struct service *s, struct totals *ret_totals);
/* As Prometheus text, to be freed; NULL if there is no memory. */
char *totals_metrics(const struct service *s, size_t *ret_len);

#endif
