/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/net/netstat and snmp: pairs of lines "Group: name name ..." and "Group: 1 2 ...". */
#include "config.h"

#include "lib/snmp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The position of `word` among the words of `line`, or -1. */
static int find_word(char *line, const char *word)
{
	char *save, *token = strtok_r(line, " \n", &save);

	for (int i = 0; token; i++, token = strtok_r(NULL, " \n", &save))
		if (strcmp(token, word) == 0)
			return i;
	return -1;
}

static int64_t value_at(char *line, int position)
{
	char *save, *token = strtok_r(line, " \n", &save);

	while (token && position-- > 0)
		token = strtok_r(NULL, " \n", &save);
	return token ? strtoll(token, NULL, 10) : -ENOENT;
}

static int64_t search(FILE *file, const char *group, const char *name)
{
	char *names = NULL, *values = NULL;
	size_t names_size = 0, values_size = 0, group_len = strlen(group);
	int64_t value = -ENOENT;

	while (getline(&names, &names_size, file) > 0 && getline(&values, &values_size, file) > 0) {
		int position;

		if (strncmp(names, group, group_len) != 0 || names[group_len] != ':')
			continue;
		position = find_word(names, name);
		if (position > 0)
			value = value_at(values, position);
		break;
	}
	free(names);
	free(values);
	return value;
}

int64_t snmp_counter(const char *group, const char *name)
{
	static const char *const paths[] = {"/proc/thread-self/net/netstat",
					    "/proc/thread-self/net/snmp"};
	int64_t value = -ENOENT;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && value == -ENOENT; i++) {
		FILE *file = fopen(paths[i], "re");

		if (!file)
			return -errno;
		value = search(file, group, name);
		fclose(file);
	}
	return value;
}
