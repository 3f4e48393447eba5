/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/fdlimit.h"

#include <limits.h>
#include <sys/resource.h>

long fdlimit_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024; /* what every process can count on */
	if (limit.rlim_cur < limit.rlim_max) {
		const struct rlimit raised = {limit.rlim_max, limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur > INT_MAX ? INT_MAX : (long)limit.rlim_cur;
}
