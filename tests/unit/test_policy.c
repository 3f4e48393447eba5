/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of policy: each condition alone at its border, the order of rules, what covers what. */
#include "config.h"

#include "policy.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct in6_addr addr(const char *text)
{
	struct in6_addr result;
	in_addr_t v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return addr_from_v4(v4);
	assert_int_equal(inet_pton(AF_INET6, text, &result), 1);
	return result;
}

static struct policy_occupant occupant(void)
{
	return (struct policy_occupant){
		.local = {.addr = addr("127.0.0.1"), .port = htons(5000)},
		.uid = 33,
		.unit = "nginx.service",
		.age_ms = 300000,
		.unread = 10,
	};
}

/* Whether a policy with this one rule decides by it; the rule drops, the fallback destroys. */
static bool rule_matches(const struct policy_rule *rule, const struct policy_occupant *occ)
{
	struct policy_rule copy = *rule;
	const struct policy policy = {.fallback = ACTION_DESTROY, .rules = &copy, .n_rules = 1};
	struct policy_decision decision;

	copy.action = ACTION_DROP;
	strcpy(copy.name, "the-rule");
	decision = policy_decide(&policy, occ);
	if (decision.action == ACTION_DROP) {
		assert_ptr_equal(decision.rule, copy.name);
		return true;
	}
	assert_int_equal(decision.action, ACTION_DESTROY);
	assert_string_equal(decision.rule, "default");
	return false;
}

/* --- one condition at a time -------------------------------------------------------------------- */

static void test_no_condition(void **state)
{
	const struct policy_rule rule = {.action = ACTION_LOG};
	const struct policy_occupant blank = {.unit = NULL};
	struct policy_occupant occ = occupant();

	(void)state;
	assert_true(rule_matches(&rule, &occ));
	assert_true(rule_matches(&rule, &blank));
}

static bool port_matches(const struct policy_rule *rule, uint16_t port)
{
	struct policy_occupant occ = occupant();

	occ.local.port = htons(port);
	return rule_matches(rule, &occ);
}

static void test_ports(void **state)
{
	struct policy_ports ports[] = {{5000, 5000}, {8000, 8099}, {0, 1}, {65535, 65535}};
	struct policy_rule rule = {.ports = ports, .n_ports = 4};

	(void)state;
	for (unsigned int port = 0; port <= UINT16_MAX; port++)
		assert_int_equal(port_matches(&rule, (uint16_t)port),
				 port == 5000 || (port >= 8000 && port <= 8099) || port <= 1 ||
					 port == 65535);
	rule.n_ports = 1;
	assert_false(port_matches(&rule, 8000));
}

static bool local_matches(const struct policy_rule *rule, const char *text)
{
	struct policy_occupant occ = occupant();

	occ.local.addr = addr(text);
	return rule_matches(rule, &occ);
}

static void test_locals(void **state)
{
	struct policy_prefix locals[] = {
		{addr("127.0.0.0"), 96 + 8}, {addr("::1"), 128}, {addr("2001:db8::"), 32}};
	struct policy_rule rule = {.locals = locals, .n_locals = 3};

	(void)state;
	assert_true(local_matches(&rule, "127.0.0.0"));
	assert_true(local_matches(&rule, "127.255.255.255"));
	assert_false(local_matches(&rule, "126.255.255.255"));
	assert_false(local_matches(&rule, "128.0.0.0"));
	assert_true(local_matches(&rule, "::1"));
	assert_false(local_matches(&rule, "::"));
	assert_false(local_matches(&rule, "::2"));
	assert_true(local_matches(&rule, "2001:db8:ffff::1"));
	assert_false(local_matches(&rule, "2001:db9::"));
	rule.n_locals = 2;
	assert_false(local_matches(&rule, "2001:db8::"));
}

static void test_uid(void **state)
{
	struct policy_rule rule = {.has_uid = true, .uid = 33};
	struct policy_occupant occ = occupant();

	(void)state;
	assert_true(rule_matches(&rule, &occ));
	occ.uid = 34;
	assert_false(rule_matches(&rule, &occ));
	occ.uid = 0;
	assert_false(rule_matches(&rule, &occ));
	rule.uid = 0; /* root is a user like others, not "any" */
	assert_true(rule_matches(&rule, &occ));
	occ.uid = 33;
	assert_false(rule_matches(&rule, &occ));
	rule.has_uid = false;
	assert_true(rule_matches(&rule, &occ));
}

