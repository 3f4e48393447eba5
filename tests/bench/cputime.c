/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "cputime.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

static int64_t thread_time(const char *tasks, const char *tid)
{
	char path[128];
	int64_t ns = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.20s/schedstat", tasks, tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%" SCNd64, &ns) != 1)
		ns = -1;
	fclose(file);
	return ns;
}

int64_t cputime_of(pid_t pid)
{
	const struct dirent *entry;
	int64_t sum = -1;
	char tasks[64];
	DIR *dir;

	snprintf(tasks, sizeof(tasks), "/proc/%d/task", (int)pid);
	dir = opendir(tasks);
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		int64_t ns = entry->d_name[0] == '.' ? -1 : thread_time(tasks, entry->d_name);

		if (ns >= 0)
			sum = sum < 0 ? ns : sum + ns;
	}
	closedir(dir);
	return sum;
}
