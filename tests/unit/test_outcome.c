/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of outcome: the words that events and metrics are read by. */
#include "config.h"

#include "outcome.h"
#include "unit.h"

static const char *const finding_words[] = {
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

static const char *const proof_words[] = {
	[PROOF_NONE] = "none",
	[PROOF_EXACT] = "exact",
	[PROOF_SOURCE] = "source",
};

static const char *const result_words[] = {
	[RESULT_LOGGED] = "logged",	  [RESULT_AUDITED] = "audited",
	[RESULT_DESTROYED] = "destroyed", [RESULT_GONE] = "gone",
	[RESULT_FAILED] = "failed",	  [RESULT_LIMITED] = "limited",
	[RESULT_DROPPED] = "dropped",	  [RESULT_REJECTED] = "rejected",
};

static const char *get_finding(unsigned int value)
{
	return finding_name((enum finding)value);
}

static const char *get_proof(unsigned int value)
{
	return proof_name((enum proof)value);
}

static const char *get_result(unsigned int value)
{
	return result_name((enum result)value);
}

static void test_findings(void **state)
{
	(void)state;
	unit_check_words(finding_words, FINDING_COUNT, get_finding, NULL);
}

static void test_proofs(void **state)
{
	(void)state;
	unit_check_words(proof_words, PROOF_COUNT, get_proof, NULL);
}

static void test_results(void **state)
{
	(void)state;
	unit_check_words(result_words, RESULT_COUNT, get_result, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
