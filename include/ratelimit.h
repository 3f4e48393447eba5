/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ratelimit: a token bucket that holds one second's worth. Pure: the caller tells the time. */
#ifndef CW_RATELIMIT_H
#define CW_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct ratelimit {
	uint32_t per_second; /* 0: no limit */
	uint64_t tokens;     /* in millionths */
	uint64_t last_us;
};

/* Starts full. now_us is of any clock that does not go back; the same one for every call. */
void ratelimit_init(struct ratelimit *limit, uint32_t per_second, uint64_t now_us);
/* Changes the rate; what was saved up is kept as far as it fits. */
void ratelimit_set(struct ratelimit *limit, uint32_t per_second);
/* Whether one more may happen now; if so it is counted. */
bool ratelimit_take(struct ratelimit *limit, uint64_t now_us);

#endif
