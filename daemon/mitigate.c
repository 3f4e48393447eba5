/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch goes through stages, each over all of its SYNs, so that the kernel is asked once per
 * stage and not once per SYN:
 *
 *   occupants   who is on the tuple?            most SYNs end here: a listener, or nobody
 *   suspects    a stale occupant: its details, and the claimant, in one round of look-ups
 *   elsewhere   no claimant on the tuple, or destinations may have been rewritten: which other
 *               sockets are on the SYN's source?
 *   decide      the policy names the action
 *   act         destroy what is to be destroyed
 *   verdicts    one for every packet, whatever happened above
 *   account     counters and incidents, when nobody waits any more
 *
 * The occupant is looked up twice. The first look is cheap and says whether there is anything to
 * do at all; the second asks for that very socket, by cookie, with the details that the policy
 * needs, and its answer is the one that counts. A destroy names the cookie too, so that a socket
 * which took the tuple in between, the listener above all, cannot be meant.
 */
#include "config.h"

#include "mitigate.h"
#include "judge.h"
#include "reset.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert(DIAG_BATCH_MAX >= 2 * QUEUE_BATCH_MAX, "two look-ups for each SYN in one round");
_Static_assert(RESET_MAX <= QUEUEMSG_ANSWER_MAX, "a reset fits a verdict");
_Static_assert((int)STATS_PACKET_KINDS == (int)PACKET_KIND_COUNT, "a counter for each kind");

/*
 * What the look-ups elsewhere of one batch may take together: each walks over all sockets of the
 * kernel, a quarter of a second where there are 100,000, and everybody in the batch waits. A client
 * sends its SYN again after 1 s.
 */
#define ELSEWHERE_BUDGET_US 200000
/* The same for their units: one that is not known yet takes a walk over all control groups. */
#define UNITS_BUDGET_US 200000

struct mitigate {
	const struct mitigate_ops *ops;
	void *ctx;
	struct stats *stats;
	struct mitigate_settings settings;
	struct ratelimit *destroys;

	/* The batch in hand. */
	const struct mitigate_syn *syns;
	size_t n;
	struct tuple tuples[QUEUE_BATCH_MAX]; /* with their scope */
	struct judgement work[QUEUE_BATCH_MAX];

	/* What the look-ups elsewhere of this batch said. */
	struct elsewhere {
		const struct endpoint *source;
		tcpstate_set states;
		int err;
		size_t count;
		struct sock_info only;
	} elsewhere[QUEUE_BATCH_MAX];
	size_t n_elsewhere;

	/* Of the stage in hand. */
	size_t owner[DIAG_BATCH_MAX]; /* the SYN that a request belongs to */
	struct diag_request requests[DIAG_BATCH_MAX];
	struct diag_answer answers[DIAG_BATCH_MAX];
	int errors[DIAG_BATCH_MAX];
	struct verdict verdicts[QUEUE_BATCH_MAX];
	uint8_t resets[QUEUE_BATCH_MAX][RESET_MAX];
};

int mitigate_new(const struct mitigate_ops *ops, void *ctx, struct ratelimit *destroys,
		 struct stats *stats, struct mitigate **ret_mitigate)
{
	struct mitigate *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->ops = ops;
	m->ctx = ctx;
	m->stats = stats;
	m->destroys = destroys;
	*ret_mitigate = m;
	return 0;
}

void mitigate_free(struct mitigate *m)
{
	free(m);
}

void mitigate_configure(struct mitigate *m, const struct mitigate_settings *settings)
{
	m->settings = *settings;
}

/* Adds a request of SYN i to the stage's round. */
static void request(struct mitigate *m, size_t *count, size_t i, const struct tuple *socket,
		    uint64_t cookie, bool details)
{
	m->owner[*count] = i;
	m->requests[*count] = (struct diag_request){*socket, cookie, details};
	(*count)++;
}

static void look_up_occupants(struct mitigate *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct mitigate_syn *syn = &m->syns[i];
		struct tuple occupant;

		m->work[i] = (struct judgement){.finding = FINDING_NOT_JUDGED};
		if (!syn->loopback || !packet_is_syn(syn->kind))
			continue;
		m->tuples[i] = syn->tuple;
		if (tuple_linklocal(&syn->tuple))
			m->tuples[i].scope =
				m->ops->interface(m->ctx, tuple_linklocal(&syn->tuple));
		occupant = tuple_reverse(&m->tuples[i]);
		request(m, &count, i, &occupant, DIAGMSG_ANY_SOCKET, false);
	}
	if (count == 0)
		return;
	m->ops->lookup(m->ctx, m->requests, count, m->answers);
	for (size_t k = 0; k < count; k++)
		judge_occupant(&m->work[m->owner[k]], m->settings.policy->stale, &m->answers[k]);
}

