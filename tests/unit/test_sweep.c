/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of sweep over the sockets of a model kernel (model.h), by hand and by chance.
 *
 * Whatever happens, each destroy is held against what is true at that moment: every socket is
 * watched for when its peer was last there.
 */
#include "config.h"

#include "model.h"
#include "sweep.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LO	       1
#define FIN_TIMEOUT_MS 60000
#define SECOND	       1000000u /* in microseconds */
#define INTERVAL_US    (600 * (uint64_t)SECOND)
#define WALK_CHUNK     16

/* What is known about one socket of the model, by its cookie. */
struct watch {
	uint64_t born_us;
	uint64_t peer_us; /* when something was last seen that can be its peer */
};

static struct {
	struct model model;
	struct sweep *sweep;
	struct sweepstats stats;
	struct sweep_settings settings;
	struct policy policy;
	struct policy_rule rules[2];
	struct unit_random random;
	struct watch watches[200000];
	uint64_t remembered_ms;

	/* The walk in hand. */
	bool walking;
	tcpstate_set states;
	size_t at;
	unsigned int walks; /* of peers, since the sweep began */
	uint64_t missed;    /* the cookie that one of the two walks passes over */

	/* What goes wrong. */
	int walk_error;	      /* of the next step of a walk */
	int lookup_error;     /* of every look-up */
	int peer_error;	      /* of every look-up of a peer */
	int destroy_error;    /* of every destroy */
	unsigned int trouble; /* per mille of the calls find a changed world or fail */
	void (*before_destroy)(void);

	size_t destroyed, reported, ends, units_sought;
	struct sweep_end end; /* the last one */
	uint64_t first_destroy_us, last_destroy_us;
	struct incident incident; /* the last one */
	size_t results[RESULT_COUNT];
} t;

static uint32_t roll(uint32_t below)
{
	return unit_random_below(&t.random, below);
}

/* --- what is true -----------------------------------------------------------------------------*/

static struct endpoint ep(uint32_t address, uint16_t port)
{
	return (struct endpoint){addr_from_v4(htonl(address)), htons(port)};
}

static bool is_peer_state(enum tcpstate state)
{
	return state == TCPSTATE_FIN_WAIT_1 || state == TCPSTATE_FIN_WAIT_2 ||
	       state == TCPSTATE_CLOSING;
}

/* Whether anything is there that keeps the socket from being a mine. */
static bool has_peer(const struct sock_info *socket)
{
	for (size_t i = 0; i < t.model.n_slots; i++) {
		const struct sock_info *other = &t.model.sockets[i];

		if (other->state == 0 || other->state == TCPSTATE_LISTEN ||
		    other->state == TCPSTATE_CLOSE ||
		    !endpoint_equal(&other->tuple.src, &socket->tuple.dst))
			continue;
		if (is_peer_state(other->state) ||
		    (endpoint_equal(&other->tuple.dst, &socket->tuple.src) &&
		     (other->tuple.scope == 0 || other->tuple.scope == LO)))
			return true;
	}
	return false;
}

static void watch(void)
{
	for (size_t i = 0; i < t.model.n_slots; i++) {
		const struct sock_info *socket = &t.model.sockets[i];
		struct watch *w;

		if (socket->state != TCPSTATE_CLOSE_WAIT)
			continue;
		assert_true(socket->cookie < sizeof(t.watches) / sizeof(t.watches[0]));
		w = &t.watches[socket->cookie];
		if (w->born_us == 0)
			w->born_us = t.model.now_us;
		if (has_peer(socket))
			w->peer_us = t.model.now_us;
	}
}

static const char *unit_of(uint64_t cgroup_id)
{
	return cgroup_id == 1 ? "one.service" : NULL;
}

static enum action policy_says(const struct sock_info *socket)
{
	const struct policy_occupant known = {
		.local = socket->tuple.src,
		.uid = socket->inode ? socket->uid : POLICY_NO_UID,
		.unit = unit_of(socket->cgroup_id),
		.age_ms = socket->age_ms,
		.unread = socket->rqueue - 1,
	};

	return policy_decide(&t.policy, &known).action;
}

static bool in_reach(const struct sock_info *socket)
{
	if (t.settings.local)
		return model_owns(&t.model, &socket->tuple.src.addr) &&
		       model_owns(&t.model, &socket->tuple.dst.addr);
	return addr_is_loopback(&socket->tuple.src.addr) &&
	       addr_is_loopback(&socket->tuple.dst.addr);
}

static void check_victim(const struct sock_info *victim)
{
	const struct watch *w = &t.watches[victim->cookie];
	const uint64_t apart_us = FIN_TIMEOUT_MS * (uint64_t)1000;

	assert_int_equal(t.settings.mode, MODE_ENFORCE);
	assert_int_equal(t.settings.action, ACTION_DESTROY);
	assert_int_equal(victim->state, TCPSTATE_CLOSE_WAIT);
	assert_true(in_reach(victim));
	assert_true(t.model.now_us - w->born_us >= apart_us);
	assert_true(t.model.now_us - w->peer_us >= apart_us);
	assert_true(victim->age_ms >= t.settings.min_age_ms);
	assert_true(victim->age_ms >= t.remembered_ms);
	assert_int_equal(policy_says(victim), ACTION_DESTROY);
}

/* --- the calls --------------------------------------------------------------------------------*/

static bool is_trouble(void)
{
	return t.trouble > 0 && roll(1000) < t.trouble;
}

