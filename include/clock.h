/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: what a clock of the kernel's says, as one number. */
#ifndef CW_CLOCK_H
#define CW_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds. Cannot fail: clock is one of the CLOCK_* that every kernel has. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Microseconds. */
static inline uint64_t clock_us(clockid_t clock)
{
	return clock_ns(clock) / 1000;
}

/* Milliseconds. Signed, since what is left until a deadline may be less than nothing. */
static inline int64_t clock_ms(clockid_t clock)
{
	return (int64_t)(clock_ns(clock) / 1000000);
}

#endif