static void test_unit(void **state)
{
	struct policy_rule rule = {.unit = "nginx.service"};
	struct policy_occupant occ = occupant();

	(void)state;
	assert_true(rule_matches(&rule, &occ));
	occ.unit = "nginx.servic";
	assert_false(rule_matches(&rule, &occ));
	occ.unit = "nginx.service2";
	assert_false(rule_matches(&rule, &occ));
	occ.unit = NULL;
	assert_false(rule_matches(&rule, &occ));
	rule.unit[0] = '\0';
	assert_true(rule_matches(&rule, &occ));
}

static void test_rule_min_age(void **state)
{
	struct policy_rule rule = {.min_age_ms = 300000};
	struct policy_occupant occ = occupant();

	(void)state;
	assert_true(rule_matches(&rule, &occ));
	occ.age_ms = 299999;
	assert_false(rule_matches(&rule, &occ));
	occ.age_ms = 300001;
	assert_true(rule_matches(&rule, &occ));
	occ.age_ms = UINT64_MAX;
	assert_true(rule_matches(&rule, &occ));
	/* More than 32 bits of milliseconds are 49 days. */
	rule.min_age_ms = (UINT64_C(1) << 32) + 1;
	occ.age_ms = 2;
	assert_false(rule_matches(&rule, &occ));
}

static void test_max_unread(void **state)
{
	struct policy_rule rule = {.has_max_unread = true, .max_unread = 10};
	struct policy_occupant occ = occupant();

	(void)state;
	assert_true(rule_matches(&rule, &occ));
	occ.unread = 11;
	assert_false(rule_matches(&rule, &occ));
	occ.unread = UINT32_MAX;
	assert_false(rule_matches(&rule, &occ));
	occ.unread = 0;
	assert_true(rule_matches(&rule, &occ));
	rule.max_unread = 0;
	assert_true(rule_matches(&rule, &occ));
	occ.unread = 1;
	assert_false(rule_matches(&rule, &occ));
	rule.has_max_unread = false;
	assert_true(rule_matches(&rule, &occ));
}

/* Each condition fails alone while all others hold. */
static void test_all_conditions_together(void **state)
{
	struct policy_ports ports[] = {{5000, 5000}};
	struct policy_prefix locals[] = {{addr("127.0.0.0"), 96 + 8}};
	const struct policy_rule rule = {
		.ports = ports,
		.n_ports = 1,
		.locals = locals,
		.n_locals = 1,
		.has_uid = true,
		.uid = 33,
		.unit = "nginx.service",
		.min_age_ms = 300000,
		.has_max_unread = true,
		.max_unread = 10,
	};
	const struct policy_occupant good = occupant();
	struct policy_occupant occ = good;

	(void)state;
	assert_true(rule_matches(&rule, &occ));
	occ.local.port = htons(5001);
	assert_false(rule_matches(&rule, &occ));
	occ = good;
	occ.local.addr = addr("::1");
	assert_false(rule_matches(&rule, &occ));
	occ = good;
	occ.uid = 34;
	assert_false(rule_matches(&rule, &occ));
	occ = good;
	occ.unit = NULL;
	assert_false(rule_matches(&rule, &occ));
	occ = good;
	occ.age_ms = 299999;
	assert_false(rule_matches(&rule, &occ));
	occ = good;
	occ.unread = 11;
	assert_false(rule_matches(&rule, &occ));
}

/* --- the whole policy --------------------------------------------------------------------------- */

static void test_first_match_wins(void **state)
{
	struct policy_ports other[] = {{1, 1}};
	struct policy_rule rules[] = {
		{.name = "other", .ports = other, .n_ports = 1, .action = ACTION_LOG},
		{.name = "first", .action = ACTION_REJECT},
		{.name = "second", .action = ACTION_DROP},
	};
	struct policy policy = {.fallback = ACTION_DESTROY, .rules = rules, .n_rules = 3};
	struct policy_occupant occ = occupant();
	struct policy_decision decision = policy_decide(&policy, &occ);

	(void)state;
	assert_int_equal(decision.action, ACTION_REJECT);
	assert_ptr_equal(decision.rule, rules[1].name);
	policy.n_rules = 1;
	decision = policy_decide(&policy, &occ);
	assert_int_equal(decision.action, ACTION_DESTROY);
	assert_string_equal(decision.rule, "default");
}

