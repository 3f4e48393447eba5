/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "processors.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

unsigned int processors_count(void)
{
	const long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned int)count : 1;
}

int processors_take_share(unsigned int share, unsigned int of)
{
	cpu_set_t set;
	int before, count;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno; /* EINVAL: more processors than a cpu_set_t has room for */
	before = CPU_COUNT(&set);
	for (unsigned int i = 0; i < CPU_SETSIZE; i++) {
		if (i % of != share)
			CPU_CLR(i, &set);
	}
	count = CPU_COUNT(&set);
	if (count == 0 || count == before)
		return 0;
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}
