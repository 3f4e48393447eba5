/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctorleaks: how many mines there are and whose, and who runs out of descriptors over them. */
#ifndef CW_CTLDOCTORLEAKS_H
#define CW_CTLDOCTORLEAKS_H

#include "ctldiagnosis.h"
#include "ctlscan.h"

#include <stdbool.h>

/* How collisions end on this host at present. */
struct doctor_danger {
	bool hurts;	/* a connect hangs, or fails */
	bool protected; /* unless closewaitd steps in, and it does */
};

struct doctor_leaks {
	int error; /* negative errno: there is no scan */
	struct scan *scan;
	struct ctlscan_sources sources;
};

/* To be released, also after an error. ephemeral NULL: not known. */
void doctor_leaks_scan(const struct ephemeral *ephemeral, struct doctor_leaks *ret_leaks);
void doctor_leaks_release(struct doctor_leaks *leaks);
/* How many mines there are, as far as is known. */
size_t doctor_leaks_mines(const struct doctor_leaks *leaks);

void doctor_leaks_judge_descriptors(const struct doctor_leaks *leaks, struct diagnoses *all);
void doctor_leaks_judge_mines(const struct doctor_leaks *leaks, const struct doctor_danger *danger,
			      struct diagnoses *all);

#endif