static void test_fallback(void **state)
{
	struct policy_occupant occ = occupant();

	(void)state;
	for (int action = 0; action < ACTION_COUNT; action++) {
		const struct policy policy = {.fallback = (enum action)action};
		struct policy_decision decision = policy_decide(&policy, &occ);

		assert_int_equal(decision.action, action);
		assert_string_equal(decision.rule, "default");
	}
}

/* The floor is above the rules: no rule can make a young occupant more than a line in the log. */
static void test_min_age_floor(void **state)
{
	struct policy_rule rules[] = {{.name = "rule", .action = ACTION_DROP}};
	const struct policy policy = {
		.fallback = ACTION_DESTROY, .min_age_ms = 1000, .rules = rules, .n_rules = 1};
	struct policy_occupant occ = occupant();
	struct policy_decision decision;

	(void)state;
	for (occ.age_ms = 0; occ.age_ms < 1000; occ.age_ms++) {
		decision = policy_decide(&policy, &occ);
		assert_int_equal(decision.action, ACTION_LOG);
		assert_string_equal(decision.rule, "min-age");
	}
	for (; occ.age_ms < 1003; occ.age_ms++) {
		decision = policy_decide(&policy, &occ);
		assert_int_equal(decision.action, ACTION_DROP);
		assert_string_equal(decision.rule, "rule");
	}
}

/* A rule that might hold is not passed over: what comes after it could do more. */
static void test_unit_in_doubt(void **state)
{
	struct policy_rule rules[] = {
		{.name = "other", .has_uid = true, .uid = 4, .action = ACTION_DROP},
		{.name = "kept", .unit = "pay.service", .has_uid = true, .uid = 7},
	};
	const struct policy policy = {.fallback = ACTION_DESTROY, .rules = rules, .n_rules = 2};
	struct policy_occupant occ = occupant();
	struct policy_decision decision;

	(void)state;
	rules[1].action = ACTION_REJECT;
	occ.unit = POLICY_UNIT_IN_DOUBT;
	occ.uid = 7;
	decision = policy_decide(&policy, &occ);
	assert_int_equal(decision.action, ACTION_LOG);
	assert_string_equal(decision.rule, "unit-unknown");
	occ.uid = 4;
	assert_string_equal(policy_decide(&policy, &occ).rule, "other");
	occ.uid = 5;
	assert_string_equal(policy_decide(&policy, &occ).rule, "default");
	occ.uid = 7;
	occ.unit = "pay.service";
	assert_string_equal(policy_decide(&policy, &occ).rule, "kept");
	occ.unit = NULL;
	assert_string_equal(policy_decide(&policy, &occ).rule, "default");
}

static void test_reserved(void **state)
{
	static const char *const reserved[] = {"default", "min-age", "unit-unknown",
					       "sweep-action"};

	(void)state;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		assert_true(policy_is_reserved(reserved[i]));
	assert_false(policy_is_reserved(""));
	assert_false(policy_is_reserved("Default"));
	assert_false(policy_is_reserved("default2"));
}

/* valgrind and AddressSanitizer see what is left; twice is as good as once. */
static void test_clear(void **state)
{
	struct policy policy = {.rules = calloc(2, sizeof(struct policy_rule)), .n_rules = 2};

	(void)state;
	assert_non_null(policy.rules);
	policy.rules[0].ports = calloc(1, sizeof(struct policy_ports));
	policy.rules[0].locals = calloc(1, sizeof(struct policy_prefix));
	policy.rules[1].locals = calloc(1, sizeof(struct policy_prefix));
	policy_clear(&policy);
	assert_null(policy.rules);
	assert_int_equal(policy.n_rules, 0);
	policy_clear(&policy);
}

/* --- covers ------------------------------------------------------------------------------------- */

static void expect_covers(const struct policy_rule *earlier, const struct policy_rule *later,
			  bool forth, bool back)
{
	assert_int_equal(policy_rule_covers(earlier, later), forth);
	assert_int_equal(policy_rule_covers(later, earlier), back);
	assert_true(policy_rule_covers(earlier, earlier));
	assert_true(policy_rule_covers(later, later));
}

