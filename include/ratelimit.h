/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ratelimit: a token bucket that holds one second's worth, for any number of threads at once. Pure:
 * the caller tells the time.
 */
#ifndef CW_RATELIMIT_H
#define CW_RATELIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero is one without limit. */
struct ratelimit {
	_Atomic uint32_t per_second; /* 0: no limit */
	_Atomic uint64_t full_ns;    /* when the bucket will be full again */
};

/*
 * Changes the rate, from now on. A bucket that was half empty is half empty afterwards; after none
 * it is full. One thread at a time.
 */
void ratelimit_set(struct ratelimit *limit, uint32_t per_second);
/*
 * Whether one more may happen now; if so it is counted. now_us is of any clock that does not go
 * back; the same one for every call.
 */
bool ratelimit_take(struct ratelimit *limit, uint64_t now_us);

#endif