static void change_world(void)
{
	struct sock_info *socket;
	struct tuple reverse;

	if (t.model.n_slots == 0 || !is_trouble())
		return;
	socket = &t.model.sockets[roll((uint32_t)t.model.n_slots)];
	if (socket->state == 0 || socket->state == TCPSTATE_LISTEN)
		return;
	reverse = tuple_reverse(&socket->tuple);
	switch (roll(5)) {
	case 0: /* closed by its owner, or the orphan has expired */
		model_remove(socket);
		break;
	case 1: { /* another socket is on its tuple */
		struct tuple tuple = socket->tuple;

		model_remove(socket);
		model_add(&t.model, &tuple, TCPSTATE_CLOSE_WAIT);
		break;
	}
	case 2: /* it moves on */
		if (socket->state == TCPSTATE_CLOSE_WAIT)
			socket->state = TCPSTATE_LAST_ACK;
		break;
	case 3: /* a claimant comes */
		if (!model_find(&t.model, &reverse))
			model_add(&t.model, &reverse, TCPSTATE_SYN_SENT);
		break;
	case 4: /* and is connected, or gives up */
		if (socket->state == TCPSTATE_SYN_SENT)
			socket->state = TCPSTATE_ESTABLISHED;
		break;
	}
}

/* Before each call but destroy: what a look-up has said is to hold for the destroy behind it. */
static void enter(void)
{
	change_world();
	watch();
	t.model.now_us += roll(200);
}

static int op_walk_begin(void *ctx, tcpstate_set states)
{
	(void)ctx;
	enter();
	assert_false(t.walking);
	if (is_trouble())
		return -ENOMEM;
	t.walking = true;
	t.states = states;
	t.at = 0;
	if (!tcpstate_in(TCPSTATE_CLOSE_WAIT, states))
		t.walks++;
	return 0;
}

static int op_walk_step(void *ctx, sockdump_each_fn *each, void *each_ctx)
{
	int error = t.walk_error;

	(void)ctx;
	enter();
	assert_true(t.walking);
	t.walk_error = 0;
	if (error < 0)
		return error;
	for (size_t end = t.at + WALK_CHUNK; t.at < end; t.at++) {
		const struct sock_info *socket = &t.model.sockets[t.at];

		if (t.at >= t.model.n_slots)
			return 1;
		if (socket->state == 0 || !tcpstate_in(socket->state, t.states) ||
		    (t.walks == 1 && socket->cookie == t.missed))
			continue;
		error = each(each_ctx, socket);
		if (error < 0)
			return error;
	}
	return 0;
}

static void op_walk_end(void *ctx)
{
	(void)ctx;
	assert_true(t.walking);
	t.walking = false;
}

static void op_lookup(void *ctx, const struct diag_request *requests, size_t n,
		      struct diag_answer *ret_answers)
{
	(void)ctx;
	assert_in_range(n, 1, DIAG_BATCH_MAX);
	enter();
	for (size_t i = 0; i < n; i++) {
		/* Nothing of an answer may be used unless it says that it is one. */
		memset(&ret_answers[i].info, 0x5a, sizeof(ret_answers[i].info));
		ret_answers[i].error = is_trouble() ? -ETIMEDOUT : t.lookup_error;
		if (requests[i].cookie == DIAGMSG_ANY_SOCKET && t.peer_error < 0)
			ret_answers[i].error = t.peer_error;
		if (ret_answers[i].error == 0)
			ret_answers[i].error =
				model_answer(&t.model, &requests[i], &ret_answers[i].info);
	}
}

static void op_destroy(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors)
{
	(void)ctx;
	assert_in_range(n, 1, DIAG_BATCH_MAX);
	if (t.before_destroy)
		t.before_destroy();
	for (size_t i = 0; i < n; i++) {
		struct sock_info victim;

		assert_true(requests[i].cookie != DIAGMSG_ANY_SOCKET);
		ret_errors[i] = is_trouble() ? -EPERM : t.destroy_error;
		if (ret_errors[i] == 0)
			ret_errors[i] = model_kill(&t.model, &requests[i].socket,
						   requests[i].cookie, &victim);
		if (ret_errors[i] < 0)
			continue;
		check_victim(&victim);
		if (t.destroyed++ == 0)
			t.first_destroy_us = t.model.now_us;
		t.last_destroy_us = t.model.now_us;
	}
}

static bool op_is_local(void *ctx, const struct in6_addr *addr)
{
	(void)ctx;
	return model_owns(&t.model, addr);
}

static uint32_t op_lo(void *ctx)
{
	(void)ctx;
	return LO;
}

static uint64_t op_fin_timeout_ms(void *ctx)
{
	(void)ctx;
	return FIN_TIMEOUT_MS;
}

static uint64_t op_remembered_ms(void *ctx)
{
	(void)ctx;
	return t.remembered_ms;
}

static const char *op_unit(void *ctx, uint64_t cgroup_id)
{
	(void)ctx;
	t.units_sought++;
	return unit_of(cgroup_id);
}

static void op_report(void *ctx, const struct incident *incident)
{
	(void)ctx;
	assert_int_equal(incident->kind, INCIDENT_MINE);
	assert_true(incident->has_occupant);
	t.reported++;
	t.incident = *incident;
	t.results[incident->result]++;
}

static void op_report_end(void *ctx, const struct sweep_end *end)
{
	(void)ctx;
	t.end = *end;
	t.ends++;
}

static uint64_t op_monotonic_us(void *ctx)
{
	(void)ctx;
	return t.model.now_us;
}

static uint64_t op_realtime_ns(void *ctx)
{
	(void)ctx;
	return 1000000000 + t.model.now_us * 1000;
}

