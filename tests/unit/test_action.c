/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of action: the words of the configuration, of events and of metrics. */
#include "config.h"

#include "action.h"
#include "unit.h"

static const char *const action_words[] = {
	[ACTION_LOG] = "log",
	[ACTION_DESTROY] = "destroy",
	[ACTION_DROP] = "drop",
	[ACTION_REJECT] = "reject",
};

static const char *const mode_words[] = {
	[MODE_AUDIT] = "audit",
	[MODE_ENFORCE] = "enforce",
};

static const char *get_action(unsigned int value)
{
	return action_name((enum action)value);
}

static int parse_action(const char *text, unsigned int *ret_value)
{
	enum action action = (enum action) * ret_value;
	int err = action_parse(text, &action);

	*ret_value = action;
	return err;
}

static const char *get_mode(unsigned int value)
{
	return mode_name((enum mode)value);
}

static int parse_mode(const char *text, unsigned int *ret_value)
{
	enum mode mode = (enum mode) * ret_value;
	int err = mode_parse(text, &mode);

	*ret_value = mode;
	return err;
}

static void test_actions(void **state)
{
	(void)state;
	unit_check_words(action_words, ACTION_COUNT, get_action, parse_action);
}

static void test_modes(void **state)
{
	(void)state;
	unit_check_words(mode_words, MODE_COUNT, get_mode, parse_mode);
}

/* A struct that was only zeroed must not destroy anything. */
static void test_zero_is_harmless(void **state)
{
	(void)state;
	assert_int_equal(ACTION_LOG, 0);
	assert_int_equal(MODE_AUDIT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_zero_is_harmless),
	};

	return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
