/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "names.h"

#include <errno.h>
#include <string.h>

const char *names_get(const char *const table[], size_t len, unsigned int index)
{
	if (index >= len || !table[index])
		return "unknown";
	return table[index];
}

int names_find(const char *const table[], size_t len, const char *text)
{
	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (table[i] && strcmp(table[i], text) == 0)
			return (int)i;
	}
	return -EINVAL;
}