static bool source_is_local(struct mitigate *m, const struct tuple *tuple)
{
	return addr_is_loopback(&tuple->src.addr) || m->ops->is_local(m->ctx, &tuple->src.addr);
}

static void look_up_suspects(struct mitigate *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct judgement *work = &m->work[i];
		struct tuple occupant;

		if (!work->suspect)
			continue;
		if (!source_is_local(m, &m->tuples[i])) {
			judge_foreign(work);
			continue;
		}
		occupant = tuple_reverse(&m->tuples[i]);
		request(m, &count, i, &occupant, work->occupant.cookie, true);
		request(m, &count, i, &m->tuples[i], DIAGMSG_ANY_SOCKET, false);
	}
	if (count == 0)
		return;
	m->ops->lookup(m->ctx, m->requests, count, m->answers);
	for (size_t k = 0; k < count; k += 2) {
		struct judgement *work = &m->work[m->owner[k]];

		judge_second_look(work, m->settings.policy->stale, &m->answers[k]);
		if (work->suspect)
			judge_claimant(work, &m->answers[k + 1]);
	}
}

/* An exact proof that a rewritten destination can make void; tracks: such things happen here. */
static bool is_in_doubt(const struct judgement *work, bool tracks)
{
	return tracks && work->finding == FINDING_COLLISION && work->proof == PROOF_EXACT;
}

static bool has_collision(const struct mitigate *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->work[i].finding == FINDING_COLLISION)
			return true;
	}
	return false;
}

/*
 * The sockets on a SYN's source. Each source is asked for once in a batch: a SYN that is repeated,
 * by its sender or by somebody who forges it, must not take the time of the others.
 */
static const struct elsewhere *ask_elsewhere(struct mitigate *m, const struct endpoint *source,
					     tcpstate_set states, uint64_t start_us)
{
	struct elsewhere *answer;

	for (size_t k = 0; k < m->n_elsewhere; k++) {
		answer = &m->elsewhere[k];
		if (answer->states == states && endpoint_equal(answer->source, source))
			return answer;
	}
	answer = &m->elsewhere[m->n_elsewhere++];
	*answer = (struct elsewhere){.source = source, .states = states, .err = -ETIMEDOUT};
	if (m->ops->monotonic_us(m->ctx) - start_us <= ELSEWHERE_BUDGET_US)
		answer->err = m->ops->sockets_on(m->ctx, source, states, &answer->only, 1,
						 &answer->count);
	return answer;
}

/*
 * Where destinations are rewritten on the way (REDIRECT, DNAT), a socket's own idea of its
 * connection is not the tuple that is seen here.
 *
 * If the SYN's was, its sender is not on its tuple. The only socket on the source address and port
 * must then be the sender; with a second one, that one may be the occupant's living peer.
 *
 * If it was not, the sender is on its tuple, and still the occupant's peer may live, under another
 * destination that was rewritten to this one. Connection tracking keeps such two apart, until it
 * forgets the older.
 */
static void look_elsewhere(struct mitigate *m)
{
	const bool tracks = has_collision(m) && m->ops->tracks_connections(m->ctx);
	const uint64_t start_us = m->ops->monotonic_us(m->ctx);

	m->n_elsewhere = 0;
	for (size_t i = 0; i < m->n; i++) {
		struct judgement *work = &m->work[i];
		bool in_doubt = is_in_doubt(work, tracks);
		const struct elsewhere *answer;

		if (!work->suspect && !in_doubt)
			continue;
		answer = ask_elsewhere(m, &m->tuples[i].src,
				       in_doubt ? judge_peer_states(work->occupant.state)
						: JUDGE_CONNECTED,
				       start_us);
		if (in_doubt)
			judge_other_peer(work, answer->err, answer->count);
		else
			judge_elsewhere(work, answer->err, answer->count, &answer->only);
	}
}

