/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mine is a CLOSE_WAIT socket whose peer no longer exists. No SYN has come that would prove it,
 * so the proof is the peer's absence, seen twice:
 *
 *   collect   a walk over the CLOSE_WAIT sockets: those in reach are the candidates
 *   peers     a walk over the states in which the peer of a CLOSE_WAIT socket can be
 *   look      the exact look-up of each candidate's peer, which finds a socket in any state
 *   wait      tcp_fin_timeout
 *   peers     again
 *   defuse    batch by batch: the candidate by its cookie, its peer once more, the policy, destroy
 *
 * A candidate falls out wherever a peer is seen or may be, or where the kernel does not answer.
 *
 * The peer has sent its FIN and so is in FIN_WAIT_1, FIN_WAIT_2 or CLOSING for as long as it lives,
 * and can be found. The look-up cannot miss it, but sees only sockets that are bound to no
 * interface, to lo or to the candidate's. The walk sees all of them, but can miss one whose bucket
 * of the kernel's table changes between two pieces. Behind a rewritten destination (REDIRECT, DNAT)
 * only the walk can find the peer, on the address and port where it should be but with another
 * destination; hence two walks, so far apart that an orphan which was about to end has ended.
 *
 * Behind a rewritten source nothing here can find it. Such a connection lives only as long as
 * connection tracking remembers it. So where there is connection tracking, what is not older than
 * that is no mine yet: any segment of a living peer makes the age begin anew.
 *
 * A peer cannot come back: whatever is on its tuple later is another connection. A claimant in
 * SYN_SENT is one, and its SYN is the worker's to judge; the candidate falls out.
 */
#include "config.h"

#include "sweep.h"
#include "candidates.h"
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Look-ups of one step: less than a millisecond. */
#define LOOK_BATCH 64
/* The second look and the destroys of one step; see batch_size(). */
#define DEFUSE_BATCH 16
/* Between two steps, so that other threads come to their turn also on a single processor. */
#define PAUSE_US 500
/* Looks are never closer together than this, whatever tcp_fin_timeout says. */
#define LOOKS_APART_US 1000000
/*
 * Mines that were kept and told of: not told of again at every sweep. A power of two; where two
 * share a slot, they are told of in turn.
 */
#define TOLD_SIZE 4096

_Static_assert(2 * DEFUSE_BATCH <= DIAG_BATCH_MAX && LOOK_BATCH <= DIAG_BATCH_MAX,
	       "one round of look-ups for each step");

enum stage {
	STAGE_OFF,
	STAGE_IDLE,
	STAGE_COLLECT,
	STAGE_PEERS_FIRST,
	STAGE_LOOK,
	STAGE_WAIT,
	STAGE_PEERS_SECOND,
	STAGE_DEFUSE,
};

struct sweep {
	const struct sweep_ops *ops;
	void *ctx;
	struct sweepstats *stats;
	struct sweep_settings settings;
	enum stage stage;
	bool walking;
	uint64_t start_us;
	uint64_t next_us; /* IDLE: of the next sweep; WAIT: of the second look */

	struct candidates field;
	size_t at, kept;     /* of a stage that goes through the candidates in batches */
	size_t passed;	     /* COLLECT: sockets in reach so far */
	size_t skip;	     /* of those, how many sweeps before took up that are still there */
	uint64_t min_age_ms; /* DEFUSE: as long as connection tracking remembers, 0 without it */

	uint64_t start_ns;	  /* CLOCK_REALTIME */
	struct sweep_end end;	  /* of the sweep in hand */
	uint64_t told[TOLD_SIZE]; /* cookies */
	struct diag_request requests[DIAG_BATCH_MAX];
	struct diag_answer answers[DIAG_BATCH_MAX];
};

int sweep_new(const struct sweep_ops *ops, void *ctx, struct sweepstats *stats,
	      struct sweep **ret_sweep)
{
	struct sweep *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->ctx = ctx;
	s->stats = stats;
	*ret_sweep = s;
	return 0;
}