static const struct sweep_ops ops = {
	.walk_begin = op_walk_begin,
	.walk_step = op_walk_step,
	.walk_end = op_walk_end,
	.lookup = op_lookup,
	.destroy = op_destroy,
	.is_local = op_is_local,
	.lo = op_lo,
	.fin_timeout_ms = op_fin_timeout_ms,
	.remembered_ms = op_remembered_ms,
	.unit = op_unit,
	.report = op_report,
	.report_end = op_report_end,
	.monotonic_us = op_monotonic_us,
	.realtime_ns = op_realtime_ns,
};

/* --- the stage --------------------------------------------------------------------------------*/

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	model_init(&t.model, 1);
	t.model.now_us = 1000 * (uint64_t)SECOND;
	t.random.state = 7;
	t.policy.stale = tcpstate_bit(TCPSTATE_CLOSE_WAIT);
	t.policy.fallback = ACTION_DESTROY;
	t.policy.rules = t.rules;
	t.settings = (struct sweep_settings){
		.policy = &t.policy,
		.mode = MODE_ENFORCE,
		.action = ACTION_DESTROY,
		.interval_us = INTERVAL_US,
		.max_per_second = 1000,
	};
	assert_int_equal(sweep_new(&ops, NULL, &t.stats, &t.sweep), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sweep_free(t.sweep);
	assert_false(t.walking);
	return 0;
}

static uint64_t ended(void)
{
	return stats_get(&t.stats.count[SWEEP_STAT_SWEEPS]) +
	       stats_get(&t.stats.count[SWEEP_STAT_FAILURES]);
}

static void step(void)
{
	uint64_t wait_us = sweep_step(t.sweep);

	assert_true(wait_us != UINT64_MAX);
	watch();
	t.model.now_us += wait_us;
	watch();
}

/* Goes on until the phase is reached. */
static void reach(enum sweep_phase phase)
{
	for (unsigned int i = 0; i < 1000000; i++) {
		if (stats_get(&t.stats.phase) == phase)
			return;
		step();
	}
	fail_msg("the sweep never comes to be %s", sweep_phase_name(phase));
}

/* One whole sweep from now on. */
static void sweep_once(void)
{
	uint64_t before = ended();

	t.walks = 0;
	sweep_configure(t.sweep, &t.settings);
	for (unsigned int i = 0; ended() == before; i++) {
		assert_true(i < 1000000);
		step();
	}
}

static uint64_t last(enum sweep_last which)
{
	return stats_get(&t.stats.last[which]);
}

static struct tuple tuple_of(uint16_t port)
{
	return (struct tuple){.src = ep(INADDR_LOOPBACK, 80), .dst = ep(INADDR_LOOPBACK, port)};
}

static struct sock_info *plant(uint16_t port)
{
	const struct tuple tuple = tuple_of(port);

	return model_add(&t.model, &tuple, TCPSTATE_CLOSE_WAIT);
}

static struct sock_info *plant_peer(uint16_t port, enum tcpstate state)
{
	const struct tuple tuple = tuple_of(port), peer = tuple_reverse(&tuple);

	return model_add(&t.model, &peer, state);
}

static bool is_there(uint16_t port)
{
	const struct tuple tuple = tuple_of(port);

	return model_find(&t.model, &tuple) != NULL;
}

/* --- by hand ----------------------------------------------------------------------------------*/

static void off_means_off(void **state)
{
	(void)state;
	plant(1);
	assert_true(sweep_step(t.sweep) == UINT64_MAX);
	t.settings.interval_us = 0;
	sweep_configure(t.sweep, &t.settings);
	assert_true(sweep_step(t.sweep) == UINT64_MAX);
	assert_true(is_there(1));
}

static void a_mine_is_defused(void **state)
{
	const struct tuple tuple = tuple_of(1), syn = tuple_reverse(&tuple);

	(void)state;
	plant(1);
	sweep_once();
	assert_false(is_there(1));
	assert_int_equal(t.destroyed, 1);
	assert_int_equal(t.reported, 1);
	assert_true(tuple_equal(&t.incident.syn, &syn));
	assert_int_equal(t.incident.mode, MODE_ENFORCE);
	assert_int_equal(t.incident.action, ACTION_DESTROY);
	assert_int_equal(t.incident.result, RESULT_DESTROYED);
	assert_string_equal(t.incident.rule, "default");
	assert_true(t.incident.occupant.has_age);
	assert_int_equal(last(SWEEP_LAST_FOUND), 1);
	assert_int_equal(last(SWEEP_LAST_MINES), 1);
	assert_int_equal(last(SWEEP_LAST_DEFUSED), 1);
	assert_int_equal(stats_get(&t.stats.mines[RESULT_DESTROYED]), 1);
	assert_int_equal(stats_get(&t.stats.count[SWEEP_STAT_SWEEPS]), 1);
	assert_true(last(SWEEP_LAST_US) >= FIN_TIMEOUT_MS * 1000);
	assert_int_equal(t.ends, 1);
	assert_int_equal(t.end.error, 0);
	for (unsigned int i = 0; i < SWEEP_LAST_COUNT; i++)
		assert_int_equal(t.end.counts[i], last((enum sweep_last)i));
}

/* A listener on the peer's port is what the kernel answers with where there is nothing. */
static void a_listener_is_no_peer(void **state)
{
	struct endpoint end = ep(INADDR_LOOPBACK, 1);

	(void)state;
	plant(1);
	model_listen(&t.model, &end, 10);
	sweep_once();
	assert_int_equal(t.destroyed, 1);
}