/* The unit is sought only where it decides, and while there is time for it; else it is in doubt. */
static void decide(struct mitigate *m)
{
	const struct policy *policy = m->settings.policy;
	uint64_t start_us;

	if (!has_collision(m))
		return;
	start_us = m->ops->monotonic_us(m->ctx);
	for (size_t i = 0; i < m->n; i++) {
		struct judgement *work = &m->work[i];
		const struct endpoint *dst = &m->tuples[i].dst;

		if (work->finding != FINDING_COLLISION)
			continue;
		judge_decide(work, policy, m->settings.mode, dst, POLICY_UNIT_IN_DOUBT);
		if (work->decision.needs_unit &&
		    m->ops->monotonic_us(m->ctx) - start_us <= UNITS_BUDGET_US)
			judge_decide(work, policy, m->settings.mode, dst,
				     m->ops->unit(m->ctx, work->occupant.cgroup_id));
	}
}

static bool is_ended(const struct judgement *work)
{
	return work->finding == FINDING_COLLISION &&
	       (work->result == RESULT_DESTROYED || work->result == RESULT_GONE);
}

/*
 * A destroy leaves the SYN in hand with an entry of connection tracking that does not fit its
 * connection, and would make all that follows it invalid (track.c): the entry is deleted, and the
 * SYN has to come again. It comes at once, as its claimant is told so in the SYN's place.
 *
 * The SYN's own is deleted before the destroy, whose reset may have the claimant send the next one
 * on its own, two ticks later: that must not find the entry. If the destroy fails, the SYN goes on
 * without one, and the kernel's answers are tracked as they come.
 */
static void look_at_entries(struct mitigate *m, size_t count)
{
	if (!m->ops->tracks_connections(m->ctx))
		return;
	for (size_t k = 0; k < count; k++) {
		size_t i = m->owner[k];

		m->work[i].entry = m->ops->entry(m->ctx, &m->tuples[i]);
	}
	/* Not before all were asked: repetitions in one batch have the same. */
	for (size_t k = 0; k < count; k++) {
		size_t i = m->owner[k];

		if (m->work[i].entry.kind == TRACK_OWN)
			m->ops->forget(m->ctx, &m->tuples[i], &m->work[i].entry);
	}
}

/*
 * The old connection's is deleted after its end: until then it may be needed. A next SYN that comes
 * earlier than this makes the kernel replace it.
 */
static void forget_old_entries(struct mitigate *m, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		size_t i = m->owner[k];
		struct judgement *work = &m->work[i];

		if (!is_ended(work))
			continue;
		if (work->entry.kind == TRACK_OLD)
			m->ops->forget(m->ctx, &m->tuples[i], &work->entry);
		work->again = work->entry.kind != TRACK_NONE;
	}
}

static void act(struct mitigate *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct judgement *work = &m->work[i];
		struct tuple occupant;

		if (work->finding != FINDING_COLLISION || work->result != RESULT_LIMITED)
			continue;
		if (judge_is_closed(work) && !m->ops->destroys_closed(m->ctx)) {
			judge_destroy(work, -EOPNOTSUPP);
			continue;
		}
		if (!ratelimit_take(m->destroys, m->ops->monotonic_us(m->ctx)))
			continue;
		occupant = tuple_reverse(&m->tuples[i]);
		request(m, &count, i, &occupant, work->occupant.cookie, false);
	}
	if (count == 0)
		return;
	look_at_entries(m, count);
	m->ops->destroy(m->ctx, m->requests, count, m->errors);
	for (size_t k = 0; k < count; k++)
		judge_destroy(&m->work[m->owner[k]], m->errors[k]);
	forget_old_entries(m, count);
}

/*
 * The answer takes the SYN's place and goes straight to the claimant, addressed as that knows its
 * connection, behind a REDIRECT too. A REJECT rule would be one more that every packet has to pass,
 * and its reset would have to come through whatever drops resets on loopback; so would the one that
 * a destroy sends, which makes a claimant send its SYN again just as well.
 */
static void answer(struct mitigate *m, size_t i, enum reset reset)
{
	struct tuple claimant = m->tuples[i];

	if (m->work[i].proof == PROOF_SOURCE)
		claimant.dst = m->work[i].claimant_dst;
	m->verdicts[i].answer = m->resets[i];
	m->verdicts[i].answer_len = reset_make(reset, m->syns[i].data, &claimant, m->resets[i]);
}