static void test_covers(void **state)
{
	struct policy_ports port[] = {{5000, 5000}}, range[] = {{5000, 5001}};
	struct policy_ports above[] = {{5001, 5002}}, two[] = {{1, 1}, {5000, 5000}};
	struct policy_prefix v4[] = {{addr("127.0.0.0"), 96 + 8}};
	struct policy_prefix host[] = {{addr("127.0.0.1"), 128}};
	struct policy_prefix two_nets[] = {{addr("::1"), 128}, {addr("127.0.0.1"), 128}};
	const struct policy_rule any = {.n_ports = 0};
	const struct policy_rule one_port = {.ports = port, .n_ports = 1};
	const struct policy_rule port_range = {.ports = range, .n_ports = 1};
	const struct policy_rule upper_range = {.ports = above, .n_ports = 1};
	const struct policy_rule two_ports = {.ports = two, .n_ports = 2};
	const struct policy_rule net = {.locals = v4, .n_locals = 1};
	const struct policy_rule address = {.locals = host, .n_locals = 1};
	const struct policy_rule addresses = {.locals = two_nets, .n_locals = 2};
	const struct policy_rule root = {.has_uid = true}, user = {.has_uid = true, .uid = 1};
	const struct policy_rule unit = {.unit = "a"}, other_unit = {.unit = "b"};
	const struct policy_rule old = {.min_age_ms = 2}, young = {.min_age_ms = 1};
	const struct policy_rule few = {.has_max_unread = true};
	const struct policy_rule more = {.has_max_unread = true, .max_unread = 1};

	(void)state;
	expect_covers(&any, &any, true, true);
	expect_covers(&any, &one_port, true, false);
	expect_covers(&port_range, &one_port, true, false);
	expect_covers(&two_ports, &one_port, true, false);
	expect_covers(&port_range, &upper_range, false, false);
	expect_covers(&port_range, &two_ports, false, false);
	expect_covers(&any, &net, true, false);
	expect_covers(&net, &address, true, false);
	expect_covers(&addresses, &address, true, false);
	expect_covers(&net, &addresses, false, false);
	expect_covers(&any, &root, true, false);
	expect_covers(&root, &user, false, false);
	expect_covers(&any, &unit, true, false);
	expect_covers(&unit, &other_unit, false, false);
	expect_covers(&young, &old, true, false);
	expect_covers(&any, &young, true, false);
	expect_covers(&any, &more, true, false);
	expect_covers(&more, &few, true, false);
	/* Two conditions at once: each covers in one of them. */
	expect_covers(&one_port, &address, false, false);
}

/* Small numbers on purpose, so that rules and occupants often meet. */
static void random_rule(struct unit_random *random, struct policy_rule *rule,
			struct policy_ports ports[3], struct policy_prefix locals[3])
{
	static const char *const addrs[] = {"127.0.0.1", "127.0.0.2", "::1", "127.128.0.0"};
	static const unsigned int bits[] = {0, 96, 97, 96 + 8, 96 + 9, 127, 128};

	memset(rule, 0, sizeof(*rule));
	rule->ports = ports;
	rule->locals = locals;
	if (unit_random_below(random, 2))
		rule->n_ports = 1 + unit_random_below(random, 3);
	for (size_t i = 0; i < rule->n_ports; i++) {
		ports[i].first = (uint16_t)unit_random_below(random, 8);
		ports[i].last = (uint16_t)(ports[i].first + unit_random_below(random, 4));
	}
	if (unit_random_below(random, 2))
		rule->n_locals = 1 + unit_random_below(random, 3);
	for (size_t i = 0; i < rule->n_locals; i++) {
		locals[i].addr = addr(addrs[unit_random_below(random, 4)]);
		locals[i].bits = bits[unit_random_below(random, 7)];
	}
	rule->has_uid = unit_random_below(random, 3) == 0;
	rule->uid = unit_random_below(random, 2);
	if (unit_random_below(random, 3) == 0)
		strcpy(rule->unit, unit_random_below(random, 2) ? "a" : "b");
	rule->min_age_ms = unit_random_below(random, 3);
	rule->has_max_unread = unit_random_below(random, 2);
	rule->max_unread = unit_random_below(random, 3);
}