static void a_peer_in_any_state_saves_it(void **state)
{
	(void)state;
	for (unsigned int s = TCPSTATE_ESTABLISHED; s < TCPSTATE_COUNT; s++) {
		if (s == TCPSTATE_LISTEN || s == TCPSTATE_CLOSE)
			continue;
		model_clear(&t.model);
		plant(1);
		plant_peer(1, (enum tcpstate)s);
		sweep_once();
		assert_true(is_there(1));
		/* In CLOSE_WAIT they are each other's. */
		assert_int_equal(last(SWEEP_LAST_ALIVE), s == TCPSTATE_CLOSE_WAIT ? 2 : 1);
		assert_int_equal(last(SWEEP_LAST_MINES), 0);
	}
	assert_int_equal(t.reported, 0);
}

/* Its exact look-up does not find it: another interface, or a destination that was rewritten. */
static void a_hidden_peer_saves_it(void **state)
{
	(void)state;
	plant(1);
	plant_peer(1, TCPSTATE_FIN_WAIT_2)->tuple.scope = 9;
	plant(2);
	plant_peer(2, TCPSTATE_FIN_WAIT_2)->tuple.dst.port = htons(8080);
	plant(3);
	sweep_once();
	assert_true(is_there(1));
	assert_true(is_there(2));
	assert_false(is_there(3));
	assert_int_equal(last(SWEEP_LAST_ALIVE), 2);
}

static void a_hidden_peer_that_one_walk_misses_saves_it(void **state)
{
	struct sock_info *peer;

	(void)state;
	plant(1);
	peer = plant_peer(1, TCPSTATE_FIN_WAIT_2);
	peer->tuple.dst.port = htons(8080);
	t.missed = peer->cookie;
	sweep_once();
	assert_true(is_there(1));
}

/* One peer's address and port, several servers: all of them are in doubt, and no others. */
static void a_hidden_peer_saves_all_of_its_port(void **state)
{
	struct tuple other = tuple_of(1);

	(void)state;
	other.src.port = htons(81);
	plant(1);
	model_add(&t.model, &other, TCPSTATE_CLOSE_WAIT);
	plant(2);
	plant_peer(1, TCPSTATE_FIN_WAIT_2)->tuple.dst.port = htons(8080);
	sweep_once();
	assert_true(is_there(1));
	assert_non_null(model_find(&t.model, &other));
	assert_false(is_there(2));
	assert_int_equal(last(SWEEP_LAST_ALIVE), 2);
}

static void one_look_is_not_enough(void **state)
{
	(void)state;
	plant(1);
	plant_peer(2, TCPSTATE_FIN_WAIT_2);
	plant(2);
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	assert_true(is_there(1));
	/* What comes after the first look, and whose peer goes after it, waits for the next sweep. */
	plant(3);
	model_remove(model_find(&t.model, &(struct tuple){.src = ep(INADDR_LOOPBACK, 2),
							  .dst = ep(INADDR_LOOPBACK, 80)}));
	reach(SWEEP_IDLE);
	assert_false(is_there(1));
	assert_true(is_there(2));
	assert_true(is_there(3));
	reach(SWEEP_LOOKING);
	reach(SWEEP_IDLE);
	assert_false(is_there(2));
	assert_false(is_there(3));
}

/* Whatever it was that the first look met there. */
static void what_was_there_at_the_first_look_counts(void **state)
{
	const struct tuple tuple = tuple_of(1), reverse = tuple_reverse(&tuple);

	(void)state;
	plant(1);
	plant_peer(1, TCPSTATE_TIME_WAIT);
	plant(2);
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	model_remove(model_find(&t.model, &reverse));
	reach(SWEEP_IDLE);
	assert_true(is_there(1));
	assert_false(is_there(2));
}

/* Though the policy calls its new state stale too: only CLOSE_WAIT is swept. */
static void one_that_has_moved_on_is_left(void **state)
{
	(void)state;
	t.policy.stale |= tcpstate_bit(TCPSTATE_LAST_ACK);
	plant(1);
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	t.model.sockets[0].state = TCPSTATE_LAST_ACK;
	reach(SWEEP_IDLE);
	assert_int_equal(last(SWEEP_LAST_MINES), 0);
	assert_true(is_there(1));
}

static void a_claimant_is_left_to_the_worker(void **state)
{
	(void)state;
	plant(1);
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	plant_peer(1, TCPSTATE_SYN_SENT);
	reach(SWEEP_IDLE);
	assert_true(is_there(1));
	assert_int_equal(t.reported, 0);
}

static void another_socket_on_the_tuple_is_not_meant(void **state)
{
	(void)state;
	model_remove(plant(1));
	plant(1);
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	model_remove(model_find(&t.model, &(struct tuple){.src = ep(INADDR_LOOPBACK, 80),
							  .dst = ep(INADDR_LOOPBACK, 1)}));
	plant(1);
	reach(SWEEP_IDLE);
	assert_true(is_there(1));
	assert_int_equal(last(SWEEP_LAST_MINES), 0);
}

static void replace_the_first(void)
{
	model_remove(&t.model.sockets[0]);
	plant(1);
}

/* In the last moment: the cookie is what keeps the new one. */
static void another_socket_before_the_destroy_is_not_meant(void **state)
{
	(void)state;
	plant(1);
	t.before_destroy = replace_the_first;
	sweep_once();
	assert_true(is_there(1));
	assert_int_equal(t.incident.result, RESULT_GONE);
	assert_int_equal(t.destroyed, 0);
}

