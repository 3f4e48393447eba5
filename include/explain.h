/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain: what would happen to one SYN if it came now. Looks and judges as the daemon does for a
 * held SYN (judge.h), and touches nothing.
 */
#ifndef CW_EXPLAIN_H
#define CW_EXPLAIN_H

#include "cgroup.h"
#include "diag.h"
#include "hostaddr.h"
#include "incident.h"
#include "judge.h"
#include "policy.h"

#include <jansson.h>
#include <stdbool.h>

/* Where to look. */
struct explain_sources {
	struct diag *diag;
	struct hostaddr *host;
	struct cgroup_map *cgroups;
};

struct explanation {
	/* A destroy that the daemon would try is taken for successful; times are 0. */
	struct incident incident;
	/*
	 * The occupant is stale, and only the proof is missing: what would be done if a socket on
	 * the source were in SYN_SENT, as one is when a SYN really comes.
	 */
	bool has_if_proven;
	enum action action;
	enum result result;
	int error; /* why the result is a failure; 0 */
	char rule[POLICY_NAME_SIZE];
};

void explain_syn(const struct explain_sources *sources, const struct policy *policy, enum mode mode,
		 const struct tuple *syn, struct explanation *ret_explanation);
/*
 * The incident with an event's field names, and "if_proven": a new reference, NULL if there is no
 * memory. cgroup: see event_fields().
 */
json_t *explain_object(const struct explanation *explanation, const char *cgroup);

#endif