static struct policy_occupant random_occupant(struct unit_random *random)
{
	static const char *const addrs[] = {"127.0.0.1",   "127.0.0.2", "::1",
					    "127.128.0.1", "126.0.0.1", "::"};
	static const char *const units[] = {NULL, "c", "a", "b"};

	return (struct policy_occupant){
		.local = {.addr = addr(addrs[unit_random_below(random, 6)]),
			  .port = htons((uint16_t)unit_random_below(random, 12))},
		.uid = unit_random_below(random, 3),
		.unit = units[unit_random_below(random, 4)],
		.age_ms = unit_random_below(random, 4),
		.unread = unit_random_below(random, 4),
	};
}

/* "Covers" may be too modest (two ranges that cover a third together), but never wrong. */
static void test_covers_is_never_wrong(void **state)
{
	const unsigned int rounds = unit_rounds(100000);
	struct unit_random random = {.state = 6};
	unsigned int covered = 0, matched = 0;

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		struct policy_ports ports[2][3];
		struct policy_prefix locals[2][3];
		struct policy_rule earlier, later;

		random_rule(&random, &earlier, ports[0], locals[0]);
		random_rule(&random, &later, ports[1], locals[1]);
		assert_true(policy_rule_covers(&later, &later));
		if (!policy_rule_covers(&earlier, &later))
			continue;
		covered++;
		for (unsigned int i = 0; i < 200; i++) {
			struct policy_occupant occ = random_occupant(&random);

			if (!rule_matches(&later, &occ))
				continue;
			matched++;
			assert_true(rule_matches(&earlier, &occ));
		}
	}
	assert_true(covered > rounds / 200);
	assert_true(matched > rounds / 20);
}

static bool same_decision(const struct policy_decision *a, const struct policy_decision *b)
{
	return a->action == b->action && a->rule == b->rule;
}

static bool asks_for_units(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].unit[0])
			return true;
	}
	return false;
}

/* So it need not be sought before it is known to be needed. */
static void test_the_unit_is_needed_where_it_decides(void **state)
{
	static const char *const units[] = {NULL, "a", "b", "c"};
	const unsigned int rounds = unit_rounds(100000);
	struct unit_random random = {.state = 8};
	unsigned int needed = 0, not_needed = 0;

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		struct policy_occupant occ = random_occupant(&random);
		struct policy_ports ports[3][3];
		struct policy_prefix locals[3][3];
		struct policy_rule rules[3];
		const struct policy policy = {
			.fallback = ACTION_DESTROY, .rules = rules, .n_rules = 3};
		struct policy_decision in_doubt, none;
		unsigned int others = 0;

		for (size_t i = 0; i < 3; i++)
			random_rule(&random, &rules[i], ports[i], locals[i]);
		occ.unit = POLICY_UNIT_IN_DOUBT;
		in_doubt = policy_decide(&policy, &occ);
		assert_int_equal(in_doubt.needs_unit, strcmp(in_doubt.rule, "unit-unknown") == 0);
		occ.unit = NULL;
		none = policy_decide(&policy, &occ);
		for (size_t i = 0; i < 4; i++) {
			struct policy_decision told;

			occ.unit = units[i];
			told = policy_decide(&policy, &occ);
			assert_false(told.needs_unit);
			if (!in_doubt.needs_unit)
				assert_true(same_decision(&told, &in_doubt));
			others += !same_decision(&told, &none);
		}
		assert_int_equal(others > 0, in_doubt.needs_unit);
		needed += in_doubt.needs_unit;
		not_needed += !in_doubt.needs_unit && asks_for_units(&policy);
	}
	assert_true(needed > rounds / 50);
	assert_true(not_needed > rounds / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_condition),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_locals),
		cmocka_unit_test(test_uid),
		cmocka_unit_test(test_unit),
		cmocka_unit_test(test_rule_min_age),
		cmocka_unit_test(test_max_unread),
		cmocka_unit_test(test_all_conditions_together),
		cmocka_unit_test(test_first_match_wins),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_min_age_floor),
		cmocka_unit_test(test_unit_in_doubt),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_covers_is_never_wrong),
		cmocka_unit_test(test_the_unit_is_needed_where_it_decides),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