static void loopback_means_both_addresses(void **state)
{
	const struct in6_addr own = addr_from_v4(htonl(0x0a000001));
	const struct tuple mixed = {.src = ep(0x0a000001, 80), .dst = ep(INADDR_LOOPBACK, 1)};
	const struct tuple local = {.src = ep(0x0a000001, 80), .dst = ep(0x0a000001, 1)};
	const struct tuple remote = {.src = ep(0x0a000001, 80), .dst = ep(0x0a000002, 1)};

	(void)state;
	model_own_address(&t.model, &own, 2);
	model_add(&t.model, &mixed, TCPSTATE_CLOSE_WAIT);
	model_add(&t.model, &local, TCPSTATE_CLOSE_WAIT);
	model_add(&t.model, &remote, TCPSTATE_CLOSE_WAIT);
	sweep_once();
	assert_int_equal(last(SWEEP_LAST_FOUND), 0);
	t.settings.local = true;
	t.model.now_us += INTERVAL_US;
	sweep_once();
	assert_int_equal(t.destroyed, 2);
	assert_non_null(model_find(&t.model, &remote));
}

/* Taken back between the looks. */
static void a_narrower_reach_holds_at_once(void **state)
{
	const struct in6_addr own = addr_from_v4(htonl(0x0a000001));
	const struct tuple local = {.src = ep(0x0a000001, 80), .dst = ep(0x0a000001, 1)};

	(void)state;
	model_own_address(&t.model, &own, 2);
	model_add(&t.model, &local, TCPSTATE_CLOSE_WAIT);
	t.settings.local = true;
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	t.settings.local = false;
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_IDLE);
	assert_int_equal(t.destroyed, 0);
}

static void audit_and_log_touch_nothing_and_tell_once(void **state)
{
	(void)state;
	plant(1);
	t.settings.mode = MODE_AUDIT;
	sweep_configure(t.sweep, &t.settings);
	for (unsigned int i = 0; i < 3; i++) {
		reach(SWEEP_WAITING);
		reach(SWEEP_IDLE);
	}
	assert_int_equal(t.destroyed, 0);
	assert_int_equal(t.reported, 1);
	assert_int_equal(t.incident.result, RESULT_AUDITED);
	assert_int_equal(t.incident.action, ACTION_DESTROY);
	assert_int_equal(stats_get(&t.stats.mines[RESULT_AUDITED]), 3);

	/* A change may have changed the answer. */
	t.settings.mode = MODE_ENFORCE;
	t.settings.action = ACTION_LOG;
	t.model.now_us += INTERVAL_US;
	sweep_once();
	assert_int_equal(t.destroyed, 0);
	assert_int_equal(t.reported, 2);
	assert_int_equal(t.incident.result, RESULT_LOGGED);
	assert_int_equal(t.incident.action, ACTION_LOG);
	assert_string_equal(t.incident.rule, "sweep-action");
}

/* The mode as it is when the moment comes. */
static void a_change_of_mode_holds_for_a_sweep_in_hand(void **state)
{
	(void)state;
	plant(1);
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_WAITING);
	t.settings.mode = MODE_AUDIT;
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_IDLE);
	assert_int_equal(t.destroyed, 0);
	assert_int_equal(t.incident.result, RESULT_AUDITED);
}

static void what_is_no_destroy_keeps_the_mine(void **state)
{
	static const enum action actions[] = {ACTION_LOG, ACTION_DROP, ACTION_REJECT};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct policy_ports port = {80, 80};

		model_clear(&t.model);
		plant(1);
		t.rules[0] = (struct policy_rule){
			.name = "keep", .ports = &port, .n_ports = 1, .action = actions[i]};
		t.policy.n_rules = 1;
		t.model.now_us += INTERVAL_US;
		sweep_once();
		assert_true(is_there(1));
		assert_int_equal(t.incident.action, ACTION_LOG);
		assert_int_equal(t.incident.result, RESULT_LOGGED);
		assert_string_equal(t.incident.rule, "keep");
	}
}

static void rules_see_what_they_see_for_a_syn(void **state)
{
	(void)state;
	t.policy.fallback = ACTION_LOG;
	t.rules[0] = (struct policy_rule){.name = "mine",
					  .has_uid = true,
					  .uid = 33,
					  .unit = "one.service",
					  .min_age_ms = 60000,
					  .has_max_unread = true,
					  .max_unread = 0,
					  .action = ACTION_DESTROY};
	t.policy.n_rules = 1;
	plant(1)->cgroup_id = 1;
	plant(2)->cgroup_id = 2;
	for (uint16_t port = 3; port <= 6; port++)
		plant(port)->cgroup_id = 1;
	t.model.sockets[2].uid = 34;
	t.model.sockets[3].age_ms = 59999;
	t.model.sockets[4].rqueue = 2;
	t.model.sockets[5].inode = 0; /* nobody's */
	sweep_once();
	assert_int_equal(t.destroyed, 1);
	assert_false(is_there(1));
	assert_int_equal(last(SWEEP_LAST_MINES), 6);
}

/* A walk over all control groups may be needed for it. */
static void units_are_asked_for_only_where_they_decide(void **state)
{
	(void)state;
	t.rules[0] = (struct policy_rule){
		.name = "unit", .unit = "one.service", .has_uid = true, .uid = 34};
	t.policy.n_rules = 1;
	plant(1)->cgroup_id = 1;
	sweep_once();
	assert_false(is_there(1));
	assert_int_equal(t.units_sought, 0);

	t.rules[0].action = ACTION_LOG;
	plant(1)->cgroup_id = 1;
	t.model.sockets[0].uid = 34;
	t.model.now_us += INTERVAL_US;
	sweep_once();
	assert_true(is_there(1));
	assert_int_equal(t.units_sought, 1);
	assert_string_equal(t.incident.rule, "unit");
}

static void the_young_are_left(void **state)
{
	(void)state;
	t.settings.min_age_ms = 60000;
	plant(1);
	plant(2)->age_ms = 59999;
	sweep_once();
	assert_false(is_there(1));
	assert_true(is_there(2));
	assert_int_equal(last(SWEEP_LAST_YOUNG), 1);
}

