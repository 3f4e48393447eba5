/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep: finds the mines on a timer and defuses those that the policy names, before a SYN meets
 * them.
 *
 * The kernel and the clock are behind an ops struct, so that tests put a model in its place. Never
 * waits: each step does a little and says when it wants to be called again.
 */
#ifndef CW_SWEEP_H
#define CW_SWEEP_H

#include "diag.h"
#include "incident.h"
#include "policy.h"
#include "sockdump.h"
#include "sweepstats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CLOSE_WAIT sockets of one sweep, 64 bytes each; the next one takes up what was passed over. */
#define SWEEP_MAX 65536

struct sweep_ops {
	/* As sockdump's open without details, step, close; one walk at a time. */
	int (*walk_begin)(void *ctx, tcpstate_set states);
	int (*walk_step)(void *ctx, sockdump_each_fn *each, void *each_ctx);
	void (*walk_end)(void *ctx);
	/* As diag_lookup() and diag_destroy(). */
	void (*lookup)(void *ctx, const struct diag_request *requests, size_t n,
		       struct diag_answer *ret_answers);
	void (*destroy)(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors);
	/* As in hostaddr.h. */
	bool (*is_local)(void *ctx, const struct in6_addr *addr);
	uint32_t (*lo)(void *ctx);
	uint64_t (*fin_timeout_ms)(void *ctx);
	uint64_t (*remembered_ms)(void *ctx);
	/* As cgroup_unit(); asked only where the unit decides. */
	const char *(*unit)(void *ctx, uint64_t cgroup_id);
	/* Each takes a copy of something to tell. */
	void (*report)(void *ctx, const struct incident *incident);
	void (*report_end)(void *ctx, const struct sweep_end *end);
	uint64_t (*monotonic_us)(void *ctx);
	uint64_t (*realtime_ns)(void *ctx);
};

struct sweep_settings {
	const struct policy *policy;
	enum mode mode;
	enum action action;   /* the most that a sweep does: ACTION_LOG or ACTION_DESTROY */
	uint64_t interval_us; /* from the beginning of one sweep to that of the next; 0: off */
	uint64_t min_age_ms;
	bool local;		 /* all addresses of the host, not just loopback */
	uint32_t max_per_second; /* sockets destroyed, at least 1 */
};

struct sweep;

/* Off until it is configured. stats and ctx stay the caller's. -ENOMEM. */
int sweep_new(const struct sweep_ops *ops, void *ctx, struct sweepstats *stats,
	      struct sweep **ret_sweep);
void sweep_free(struct sweep *s);
/*
 * From the next step on; the policy must live until it is replaced. A sweep in hand goes on, by the
 * new settings, unless they say off; the first one begins at once.
 */
void sweep_configure(struct sweep *s, const struct sweep_settings *settings);
/* Does a little; microseconds until it is to be called again, UINT64_MAX: not until configured. */
uint64_t sweep_step(struct sweep *s);

#endif