static uint64_t now_us(const struct sweep *s)
{
	return s->ops->monotonic_us(s->ctx);
}

static void set(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

static void count_last(struct sweep *s, enum sweep_last which, uint64_t n)
{
	s->end.counts[which] += n;
}

static void enter(struct sweep *s, enum stage stage)
{
	static const enum sweep_phase phases[] = {
		[STAGE_OFF] = SWEEP_OFF,
		[STAGE_IDLE] = SWEEP_IDLE,
		[STAGE_COLLECT] = SWEEP_LOOKING,
		[STAGE_PEERS_FIRST] = SWEEP_LOOKING,
		[STAGE_LOOK] = SWEEP_LOOKING,
		[STAGE_WAIT] = SWEEP_WAITING,
		[STAGE_PEERS_SECOND] = SWEEP_DEFUSING,
		[STAGE_DEFUSE] = SWEEP_DEFUSING,
	};

	s->stage = stage;
	s->at = s->kept = 0;
	set(&s->stats->phase, phases[stage]);
}

static void end_walk(struct sweep *s)
{
	if (s->walking)
		s->ops->walk_end(s->ctx);
	s->walking = false;
}

void sweep_free(struct sweep *s)
{
	if (!s)
		return;
	end_walk(s);
	candidates_clear(&s->field);
	free(s);
}

static void be_idle_until(struct sweep *s, uint64_t next_us)
{
	s->next_us = next_us;
	set(&s->stats->next_us, next_us);
	enter(s, STAGE_IDLE);
}

/* The sweep is over; error is 0 or what it has failed with. */
static void end(struct sweep *s, int error)
{
	uint64_t now = now_us(s);
	uint64_t next = s->start_us + s->settings.interval_us;

	end_walk(s);
	candidates_clear(&s->field);
	s->end.counts[SWEEP_LAST_US] = now - s->start_us;
	for (size_t i = 0; i < SWEEP_LAST_COUNT; i++)
		set(&s->stats->last[i], s->end.counts[i]);
	set(&s->stats->last_start_ns, s->start_ns);
	set(&s->stats->last_error, (uint64_t)-error);
	stats_add(&s->stats->count[error < 0 ? SWEEP_STAT_FAILURES : SWEEP_STAT_SWEEPS], 1);
	s->end.error = error;
	s->ops->report_end(s->ctx, &s->end);
	be_idle_until(s, next > now ? next : now);
}

void sweep_configure(struct sweep *s, const struct sweep_settings *settings)
{
	s->settings = *settings;
	/* What was kept may be told of anew: by other rules, or in another mode. */
	memset(s->told, 0, sizeof(s->told));
	if (settings->interval_us == 0) {
		end_walk(s);
		candidates_clear(&s->field);
		enter(s, STAGE_OFF);
	} else if (s->stage == STAGE_OFF) {
		be_idle_until(s, now_us(s));
	} else if (s->stage == STAGE_IDLE) {
		be_idle_until(s, s->start_us + settings->interval_us);
	}
}

/* --- walks ------------------------------------------------------------------------------------*/

static void walk(struct sweep *s, enum stage stage, tcpstate_set states)
{
	int err = s->ops->walk_begin(s->ctx, states);

	if (err < 0) {
		end(s, err);
		return;
	}
	s->walking = true;
	enter(s, stage);
}

/* Whether the walk has come to its end; a failure ends the sweep. */
static bool walk_on(struct sweep *s, sockdump_each_fn *each)
{
	int done = s->ops->walk_step(s->ctx, each, s);

	if (done == 0)
		return false;
	end_walk(s);
	if (done < 0)
		end(s, done);
	return done > 0;
}

static bool addr_in_reach(const struct sweep *s, const struct in6_addr *addr)
{
	return addr_is_loopback(addr) || (s->settings.local && s->ops->is_local(s->ctx, addr));
}

static bool in_reach(const struct sweep *s, const struct tuple *socket)
{
	return addr_in_reach(s, &socket->src.addr) && addr_in_reach(s, &socket->dst.addr);
}

static int collect_one(void *ctx, const struct sock_info *info)
{
	struct sweep *s = ctx;

	if (info->state != TCPSTATE_CLOSE_WAIT || !in_reach(s, &info->tuple))
		return 0;
	if (s->passed++ < s->skip ||
	    !candidates_add(&s->field, &info->tuple, info->cookie, SWEEP_MAX))
		count_last(s, SWEEP_LAST_LIMITED, 1);
	return 0;
}

static int see_peer(void *ctx, const struct sock_info *info)
{
	struct sweep *s = ctx;

	candidates_see(&s->field, &info->tuple.src);
	return 0;
}

static void drop_alive(struct sweep *s)
{
	count_last(s, SWEEP_LAST_ALIVE, candidates_drop_alive(&s->field));
}

/* --- the steps --------------------------------------------------------------------------------*/

static void collect_from_skip(struct sweep *s)
{
	s->passed = 0;
	s->end.counts[SWEEP_LAST_LIMITED] = 0;
	walk(s, STAGE_COLLECT, tcpstate_bit(TCPSTATE_CLOSE_WAIT));
}

static void begin(struct sweep *s)
{
	s->start_us = now_us(s);
	memset(&s->end, 0, sizeof(s->end));
	s->start_ns = s->ops->realtime_ns(s->ctx);
	collect_from_skip(s);
}

static void walk_peers(struct sweep *s, enum stage stage)
{
	int err = candidates_index(&s->field);

	if (err < 0)
		end(s, err);
	else
		walk(s, stage, judge_peer_states(TCPSTATE_CLOSE_WAIT));
}

static void collect(struct sweep *s)
{
	if (!walk_on(s, collect_one))
		return;
	if (s->field.n == 0 && s->passed > 0 && s->skip > 0) {
		/* So many have gone by themselves that all that are left would be passed over. */
		s->skip = 0;
		collect_from_skip(s);
		return;
	}
	count_last(s, SWEEP_LAST_FOUND, s->field.n);
	stats_add(&s->stats->count[SWEEP_STAT_LIMITED], s->end.counts[SWEEP_LAST_LIMITED]);
	/* Those that were passed over are next, lest kept mines stand before them for ever. */
	s->skip = s->passed > s->skip + s->field.n ? s->skip + s->field.n : 0;
	if (s->field.n == 0)
		end(s, 0);
	else
		walk_peers(s, STAGE_PEERS_FIRST);
}

/* The look-up of a candidate's peer, whatever state it is in. */
static struct diag_request peer_request(const struct sweep *s, const struct candidate *c)
{
	struct diag_request request = {tuple_reverse(&c->socket), DIAGMSG_ANY_SOCKET, false};

	/* Also finds a peer that is bound to the interface which the connection runs over. */
	if (request.socket.scope == 0)
		request.socket.scope = s->ops->lo(s->ctx);
	return request;
}

/* Where there is no connection, the kernel answers with a listener. */
static bool is_absent(const struct diag_answer *answer)
{
	return answer->error == -ENOENT ||
	       (answer->error == 0 && answer->info.state == TCPSTATE_LISTEN);
}

static void count_present(struct sweep *s, const struct diag_answer *answer)
{
	if (answer->error < 0)
		stats_add(&s->stats->count[SWEEP_STAT_LOOKUP_ERRORS], 1);
	else
		count_last(s, SWEEP_LAST_ALIVE, 1);
}

static void look(struct sweep *s)
{
	size_t n = s->field.n - s->at < LOOK_BATCH ? s->field.n - s->at : LOOK_BATCH;

	for (size_t i = 0; i < n; i++)
		s->requests[i] = peer_request(s, &s->field.list[s->at + i]);
	if (n > 0)
		s->ops->lookup(s->ctx, s->requests, n, s->answers);
	for (size_t i = 0; i < n; i++) {
		if (is_absent(&s->answers[i]))
			s->field.list[s->kept++] = s->field.list[s->at + i];
		else
			count_present(s, &s->answers[i]);
	}
	s->at += n;
	if (s->at < s->field.n)
		return;
	s->field.n = s->kept;
	if (s->field.n == 0) {
		end(s, 0);
	} else {
		uint64_t apart = s->ops->fin_timeout_ms(s->ctx) * 1000;

		s->next_us = now_us(s) + (apart > LOOKS_APART_US ? apart : LOOKS_APART_US);
		enter(s, STAGE_WAIT);
	}
}

/*
 * The policy decides as it would for a SYN, and the sweep may do less than that, never more: what
 * is done to a SYN (drop, reject) cannot be done to a mine, which is then kept.
 */
static void decide(const struct sweep *s, const struct candidate *c, struct judgement *j)
{
	const struct policy *policy = s->settings.policy;

	judge_decide(j, policy, s->settings.mode, &c->socket.src, POLICY_UNIT_IN_DOUBT);
	if (j->decision.needs_unit)
		judge_decide(j, policy, s->settings.mode, &c->socket.src,
			     s->ops->unit(s->ctx, j->occupant.cgroup_id));
	if (j->decision.action == ACTION_DESTROY) {
		if (s->settings.action == ACTION_DESTROY)
			return;
		j->decision.rule = POLICY_RULE_SWEEP_ACTION;
	}
	j->decision.action = ACTION_LOG;
	if (s->settings.mode == MODE_ENFORCE)
		j->result = RESULT_LOGGED;
}

/* Whether the second look proves a mine that is to be decided about. */
static bool is_mine(struct sweep *s, const struct candidate *c, struct judgement *j,
		    const struct diag_answer *self, const struct diag_answer *peer)
{
	*j = (struct judgement){.suspect = true, .has_occupant = true};
	judge_second_look(j, s->settings.policy->stale, self);
	if (!j->suspect || j->occupant.state != TCPSTATE_CLOSE_WAIT) {
		if (j->finding == FINDING_LOOKUP_FAILED)
			stats_add(&s->stats->count[SWEEP_STAT_LOOKUP_ERRORS], 1);
		return false;
	}
	if (!is_absent(peer)) {
		count_present(s, peer);
		return false;
	}
	/* Settings may have changed since it was collected. */
	if (!in_reach(s, &c->socket))
		return false;
	if (!j->occupant.has_age || j->occupant.age_ms < s->settings.min_age_ms ||
	    j->occupant.age_ms < s->min_age_ms) {
		count_last(s, SWEEP_LAST_YOUNG, 1);
		return false;
	}
	return true;
}

/* Whether it is no longer among the sockets that the next sweep collects from. */
static bool has_left(const struct judgement *j)
{
	if (j->finding == FINDING_LOOKUP_FAILED)
		return false;
	return j->occupant.state != TCPSTATE_CLOSE_WAIT || j->result == RESULT_DESTROYED ||
	       j->result == RESULT_GONE;
}

static bool was_told(struct sweep *s, const struct judgement *j)
{
	uint64_t *slot = &s->told[j->occupant.cookie & (TOLD_SIZE - 1)];

	if (j->result != RESULT_AUDITED && j->result != RESULT_LOGGED)
		return false;
	if (*slot == j->occupant.cookie)
		return true;
	*slot = j->occupant.cookie;
	return false;
}

static void account(struct sweep *s, const struct candidate *c, const struct judgement *j)
{
	const struct tuple syn = tuple_reverse(&c->socket);
	struct incident incident;

	count_last(s, SWEEP_LAST_MINES, 1);
	count_last(s, SWEEP_LAST_DEFUSED, j->result == RESULT_DESTROYED);
	stats_add(&s->stats->mines[j->result], 1);
	if (was_told(s, j))
		return;
	incident = judge_incident(j, &syn, s->settings.mode);
	incident.kind = INCIDENT_MINE;
	incident.time_ns = s->ops->realtime_ns(s->ctx);
	s->ops->report(s->ctx, &incident);
}

/* A tenth of a second's worth: also a low rate is no burst. */
static size_t batch_size(const struct sweep *s)
{
	size_t tenth = s->settings.max_per_second / 10;

	if (tenth < 1)
		return 1;
	return tenth < DEFUSE_BATCH ? tenth : DEFUSE_BATCH;
}

/* One batch; returns how many sockets the kernel was asked to destroy. */
static size_t defuse(struct sweep *s)
{
	const struct candidate *batch = &s->field.list[s->at];
	struct diag_request destroys[DEFUSE_BATCH];
	struct judgement work[DEFUSE_BATCH];
	bool mine[DEFUSE_BATCH];
	size_t owner[DEFUSE_BATCH];
	int errors[DEFUSE_BATCH];
	size_t n = s->field.n - s->at < batch_size(s) ? s->field.n - s->at : batch_size(s);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		s->requests[2 * i] = (struct diag_request){batch[i].socket, batch[i].cookie, true};
		s->requests[2 * i + 1] = peer_request(s, &batch[i]);
	}
	s->ops->lookup(s->ctx, s->requests, 2 * n, s->answers);
	for (size_t i = 0; i < n; i++) {
		mine[i] =
			is_mine(s, &batch[i], &work[i], &s->answers[2 * i], &s->answers[2 * i + 1]);
		if (!mine[i])
			continue;
		decide(s, &batch[i], &work[i]);
		if (work[i].result != RESULT_LIMITED)
			continue; /* not to be destroyed */
		owner[count] = i;
		destroys[count++] =
			(struct diag_request){batch[i].socket, work[i].occupant.cookie, false};
	}
	if (count > 0)
		s->ops->destroy(s->ctx, destroys, count, errors);
	for (size_t k = 0; k < count; k++)
		judge_destroy(&work[owner[k]], errors[k]);
	for (size_t i = 0; i < n; i++) {
		if (mine[i])
			account(s, &batch[i], &work[i]);
		/* Those behind it come so much earlier. */
		if (s->skip > 0 && has_left(&work[i]))
			s->skip--;
	}
	s->at += n;
	return count;
}

