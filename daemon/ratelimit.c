/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ratelimit.h"

/* One event costs a million, so that a microsecond earns exactly per_second. */
#define COST 1000000ULL

void ratelimit_init(struct ratelimit *limit, uint32_t per_second, uint64_t now_us)
{
	limit->per_second = per_second;
	limit->tokens = per_second * COST;
	limit->last_us = now_us;
}

void ratelimit_set(struct ratelimit *limit, uint32_t per_second)
{
	/* From no limit to one: as full as at the start. */
	if (limit->per_second == 0 || limit->tokens > per_second * COST)
		limit->tokens = per_second * COST;
	limit->per_second = per_second;
}

bool ratelimit_take(struct ratelimit *limit, uint64_t now_us)
{
	uint64_t full = limit->per_second * COST;
	uint64_t elapsed = now_us - limit->last_us;

	if (limit->per_second == 0)
		return true;
	limit->last_us = now_us;
	/* A second fills the bucket; a longer pause must not overflow the product. */
	if (elapsed >= COST || full - limit->tokens <= elapsed * limit->per_second)
		limit->tokens = full;
	else
		limit->tokens += elapsed * limit->per_second;
	if (limit->tokens < COST)
		return false;
	limit->tokens -= COST;
	return true;
}
