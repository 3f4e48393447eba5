/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctlscan: what the parts of "closewaitctl scan" share. */
#ifndef CW_CTLSCAN_H
#define CW_CTLSCAN_H

#include "cgroup.h"
#include "ctlprint.h"
#include "diag.h"
#include "ephemeral.h"
#include "hostaddr.h"
#include "scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Room for a process's name, and for "NAME (pid 812, accel.service)". */
#define CTLSCAN_NAME_SIZE   64
#define CTLSCAN_LEAKER_SIZE 400

/* Where a scan looks: this network namespace, with the rights of whoever asks. */
struct ctlscan_sources {
	struct diag *diag;
	struct hostaddr *host;
	struct cgroup_map *cgroups;
};

/* -errno, and then there is nothing to close. */
int ctlscan_open(struct ctlscan_sources *ret_sources);
void ctlscan_close(struct ctlscan_sources *sources);
/* As scan_run(). */
int ctlscan_run(struct ctlscan_sources *sources, const struct ephemeral *ephemeral,
		struct scan **ret_scan);

/* One scan, and what is needed to tell it. */
struct ctlscan_view {
	struct scan *scan;
	const struct ephemeral *ephemeral; /* NULL: not known */
	struct cgroup_map *cgroups;
	uint64_t realtime_ns; /* when it was begun */
	bool fds;	      /* list the descriptors */
};

/* A text as UTF-8 without anything that a terminal would obey; other bytes become '?'. */
const char *ctlscan_clean(const char *text, char *buf, size_t size);

/* "nginx (pid 812, accel.service)", "nginx (pid 812, unit unknown)" if that is in doubt. */
const char *ctlscan_name_leaker(struct cgroup_map *cgroups, const struct scan_leaker *leaker,
				char buf[static CTLSCAN_LEAKER_SIZE]);
/* "+31/min". */
const char *ctlscan_format_growth(double growth, char buf[static CTLPRINT_SIZE]);
/* From this share on a percentage says more than "1 in N". */
#define CTLSCAN_PERCENT_SHARE 0.1

/* For people, on stdout: everything, which begins with a verdict and ends with notes, in words. */
void ctlscan_print(const struct ctlscan_view *view);
void ctlscan_print_verdict(const struct ctlscan_view *view);
void ctlscan_print_notes(const struct ctlscan_view *view);
/* For programs, one line of JSON. -ENOMEM or the write's errno; what is written is no JSON then. */
int ctlscan_write(const struct ctlscan_view *view, FILE *to);

/*
 * Growth as seen from scan to scan. Each call remembers a scan, and puts what has grown since the
 * oldest one that is remembered, of the last five minutes, in the place of what the ages say.
 */
struct ctlgrowth;
/* NULL if there is no memory. */
struct ctlgrowth *ctlgrowth_new(void);
void ctlgrowth_free(struct ctlgrowth *growth);
void ctlgrowth_update(struct ctlgrowth *growth, struct scan *scan, int64_t monotonic_ms);

#endif
