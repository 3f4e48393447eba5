/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into the daemon: the time of day goes a day forth and back between any two looks at
 * it. The monotonic clock stays what it is, as with the kernel's own settimeofday().
 */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	static atomic_int looks;
	int rc = (int)syscall(SYS_clock_gettime, clock, ts);

	if (rc == 0 && clock == CLOCK_REALTIME)
		ts->tv_sec += (atomic_fetch_add(&looks, 1) % 3 - 1) * 86400;
	return rc;
}
