/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "outcome.h"
#include "names.h"

static const char *const finding_names[FINDING_COUNT] = {
	[FINDING_NOT_JUDGED] = "not-judged",
	[FINDING_NO_LISTENER] = "no-listener",
	[FINDING_LISTENER] = "listener",
	[FINDING_ACCEPT_QUEUE_FULL] = "accept-queue-full",
	[FINDING_NOT_STALE] = "not-stale",
	[FINDING_COLLISION] = "collision",
	[FINDING_DUPLICATE_SYN] = "duplicate-syn",
	[FINDING_UNPROVEN] = "unproven",
	[FINDING_FOREIGN_SOURCE] = "foreign-source",
	[FINDING_LOOKUP_FAILED] = "lookup-failed",
};

static const char *const proof_names[PROOF_COUNT] = {
	[PROOF_NONE] = "none",
	[PROOF_EXACT] = "exact",
	[PROOF_SOURCE] = "source",
};

static const char *const result_names[RESULT_COUNT] = {
	[RESULT_LOGGED] = "logged",	  [RESULT_AUDITED] = "audited",
	[RESULT_DESTROYED] = "destroyed", [RESULT_GONE] = "gone",
	[RESULT_FAILED] = "failed",	  [RESULT_LIMITED] = "limited",
	[RESULT_DROPPED] = "dropped",	  [RESULT_REJECTED] = "rejected",
};

const char *finding_name(enum finding finding)
{
	return names_get(finding_names, FINDING_COUNT, finding);
}

const char *proof_name(enum proof proof)
{
	return names_get(proof_names, PROOF_COUNT, proof);
}

const char *result_name(enum result result)
{
	return names_get(result_names, RESULT_COUNT, result);
}