/* Behind a rewritten source a living peer cannot be found. */
static void what_connection_tracking_may_remember_is_left(void **state)
{
	(void)state;
	t.remembered_ms = 120000;
	plant(1)->age_ms = 119999;
	plant(2)->age_ms = 120000;
	sweep_once();
	assert_true(is_there(1));
	assert_false(is_there(2));
}

static void a_failed_walk_ends_the_sweep(void **state)
{
	(void)state;
	plant(1);
	for (unsigned int walk = 0; walk < 3; walk++) {
		uint64_t before = ended();

		t.model.now_us += INTERVAL_US;
		sweep_configure(t.sweep, &t.settings);
		reach(SWEEP_LOOKING);
		if (walk == 1) {
			while (t.walks == 0)
				step();
		} else if (walk == 2) {
			reach(SWEEP_DEFUSING);
		}
		t.walk_error = -ENOBUFS;
		while (ended() == before)
			step();
		assert_int_equal(stats_get(&t.stats.count[SWEEP_STAT_FAILURES]), walk + 1);
		assert_int_equal(stats_get(&t.stats.last_error), ENOBUFS);
		assert_int_equal(t.end.error, -ENOBUFS);
		assert_true(is_there(1));
		t.walks = 0;
	}
	t.model.now_us += INTERVAL_US;
	sweep_once();
	assert_int_equal(stats_get(&t.stats.last_error), 0);
	assert_false(is_there(1));
}

static void what_the_kernel_does_not_tell_is_left(void **state)
{
	(void)state;
	plant(1);
	t.lookup_error = -ETIMEDOUT;
	sweep_once();
	assert_true(is_there(1));
	assert_int_equal(stats_get(&t.stats.count[SWEEP_STAT_LOOKUP_ERRORS]), 1);
	assert_int_equal(last(SWEEP_LAST_ALIVE), 0);

	t.lookup_error = 0;
	t.model.now_us += INTERVAL_US;
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_DEFUSING);
	t.lookup_error = -ENOBUFS;
	reach(SWEEP_IDLE);
	assert_true(is_there(1));

	t.lookup_error = 0;
	t.model.now_us += INTERVAL_US;
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_DEFUSING);
	t.peer_error = -ETIMEDOUT;
	reach(SWEEP_IDLE);
	assert_true(is_there(1));
	assert_int_equal(t.reported, 0);
}

static void a_refused_destroy_is_told(void **state)
{
	(void)state;
	plant(1);
	t.destroy_error = -EPERM;
	sweep_once();
	assert_int_equal(t.incident.result, RESULT_FAILED);
	assert_int_equal(t.incident.error, -EPERM);
	assert_int_equal(last(SWEEP_LAST_DEFUSED), 0);
}

static void off_ends_a_sweep_in_hand(void **state)
{
	static const enum sweep_phase phases[] = {SWEEP_LOOKING, SWEEP_WAITING, SWEEP_DEFUSING};
	const uint64_t interval_us = t.settings.interval_us;

	(void)state;
	plant(1);
	for (size_t i = 0; i < 3; i++) {
		t.settings.interval_us = interval_us;
		sweep_configure(t.sweep, &t.settings);
		reach(phases[i]);
		t.settings.interval_us = 0;
		sweep_configure(t.sweep, &t.settings);
		assert_false(t.walking);
		assert_true(sweep_step(t.sweep) == UINT64_MAX);
		assert_int_equal(stats_get(&t.stats.phase), SWEEP_OFF);
	}
	assert_true(is_there(1));
}

static void sweeps_come_at_their_interval(void **state)
{
	uint64_t start_us;

	(void)state;
	sweep_once();
	start_us = t.model.now_us;
	reach(SWEEP_LOOKING);
	assert_in_range(t.model.now_us - start_us, INTERVAL_US - SECOND, INTERVAL_US + SECOND);

	/* A new interval counts from the beginning of the last sweep. */
	reach(SWEEP_IDLE);
	start_us = t.model.now_us;
	t.settings.interval_us = 10 * SECOND;
	sweep_configure(t.sweep, &t.settings);
	reach(SWEEP_LOOKING);
	assert_in_range(t.model.now_us - start_us, 9 * SECOND, 11 * SECOND);
}

static void the_pace_is_kept(void **state)
{
	static const uint32_t rates[] = {1, 7, 100, 1000};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint64_t took_us;

		for (uint16_t port = 1001; port <= 1200; port++)
			plant(port);
		t.settings.max_per_second = rates[i];
		t.destroyed = 0;
		t.model.now_us += INTERVAL_US;
		sweep_once();
		assert_int_equal(t.destroyed, 200);
		took_us = t.last_destroy_us - t.first_destroy_us;
		assert_true((200 - 16) * (uint64_t)SECOND / rates[i] <= took_us);
		assert_true(took_us <= 220 * (uint64_t)SECOND / rates[i]);
	}
}

/* --- too many for the model: a walk of its own ------------------------------------------------ */

#define CROWD_MAX (SWEEP_MAX * 2)
#define KEPT_UID  34 /* by a rule */

static size_t crowd;
static bool crowd_gone[CROWD_MAX + 1], seen[CROWD_MAX + 1]; /* by cookie */
static bool crowd_keeps_odd;

static struct sock_info crowd_socket(size_t i)
{
	struct sock_info info = {.state = TCPSTATE_CLOSE_WAIT,
				 .cookie = i + 1,
				 .inode = (uint32_t)i + 1,
				 .uid = crowd_keeps_odd && i % 2 ? KEPT_UID : 33,
				 .has_age = true,
				 .age_ms = 1000000};

