/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monotonic clock, and waiting for a condition that has no event of its own. */
#ifndef TEST_MONOTIME_H
#define TEST_MONOTIME_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t mono_ns(void);

/* Milliseconds from now to the moment `deadline_ns`, rounded up, never negative: for poll(). */
int mono_ms_left(int64_t deadline_ns);

/*
 * Asks done(arg) at once and then twice a millisecond until it says true: 0, or -ETIMEDOUT after
 * timeout_ms. For conditions that the kernel announces to nobody, such as a state in sock_diag.
 */
int wait_until(bool (*done)(void *arg), void *arg, int timeout_ms);

#endif