static uint64_t defuse_some(struct sweep *s)
{
	uint64_t pace_us = 0;

	if (s->field.n > 0)
		pace_us = defuse(s) * 1000000 / s->settings.max_per_second;
	if (s->at >= s->field.n)
		end(s, 0);
	return pace_us > PAUSE_US ? pace_us : PAUSE_US;
}

uint64_t sweep_step(struct sweep *s)
{
	uint64_t now = now_us(s);

	switch (s->stage) {
	case STAGE_OFF:
		return UINT64_MAX;
	case STAGE_IDLE:
		if (now < s->next_us)
			return s->next_us - now;
		begin(s);
		return 0;
	case STAGE_COLLECT:
		collect(s);
		return PAUSE_US;
	case STAGE_PEERS_FIRST:
		if (walk_on(s, see_peer)) {
			drop_alive(s);
			enter(s, STAGE_LOOK);
		}
		return PAUSE_US;
	case STAGE_LOOK:
		look(s);
		return PAUSE_US;
	case STAGE_WAIT:
		if (now < s->next_us)
			return s->next_us - now;
		walk_peers(s, STAGE_PEERS_SECOND);
		return 0;
	case STAGE_PEERS_SECOND:
		if (walk_on(s, see_peer)) {
			drop_alive(s);
			s->min_age_ms = s->ops->remembered_ms(s->ctx);
			enter(s, STAGE_DEFUSE);
		}
		return PAUSE_US;
	case STAGE_DEFUSE:
		return defuse_some(s);
	}
	return UINT64_MAX;
}