	info.tuple.src = ep(0x7f000001, 80);
	info.tuple.dst = ep(0x7f010000 + (uint32_t)(i >> 16), (uint16_t)i);
	return info;
}

static int crowd_walk_step(void *ctx, sockdump_each_fn *each, void *each_ctx)
{
	(void)ctx;
	if (!tcpstate_in(TCPSTATE_CLOSE_WAIT, t.states))
		return 1;
	for (size_t i = 0; i < crowd; i++) {
		const struct sock_info info = crowd_socket(i);

		if (!crowd_gone[info.cookie] && each(each_ctx, &info) < 0)
			return -EINVAL;
	}
	return 1;
}

static void crowd_lookup(void *ctx, const struct diag_request *requests, size_t n,
			 struct diag_answer *ret_answers)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		ret_answers[i].error = -ENOENT;
		if (requests[i].cookie == DIAGMSG_ANY_SOCKET || crowd_gone[requests[i].cookie])
			continue;
		ret_answers[i].error = 0;
		ret_answers[i].info = crowd_socket(requests[i].cookie - 1);
		seen[requests[i].cookie] = true;
	}
}

static void crowd_destroy(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		crowd_gone[requests[i].cookie] = true;
		ret_errors[i] = 0;
	}
}

static int set_up_crowd(void **state)
{
	static struct sweep_ops crowd_ops;

	set_up(state);
	sweep_free(t.sweep);
	crowd_ops = ops;
	crowd_ops.walk_step = crowd_walk_step;
	crowd_ops.lookup = crowd_lookup;
	crowd_ops.destroy = crowd_destroy;
	memset(crowd_gone, 0, sizeof(crowd_gone));
	memset(seen, 0, sizeof(seen));
	crowd_keeps_odd = false;
	crowd = CROWD_MAX;
	t.settings.max_per_second = 100000;
	return sweep_new(&crowd_ops, NULL, &t.stats, &t.sweep);
}

/* What does not fit is passed over, counted, and first the next time. */
static void every_socket_has_its_turn(void **state)
{
	size_t count = 0;

	(void)state;
	t.policy.fallback = ACTION_LOG;
	for (unsigned int i = 0; i < 2; i++) {
		sweep_once();
		assert_int_equal(last(SWEEP_LAST_FOUND), SWEEP_MAX);
		assert_int_equal(last(SWEEP_LAST_LIMITED), SWEEP_MAX);
		t.model.now_us += INTERVAL_US;
	}
	assert_int_equal(stats_get(&t.stats.count[SWEEP_STAT_LIMITED]), 2 * SWEEP_MAX);
	for (size_t i = 1; i <= crowd; i++)
		count += seen[i];
	assert_int_equal(count, crowd);
}

/* Nobody is passed over for those that are gone. */
static void a_crowd_that_is_destroyed_has_its_turn(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		sweep_once();
		assert_int_equal(last(SWEEP_LAST_FOUND), SWEEP_MAX);
		assert_int_equal(last(SWEEP_LAST_LIMITED), i == 0 ? SWEEP_MAX : 0);
		assert_int_equal(last(SWEEP_LAST_DEFUSED), SWEEP_MAX);
		t.model.now_us += INTERVAL_US;
	}
	sweep_once();
	assert_int_equal(last(SWEEP_LAST_FOUND), 0);
}

static void those_behind_a_half_destroyed_crowd_come_first(void **state)
{
	(void)state;
	crowd_keeps_odd = true;
	t.rules[0] = (struct policy_rule){.name = "keep", .has_uid = true, .uid = KEPT_UID};
	t.rules[0].action = ACTION_LOG;
	t.policy.n_rules = 1;
	sweep_once();
	assert_int_equal(last(SWEEP_LAST_DEFUSED), SWEEP_MAX / 2);
	t.model.now_us += INTERVAL_US;
	sweep_once();
	for (size_t i = 1; i <= crowd; i++)
		assert_true(seen[i]);
}

/* Some of them were closed by their owners. */
static void what_is_left_of_a_crowd_is_not_passed_over(void **state)
{
	(void)state;
	t.policy.fallback = ACTION_LOG;
	sweep_once();
	crowd = 100;
	t.policy.fallback = ACTION_DESTROY;
	t.model.now_us += INTERVAL_US;
	sweep_once();
	assert_int_equal(last(SWEEP_LAST_FOUND), 100);
	assert_int_equal(last(SWEEP_LAST_LIMITED), 0);
	assert_int_equal(last(SWEEP_LAST_DEFUSED), 100);
	assert_int_equal(stats_get(&t.stats.count[SWEEP_STAT_LIMITED]), SWEEP_MAX);
}

/* --- by chance --------------------------------------------------------------------------------*/

static void roll_world(void)
{
	const uint32_t addresses[] = {INADDR_LOOPBACK, 0x7f000002, 0x0a000001, 0x0a000002};
	const struct in6_addr own = addr_from_v4(htonl(0x0a000001));

	model_clear(&t.model);
	t.model.n_locals = 0;
	model_own_address(&t.model, &own, 2);
	for (size_t i = 0; i < 100; i++) {
		const struct tuple tuple = {
			.src = ep(addresses[roll(roll(2) ? 1 : 4)], (uint16_t)(80 + roll(2))),
			.dst = ep(addresses[roll(roll(2) ? 1 : 4)], (uint16_t)(1000 + roll(300))),
			.scope = roll(8) ? 0 : LO};
		const struct tuple reverse = tuple_reverse(&tuple);
		struct sock_info *socket;

		if (model_find(&t.model, &tuple) || model_find(&t.model, &reverse))
			continue;
		socket = model_add(&t.model, &tuple, TCPSTATE_CLOSE_WAIT);
		socket->age_ms = roll(200000);
		socket->rqueue = 1 + roll(2);
		socket->uid = 33 + roll(2);
		socket->inode = roll(4) ? socket->inode : 0;
		if (roll(2))
			continue;
		socket = model_add(&t.model, &reverse,
				   roll(4) ? TCPSTATE_FIN_WAIT_2 : TCPSTATE_FIN_WAIT_1);
		if (roll(4) == 0)
			socket->tuple.dst.port = htons(8080);
		else if (roll(4) == 0)
			socket->tuple.scope = 9;
		if (roll(10) == 0)
			t.missed = socket->cookie;
	}
}

