/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/monotime.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

/* Between two questions: short against every time-out of TCP, long against one netlink exchange. */
#define POLL_NS 500000

int64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int mono_ms_left(int64_t deadline_ns)
{
	int64_t left = deadline_ns - mono_ns();

	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int wait_until(bool (*done)(void *arg), void *arg, int timeout_ms)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	int64_t deadline = mono_ns() + (int64_t)timeout_ms * 1000000;

	while (!done(arg)) {
		if (mono_ns() >= deadline)
			return -ETIMEDOUT;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return 0;
}
