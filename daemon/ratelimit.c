/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bucket is kept as one number, the moment at which it will be full again (the generic cell
 * rate algorithm, ITU-T I.371): what happens moves that moment on by its share of a second, and may
 * not move it further than a second ahead. So a compare-and-swap is all that threads need.
 */
#include "config.h"

#include "ratelimit.h"

#define SECOND_NS 1000000000u

void ratelimit_set(struct ratelimit *limit, uint32_t per_second)
{
	if (atomic_load(&limit->per_second) == 0)
		atomic_store(&limit->full_ns, 0);
	atomic_store(&limit->per_second, per_second);
}

bool ratelimit_take(struct ratelimit *limit, uint64_t now_us)
{
	const uint32_t per_second = atomic_load(&limit->per_second);
	const uint64_t now_ns = now_us * 1000;
	uint64_t full_ns = atomic_load(&limit->full_ns), next_ns;

	if (per_second == 0)
		return true;
	do {
		next_ns = (full_ns > now_ns ? full_ns : now_ns) + SECOND_NS / per_second;
		if (next_ns > now_ns + SECOND_NS)
			return false;
	} while (!atomic_compare_exchange_weak(&limit->full_ns, &full_ns, next_ns));
	return true;
}
