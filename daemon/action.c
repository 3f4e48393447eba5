/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "action.h"
#include "names.h"

static const char *const action_names[ACTION_COUNT] = {
	[ACTION_LOG] = "log",
	[ACTION_DESTROY] = "destroy",
	[ACTION_DROP] = "drop",
	[ACTION_REJECT] = "reject",
};

static const char *const mode_names[MODE_COUNT] = {
	[MODE_AUDIT] = "audit",
	[MODE_ENFORCE] = "enforce",
};

const char *action_name(enum action action)
{
	return names_get(action_names, ACTION_COUNT, action);
}

int action_parse(const char *text, enum action *ret_action)
{
	int index = names_find(action_names, ACTION_COUNT, text);

	if (index < 0)
		return index;
	*ret_action = (enum action)index;
	return 0;
}

const char *mode_name(enum mode mode)
{
	return names_get(mode_names, MODE_COUNT, mode);
}

int mode_parse(const char *text, enum mode *ret_mode)
{
	int index = names_find(mode_names, MODE_COUNT, text);

	if (index < 0)
		return index;
	*ret_mode = (enum mode)index;
	return 0;
}
