/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mitigate: a batch of held SYNs to look-ups, decisions, actions and verdicts.
 *
 * The kernel is behind an ops struct, so that tests put a model in its place. Every packet of a
 * batch is in the one call of ops->verdicts() exactly once, whatever the other ops return.
 * Allocates nothing after mitigate_new().
 */
#ifndef CW_MITIGATE_H
#define CW_MITIGATE_H

#include "diag.h"
#include "incident.h"
#include "packet.h"
#include "policy.h"
#include "queue.h"
#include "ratelimit.h"
#include "stats.h"
#include "track.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mitigate_ops {
	/* As diag_lookup(), diag_destroy() and diag_sockets_on(). */
	void (*lookup)(void *ctx, const struct diag_request *requests, size_t n,
		       struct diag_answer *ret_answers);
	void (*destroy)(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors);
	int (*sockets_on)(void *ctx, const struct endpoint *local, tcpstate_set states,
			  struct sock_info *ret_infos, size_t max, size_t *ret_count);
	/* As diag_destroys_closed(). */
	bool (*destroys_closed)(void *ctx);
	/* As hostaddr_is_local(), hostaddr_interface() and hostaddr_tracks_connections(). */
	bool (*is_local)(void *ctx, const struct in6_addr *addr);
	uint32_t (*interface)(void *ctx, const struct in6_addr *addr);
	bool (*tracks_connections)(void *ctx);
	/* As track_look() and track_forget(); asked only where connections are tracked. */
	struct track_entry (*entry)(void *ctx, const struct tuple *syn);
	void (*forget)(void *ctx, const struct tuple *syn, const struct track_entry *entry);
	/* As cgroup_unit(); asked only where the unit decides. */
	const char *(*unit)(void *ctx, uint64_t cgroup_id);
	/* As queue_verdicts(); -ETIMEDOUT: they come too late. */
	int (*verdicts)(void *ctx, const struct verdict *verdicts, size_t n);
	/* Takes a copy of something to tell; called after the verdicts. */
	void (*report)(void *ctx, const struct incident *incident);
	uint64_t (*monotonic_us)(void *ctx);
};

struct mitigate_settings {
	const struct policy *policy;
	enum mode mode;
	uint32_t clear_mark; /* bits to take away from every packet that carries them */
};

/* One held packet, after packet_parse(). */
struct mitigate_syn {
	uint32_t id;
	uint32_t mark;
	enum packet_kind kind;
	bool loopback;	     /* came in on a loopback device */
	struct tuple tuple;  /* only if packet_is_syn(kind); its scope is where it came in */
	const uint8_t *data; /* the same; from the IP header on, with whole headers */
};

struct mitigate;

/* destroys may be shared with other threads. It, stats and ctx stay the caller's. -ENOMEM. */
int mitigate_new(const struct mitigate_ops *ops, void *ctx, struct ratelimit *destroys,
		 struct stats *stats, struct mitigate **ret_mitigate);
void mitigate_free(struct mitigate *m);
/* From the next batch on; the policy must live until it is replaced. */
void mitigate_configure(struct mitigate *m, const struct mitigate_settings *settings);
/*
 * n packets, at most QUEUE_BATCH_MAX, in the order of receipt, which was at receipt_us
 * (monotonic) and realtime_ns (wall clock). Returns what ops->verdicts returned.
 */
int mitigate_batch(struct mitigate *m, const struct mitigate_syn *syns, size_t n,
		   uint64_t receipt_us, uint64_t realtime_ns);

#endif