static int give_verdicts(struct mitigate *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mitigate_syn *syn = &m->syns[i];
		const struct judgement *work = &m->work[i];
		uint32_t mark = syn->mark & ~m->settings.clear_mark;

		m->verdicts[i] = (struct verdict){
			.id = syn->id,
			.drop = work->finding == FINDING_COLLISION &&
				work->result == RESULT_DROPPED,
			.set_mark = mark != syn->mark,
			.mark = mark,
		};
		if (work->finding == FINDING_COLLISION && work->result == RESULT_REJECTED)
			answer(m, i, RESET_REFUSES);
		else if (work->again)
			answer(m, i, RESET_REPEATS);
	}
	return m->ops->verdicts(m->ctx, m->verdicts, m->n);
}

/*
 * A SYN whose verdict failed passes with a later batch or at the end, or was let go already: it is neither
 * dropped nor rejected. An occupant that was destroyed is.
 */
static void note_missing_verdicts(struct mitigate *m, int err)
{
	for (size_t i = 0; i < m->n; i++) {
		struct judgement *work = &m->work[i];

		if (work->result == RESULT_DROPPED || work->result == RESULT_REJECTED)
			work->result = RESULT_FAILED;
		if (work->error == 0)
			work->error = err;
	}
}

static void count_work(struct mitigate *m, const struct mitigate_syn *syn,
		       const struct judgement *work)
{
	struct stats *stats = m->stats;

	stats_add(&stats->packet[syn->kind], 1);
	stats_add(&stats->finding[work->finding], 1);
	if (!syn->loopback)
		stats_add(&stats->count[STAT_NOT_LOOPBACK], 1);
	switch (work->finding) {
	case FINDING_NOT_STALE:
		if (work->occupant.state < TCPSTATE_COUNT)
			stats_add(&stats->not_stale[work->occupant.state], 1);
		break;
	case FINDING_COLLISION:
		stats_add(&stats->collision[work->occupant.state][work->decision.action]
					   [work->result],
			  1);
		if (work->result == RESULT_DESTROYED)
			stats_add(&stats->count[STAT_DESTROYED], 1);
		break;
	case FINDING_LOOKUP_FAILED:
		stats_add(&stats->count[STAT_LOOKUP_ERRORS], 1);
		break;
	case FINDING_NOT_JUDGED:
	case FINDING_NO_LISTENER:
	case FINDING_LISTENER:
	case FINDING_ACCEPT_QUEUE_FULL:
	case FINDING_DUPLICATE_SYN:
	case FINDING_UNPROVEN:
	case FINDING_FOREIGN_SOURCE:
		break;
	}
}

/*
 * How many SYNs of the batch met the full queue that SYN i met, if it is the last of them; else 0.
 * A server that hangs would fill the ring with one incident for each SYN.
 */
static uint32_t count_same_listener(const struct mitigate *m, size_t i)
{
	uint32_t count = 0;

	for (size_t k = 0; k < m->n; k++) {
		if (m->work[k].finding != FINDING_ACCEPT_QUEUE_FULL ||
		    m->work[k].occupant.cookie != m->work[i].occupant.cookie)
			continue;
		if (k > i)
			return 0;
		count++;
	}
	return count;
}

static void report(struct mitigate *m, size_t i, uint64_t verdict_us, uint64_t realtime_ns)
{
	struct incident incident = judge_incident(&m->work[i], &m->tuples[i], m->settings.mode);

	if (incident.finding == FINDING_ACCEPT_QUEUE_FULL) {
		incident.syns = count_same_listener(m, i);
		if (incident.syns == 0)
			return;
	}
	incident.time_ns = realtime_ns;
	incident.verdict_us = verdict_us;
	m->ops->report(m->ctx, &incident);
}

int mitigate_batch(struct mitigate *m, const struct mitigate_syn *syns, size_t n,
		   uint64_t receipt_us, uint64_t realtime_ns)
{
	uint64_t verdict_us;
	int err;

	m->syns = syns;
	m->n = n;
	look_up_occupants(m);
	look_up_suspects(m);
	look_elsewhere(m);
	decide(m);
	act(m);
	err = give_verdicts(m);
	if (err < 0)
		note_missing_verdicts(m, err);

	verdict_us = m->ops->monotonic_us(m->ctx) - receipt_us;
	stats_add_time(m->stats, verdict_us, n);
	for (size_t i = 0; i < n; i++) {
		count_work(m, &syns[i], &m->work[i]);
		if (incident_is_told(m->work[i].finding))
			report(m, i, verdict_us, realtime_ns);
	}
	return err;
}