static void roll_settings(void)
{
	t.settings.mode = roll(4) ? MODE_ENFORCE : MODE_AUDIT;
	t.settings.action = roll(8) ? ACTION_DESTROY : ACTION_LOG;
	t.settings.local = roll(2);
	t.settings.min_age_ms = roll(3) * 50000;
	t.settings.max_per_second = 1 + roll(2000);
	t.remembered_ms = roll(3) * 60000;
	t.policy.fallback = roll(3) ? ACTION_DESTROY : (enum action)roll(ACTION_COUNT);
	t.policy.min_age_ms = roll(2) * 30000;
	t.policy.n_rules = roll(2);
	t.rules[0] = (struct policy_rule){.name = "rule",
					  .has_uid = roll(2),
					  .uid = 33,
					  .has_max_unread = roll(2),
					  .action = (enum action)roll(ACTION_COUNT)};
}

/* In a calm world, all that are mines by the rules of the test are gone. */
static void check_nothing_is_left(void)
{
	if (t.settings.mode == MODE_AUDIT || t.settings.action == ACTION_LOG)
		return;
	for (size_t i = 0; i < t.model.n_slots; i++) {
		const struct sock_info *socket = &t.model.sockets[i];

		if (socket->state == TCPSTATE_CLOSE_WAIT && in_reach(socket) && !has_peer(socket) &&
		    socket->age_ms >= t.settings.min_age_ms && socket->age_ms >= t.remembered_ms)
			assert_int_not_equal(policy_says(socket), ACTION_DESTROY);
	}
}

static void chance_never_hits_the_living(void **state)
{
	const unsigned int rounds = unit_rounds(400);

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		bool calm = roll(3) == 0;

		t.trouble = calm ? 0 : 1 + roll(60);
		roll_settings();
		roll_world();
		watch();
		t.model.now_us += INTERVAL_US;
		sweep_once();
		if (calm)
			check_nothing_is_left();
		t.missed = 0;
		if (t.model.next_cookie > 190000)
			break;
	}
	if (rounds < 400)
		return; /* too few for everything to have happened */
	/* Else it would prove nothing. */
	for (unsigned int result = 0; result < RESULT_COUNT; result++) {
		if (result != RESULT_DROPPED && result != RESULT_REJECTED &&
		    result != RESULT_LIMITED && result != RESULT_GONE)
			assert_true(t.results[result] > 20);
	}
	assert_true(stats_get(&t.stats.count[SWEEP_STAT_SWEEPS]) > 150);
	assert_true(stats_get(&t.stats.count[SWEEP_STAT_FAILURES]) > 10);
}

static void phases_have_names(void **state)
{
	static const char *const words[] = {"off", "idle", "looking", "waiting", "defusing"};

	(void)state;
	for (unsigned int i = 0; i < SWEEP_PHASE_COUNT; i++)
		assert_string_equal(sweep_phase_name((enum sweep_phase)i), words[i]);
	assert_string_equal(sweep_phase_name((enum sweep_phase)SWEEP_PHASE_COUNT), "unknown");
}

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CROWD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_crowd, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(off_means_off),
		TEST(a_mine_is_defused),
		TEST(a_listener_is_no_peer),
		TEST(a_peer_in_any_state_saves_it),
		TEST(a_hidden_peer_saves_it),
		TEST(a_hidden_peer_that_one_walk_misses_saves_it),
		TEST(a_hidden_peer_saves_all_of_its_port),
		TEST(one_look_is_not_enough),
		TEST(what_was_there_at_the_first_look_counts),
		TEST(one_that_has_moved_on_is_left),
		TEST(a_claimant_is_left_to_the_worker),
		TEST(another_socket_on_the_tuple_is_not_meant),
		TEST(another_socket_before_the_destroy_is_not_meant),
		TEST(loopback_means_both_addresses),
		TEST(a_narrower_reach_holds_at_once),
		TEST(audit_and_log_touch_nothing_and_tell_once),
		TEST(a_change_of_mode_holds_for_a_sweep_in_hand),
		TEST(what_is_no_destroy_keeps_the_mine),
		TEST(rules_see_what_they_see_for_a_syn),
		TEST(units_are_asked_for_only_where_they_decide),
		TEST(the_young_are_left),
		TEST(what_connection_tracking_may_remember_is_left),
		TEST(a_failed_walk_ends_the_sweep),
		TEST(what_the_kernel_does_not_tell_is_left),
		TEST(a_refused_destroy_is_told),
		TEST(off_ends_a_sweep_in_hand),
		TEST(sweeps_come_at_their_interval),
		TEST(the_pace_is_kept),
		CROWD_TEST(every_socket_has_its_turn),
		CROWD_TEST(a_crowd_that_is_destroyed_has_its_turn),
		CROWD_TEST(those_behind_a_half_destroyed_crowd_come_first),
		CROWD_TEST(what_is_left_of_a_crowd_is_not_passed_over),
		TEST(chance_never_hits_the_living),
		TEST(phases_have_names),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
