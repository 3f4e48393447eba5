/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision table and everything that can go wrong on the way, against a model of the kernel. */
#include "config.h"

#include "mitigate.h"
#include "model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* Wants the four headers above it. */
#include <cmocka.h>

#define CLEAR_MARK  0x20000000u
#define OTHER_MARK  0x00012345u
#define SERVER_PORT 80
#define RECEIPT_US  999000u
#define REALTIME_NS 1234567890123456789u

/* How client and server talk to each other on loopback. */
enum family {
	FAMILY_V4,
	FAMILY_V6,
	FAMILY_V4_DUAL, /* IPv4 to a listener on "::" */
	FAMILIES
};

static struct {
	struct model model;
	struct stats stats;
	struct ratelimit destroys;
	struct mitigate *m;
	struct policy_rule rules[2];
	struct policy policy;
	struct mitigate_settings settings;
	struct mitigate_syn syns[QUEUE_BATCH_MAX];
	size_t n;
} t;

static const tcpstate_set close_wait = (tcpstate_set)1 << TCPSTATE_CLOSE_WAIT;

static void set_up(enum action action, enum mode mode)
{
	memset(&t, 0, sizeof(t));
	model_init(&t.model, 1);
	t.policy = (struct policy){.stale = close_wait, .fallback = action, .rules = t.rules};
	t.settings = (struct mitigate_settings){
		.policy = &t.policy,
		.mode = mode,
		.clear_mark = CLEAR_MARK,
	};
	assert_int_equal(mitigate_new(&model_ops, &t.model, &t.destroys, &t.stats, &t.m), 0);
}

static void tear_down(void)
{
	mitigate_free(t.m);
}

static struct in6_addr address(const char *text)
{
	struct in6_addr addr;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return addr_from_v4(v4.s_addr);
	assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

static struct tuple tuple_of(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	return (struct tuple){
		.src = {.addr = address(src), .port = htons(sport)},
		.dst = {.addr = address(dst), .port = htons(dport)},
	};
}

static struct tuple loopback_tuple(enum family family, uint16_t sport)
{
	const char *host = family == FAMILY_V6 ? "::1" : "127.0.0.1";

	return tuple_of(host, sport, host, SERVER_PORT);
}

static struct mitigate_syn *add_syn(const struct tuple *tuple)
{
	struct mitigate_syn *syn = &t.syns[t.n];

	*syn = (struct mitigate_syn){
		.id = 100 + (uint32_t)t.n,
		.mark = OTHER_MARK,
		.kind = PACKET_SYN,
		.loopback = true,
		.tuple = *tuple,
		.data = model_packet(&t.model, t.n, tuple),
	};
	t.n++;
	return syn;
}

/* The server's side of a SYN's tuple. */
static struct sock_info *add_occupant(const struct tuple *syn, enum tcpstate state)
{
	struct tuple occupant = tuple_reverse(syn);

	return model_add(&t.model, &occupant, state);
}

/* A proven collision, ready to be decided on. */
static struct sock_info *add_collision(const struct tuple *syn)
{
	struct sock_info *occupant = add_occupant(syn, TCPSTATE_CLOSE_WAIT);

	model_add(&t.model, syn, TCPSTATE_SYN_SENT);
	add_syn(syn);
	return occupant;
}

static void listen_for(enum family family, uint32_t queued, uint32_t backlog)
{
	static const char *const any[FAMILIES] = {"0.0.0.0", "::", "::"};
	const struct endpoint local = {address(any[family]), htons(SERVER_PORT)};

	model_listen(&t.model, &local, backlog)->rqueue = queued;
}

/* Hands the batch to mitigate and holds what came of it to the invariants. */
static void run(void)
{
	const char *wrong;

	mitigate_configure(t.m, &t.settings);
	model_begin(&t.model, &t.settings, t.syns, t.n);
	assert_int_equal(mitigate_batch(t.m, t.syns, t.n, RECEIPT_US, REALTIME_NS), 0);
	wrong = model_check_invariants(&t.model);
	if (wrong)
		fail_msg("%s", wrong);
}

static uint64_t count_of(enum stat stat)
{
	return stats_get(&t.stats.count[stat]);
}

static uint64_t sum(const _Atomic uint64_t *counters, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += stats_get(&counters[i]);
	return total;
}

static uint64_t collisions(void)
{
	return sum(&t.stats.collision[0][0][0], TCPSTATE_COUNT * ACTION_COUNT * RESULT_COUNT);
}

static void expect_plain_accept(size_t i)
{
	assert_int_equal(t.model.verdicts[i].id, t.syns[i].id);
	assert_false(t.model.verdicts[i].drop);
	assert_false(t.model.verdicts[i].set_mark);
	assert_null(t.model.verdicts[i].answer);
}

/* Exactly one packet was found to be this, and nothing else was counted. */
static void expect_finding(enum finding finding)
{
	assert_int_equal(stats_get(&t.stats.finding[finding]), 1);
	assert_int_equal(sum(t.stats.finding, FINDING_COUNT), 1);
	assert_int_equal(sum(t.stats.packet, STATS_PACKET_KINDS), 1);
	assert_int_equal(sum(t.stats.bucket, STATS_BUCKETS + 1), 1);
	assert_int_equal(collisions(), finding == FINDING_COLLISION);
	assert_int_equal(sum(t.stats.not_stale, TCPSTATE_COUNT), finding == FINDING_NOT_STALE);
	assert_int_equal(count_of(STAT_LOOKUP_ERRORS), finding == FINDING_LOOKUP_FAILED);
	assert_int_equal(t.model.n_incidents, incident_is_told(finding));
	if (t.model.n_incidents > 0)
		assert_int_equal(t.model.incidents[0].finding, finding);
}

/* Not a collision: passed on as it came, nothing touched. */
static void expect_untouched(enum finding finding)
{
	expect_finding(finding);
	expect_plain_accept(0);
	assert_int_equal(t.model.n_destroys, 0);
	assert_int_equal(count_of(STAT_DESTROYED), 0);
}

static void expect_collision(enum tcpstate state, enum proof proof)
{
	static const enum result results[ACTION_COUNT] = {
		[ACTION_LOG] = RESULT_LOGGED,
		[ACTION_DESTROY] = RESULT_DESTROYED,
		[ACTION_DROP] = RESULT_DROPPED,
		[ACTION_REJECT] = RESULT_REJECTED,
	};
	enum action action = t.policy.fallback;
	bool enforce = t.settings.mode == MODE_ENFORCE;
	enum result result = enforce ? results[action] : RESULT_AUDITED;
	const struct incident *incident = &t.model.incidents[0];
	const struct verdict *verdict = &t.model.verdicts[0];

	expect_finding(FINDING_COLLISION);
	assert_int_equal(stats_get(&t.stats.collision[state][action][result]), 1);
	assert_int_equal(verdict->drop, result == RESULT_DROPPED);
	assert_int_equal(verdict->answer != NULL, result == RESULT_REJECTED);
	assert_false(verdict->set_mark);
	assert_int_equal(t.model.n_destroys, result == RESULT_DESTROYED);
	assert_int_equal(count_of(STAT_DESTROYED), result == RESULT_DESTROYED);

	assert_int_equal(incident->time_ns, REALTIME_NS);
	assert_int_equal(incident->verdict_us, t.model.now_us - RECEIPT_US);
	assert_true(tuple_equal(&incident->syn, &t.syns[0].tuple));
	assert_int_equal(incident->error, 0);
	assert_true(incident->has_occupant);
	assert_int_equal(incident->occupant.state, state);
	assert_true(incident->occupant.has_age);
	assert_true(incident->has_claimant);
	assert_int_equal(incident->claimant_state, TCPSTATE_SYN_SENT);
	assert_int_equal(incident->mode, t.settings.mode);
	assert_int_equal(incident->proof, proof);
	assert_int_equal(incident->action, action);
	assert_int_equal(incident->result, result);
	assert_string_equal(incident->rule, "default");
}

/* --- the decision table ----------------------------------------------------------------------- */

/* One world with one SYN from port 40000 to port 80. */
struct row {
	const char *name;
	tcpstate_set stale; /* 0: close-wait */
	bool listener, full;
	bool tracks;			  /* connection tracking is at work */
	enum tcpstate occupant, claimant; /* 0: none */
	enum tcpstate elsewhere[2];	  /* on the SYN's source, to other destinations */
	enum finding finding;
	enum proof proof;
};

static const struct row rows[] = {
	{.name = "nobody", .finding = FINDING_NO_LISTENER},
	{.name = "listener", .listener = true, .finding = FINDING_LISTENER},
	{.name = "listener, everything is stale",
	 .stale = UINT32_MAX,
	 .listener = true,
	 .claimant = TCPSTATE_SYN_SENT,
	 .finding = FINDING_LISTENER},
	{.name = "accept queue full",
	 .listener = true,
	 .full = true,
	 .claimant = TCPSTATE_SYN_SENT,
	 .finding = FINDING_ACCEPT_QUEUE_FULL},
	{.name = "no claimant",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .finding = FINDING_UNPROVEN},
	{.name = "listener on the SYN's source",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .claimant = TCPSTATE_LISTEN,
	 .finding = FINDING_UNPROVEN},
	{.name = "a sender on the tuple, and what may be the peer of a rewritten connection",
	 .tracks = true,
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .claimant = TCPSTATE_SYN_SENT,
	 .elsewhere = {TCPSTATE_FIN_WAIT_2},
	 .finding = FINDING_UNPROVEN},
	{.name = "the same where nothing can have been rewritten",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .claimant = TCPSTATE_SYN_SENT,
	 .elsewhere = {TCPSTATE_FIN_WAIT_2},
	 .finding = FINDING_COLLISION,
	 .proof = PROOF_EXACT},
	{.name = "a sender on the tuple, and others that cannot be the peer",
	 .tracks = true,
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .claimant = TCPSTATE_SYN_SENT,
	 .elsewhere = {TCPSTATE_ESTABLISHED, TCPSTATE_TIME_WAIT},
	 .finding = FINDING_COLLISION,
	 .proof = PROOF_EXACT},
	{.name = "a sender on the tuple, and what may be the peer of a stale established one",
	 .stale = UINT32_MAX,
	 .tracks = true,
	 .listener = true,
	 .occupant = TCPSTATE_ESTABLISHED,
	 .claimant = TCPSTATE_SYN_SENT,
	 .elsewhere = {TCPSTATE_ESTABLISHED},
	 .finding = FINDING_UNPROVEN},
	{.name = "the only socket on the source is the sender",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .elsewhere = {TCPSTATE_SYN_SENT},
	 .finding = FINDING_COLLISION,
	 .proof = PROOF_SOURCE},
	{.name = "the only connection on the source, besides a listener",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .claimant = TCPSTATE_LISTEN,
	 .elsewhere = {TCPSTATE_SYN_SENT},
	 .finding = FINDING_COLLISION,
	 .proof = PROOF_SOURCE},
	{.name = "the only connection on the source, besides a socket that is only bound to it",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .elsewhere = {TCPSTATE_SYN_SENT, TCPSTATE_CLOSE},
	 .finding = FINDING_COLLISION,
	 .proof = PROOF_SOURCE},
	{.name = "the only socket on the source is no sender",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .elsewhere = {TCPSTATE_ESTABLISHED},
	 .finding = FINDING_UNPROVEN},
	{.name = "sender and possible peer",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .elsewhere = {TCPSTATE_SYN_SENT, TCPSTATE_ESTABLISHED},
	 .finding = FINDING_UNPROVEN},
	{.name = "two senders",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .elsewhere = {TCPSTATE_SYN_SENT, TCPSTATE_SYN_SENT},
	 .finding = FINDING_UNPROVEN},
	{.name = "exact claimant besides others",
	 .listener = true,
	 .occupant = TCPSTATE_CLOSE_WAIT,
	 .claimant = TCPSTATE_SYN_SENT,
	 .elsewhere = {TCPSTATE_ESTABLISHED, TCPSTATE_SYN_SENT},
	 .finding = FINDING_COLLISION,
	 .proof = PROOF_EXACT},
};

static void build(const struct row *row, enum family family)
{
	struct tuple syn = loopback_tuple(family, 40000);
	struct tuple other = syn;

	if (row->stale)
		t.policy.stale = row->stale;
	t.model.tracks = row->tracks;
	if (row->listener)
		listen_for(family, row->full ? 129 : 128, 128);
	if (row->occupant)
		add_occupant(&syn, row->occupant);
	if (row->claimant == TCPSTATE_LISTEN)
		model_listen(&t.model, &syn.src, 5);
	else if (row->claimant)
		model_add(&t.model, &syn, row->claimant);
	for (size_t i = 0; i < 2; i++) {
		other.dst.port = htons((uint16_t)(9000 + i));
		if (row->elsewhere[i])
			model_add(&t.model, &other, row->elsewhere[i]);
	}
	add_syn(&syn);
}

/* In every family, mode and for every action; the model's own reading of the table agrees. */
static void check_row(const struct row *row)
{
	print_message("%s\n", row->name);
	for (enum family family = 0; family < FAMILIES; family++) {
		for (int mode = 0; mode < MODE_COUNT; mode++) {
			for (int action = 0; action < ACTION_COUNT; action++) {
				set_up((enum action)action, (enum mode)mode);
				build(row, family);
				t.model.settings = t.settings;
				assert_int_equal(model_expect(&t.model, &t.syns[0]), row->finding);
				run();
				if (row->finding == FINDING_COLLISION)
					expect_collision(row->occupant, row->proof);
				else
					expect_untouched(row->finding);
				tear_down();
			}
		}
	}
}

static void decision_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void every_state_of_the_occupant(void **state)
{
	(void)state;
	for (enum tcpstate s = TCPSTATE_ESTABLISHED; s < TCPSTATE_COUNT; s++) {
		struct row row = {
			.name = tcpstate_name(s),
			.listener = true,
			.occupant = s,
			.claimant = TCPSTATE_SYN_SENT,
			.proof = PROOF_EXACT,
		};

		if (s == TCPSTATE_LISTEN || s == TCPSTATE_CLOSE)
			continue; /* not on a tuple */
		/* All states but this one are stale. */
		row.stale = ~tcpstate_bit(s);
		row.finding = FINDING_NOT_STALE;
		check_row(&row);
		assert_int_equal(stats_get(&t.stats.not_stale[s]), 1);
		/* All are; those that give way to a SYN never count. */
		row.stale = UINT32_MAX;
		row.finding = tcpstate_can_be_stale(s) ? FINDING_COLLISION : FINDING_NOT_STALE;
		check_row(&row);
	}
}

static void run_with_entry(enum action action, enum mode mode, enum track_kind entry, int error)
{
	const struct row row = {
		.listener = true,
		.tracks = true,
		.occupant = TCPSTATE_CLOSE_WAIT,
		.claimant = TCPSTATE_SYN_SENT,
	};

	set_up(action, mode);
	build(&row, FAMILY_V4);
	t.model.entry = entry;
	if (error)
		model_fail(&t.model, MODEL_DESTROY, 0, MODEL_ALWAYS, error);
	run();
	assert_false(t.model.verdicts[0].drop && action != ACTION_DROP);
}

/* What was destroyed has left an entry that no SYN can go on with. */
static void entries_of_connection_tracking(void **state)
{
	(void)state;
	for (enum track_kind entry = TRACK_NONE; entry <= TRACK_OLD; entry++) {
		run_with_entry(ACTION_DESTROY, MODE_ENFORCE, entry, 0);
		assert_int_equal(t.model.n_forgotten, entry != TRACK_NONE);
		assert_int_equal(t.model.verdicts[0].answer != NULL, entry != TRACK_NONE);
		assert_int_equal(t.model.incidents[0].result, RESULT_DESTROYED);
		tear_down();
	}
}

static void what_is_not_destroyed_keeps_its_entry(void **state)
{
	(void)state;
	for (int mode = 0; mode < MODE_COUNT; mode++) {
		for (int action = 0; action < ACTION_COUNT; action++) {
			if (mode == MODE_ENFORCE && action == ACTION_DESTROY)
				continue;
			for (enum track_kind entry = TRACK_OWN; entry <= TRACK_OLD; entry++) {
				run_with_entry((enum action)action, (enum mode)mode, entry, 0);
				assert_int_equal(t.model.n_forgotten, 0);
				expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
				tear_down();
			}
		}
	}
}

/* An occupant that is gone by itself has left one, too; with one that stays the SYN goes on. */
static void entries_after_a_failed_destroy(void **state)
{
	static const int errors[] = {-ENOENT, -EPERM, -ETIMEDOUT};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (enum track_kind entry = TRACK_NONE; entry <= TRACK_OLD; entry++) {
			bool ended = errors[i] == -ENOENT;

			run_with_entry(ACTION_DESTROY, MODE_ENFORCE, entry, errors[i]);
			assert_int_equal(t.model.n_forgotten,
					 entry == TRACK_OWN || (entry == TRACK_OLD && ended));
			assert_int_equal(t.model.verdicts[0].answer != NULL,
					 entry != TRACK_NONE && ended);
			tear_down();
		}
	}
}

/* On older kernels a destroy takes their end from those that nobody holds any more. */
static void what_its_process_has_closed(void **state)
{
	const tcpstate_set closed =
		tcpstate_bit(TCPSTATE_FIN_WAIT_1) | tcpstate_bit(TCPSTATE_FIN_WAIT_2) |
		tcpstate_bit(TCPSTATE_CLOSING) | tcpstate_bit(TCPSTATE_LAST_ACK);

	(void)state;
	for (enum tcpstate s = TCPSTATE_ESTABLISHED; s < TCPSTATE_COUNT; s++) {
		if (!tcpstate_can_be_stale(s))
			continue;
		for (unsigned int i = 0; i < 4; i++) {
			bool held = i & 1, spoils = i & 2;
			bool left = spoils && !held && tcpstate_in(s, closed);
			const struct row row = {
				.listener = true,
				.occupant = s,
				.claimant = TCPSTATE_SYN_SENT,
				.stale = UINT32_MAX,
			};

			set_up(ACTION_DESTROY, MODE_ENFORCE);
			build(&row, FAMILY_V4);
			t.model.spoils_closed = spoils;
			for (size_t k = 0; k < t.model.n_slots; k++) {
				if (t.model.sockets[k].state == s)
					t.model.sockets[k].inode = held ? 4711 : 0;
			}
			run();
			assert_int_equal(t.model.n_destroys, !left);
			assert_int_equal(t.model.incidents[0].result,
					 left ? RESULT_FAILED : RESULT_DESTROYED);
			assert_int_equal(t.model.incidents[0].error, left ? -EOPNOTSUPP : 0);
			expect_plain_accept(0);
			tear_down();
		}
	}
}

static void every_state_of_the_claimant(void **state)
{
	(void)state;
	for (enum tcpstate s = TCPSTATE_ESTABLISHED; s < TCPSTATE_COUNT; s++) {
		const struct row row = {
			.name = tcpstate_name(s),
			.listener = true,
			.occupant = TCPSTATE_CLOSE_WAIT,
			.claimant = s,
			/* Must not make up for it. */
			.elsewhere = {TCPSTATE_SYN_SENT},
			.finding =
				s == TCPSTATE_SYN_SENT ? FINDING_COLLISION : FINDING_DUPLICATE_SYN,
			.proof = PROOF_EXACT,
		};

		if (s != TCPSTATE_LISTEN && s != TCPSTATE_CLOSE)
			check_row(&row);
	}
}

static void an_unproven_collision_is_told_with_what_is_known(void **state)
{
	struct tuple syn = loopback_tuple(FAMILY_V4, 40000);
	struct tuple other = syn;

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	add_occupant(&syn, TCPSTATE_CLOSE_WAIT);
	other.dst.port = htons(9000);
	model_add(&t.model, &other, TCPSTATE_FIN_WAIT_1);
	add_syn(&syn);
	run();
	expect_untouched(FINDING_UNPROVEN);
	assert_true(t.model.incidents[0].has_occupant);
	assert_true(t.model.incidents[0].has_claimant);
	assert_int_equal(t.model.incidents[0].claimant_state, TCPSTATE_FIN_WAIT_1);
	tear_down();
}

/* --- what is not judged, and who is foreign ---------------------------------------------------- */

static void other_packets_pass_unseen(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	for (int kind = 0; kind < PACKET_KIND_COUNT; kind++) {
		set_up(ACTION_DROP, MODE_ENFORCE);
		add_collision(&tuple);
		t.syns[0].kind = (enum packet_kind)kind;
		run();
		assert_int_equal(stats_get(&t.stats.packet[kind]), 1);
		if (packet_is_syn((enum packet_kind)kind)) {
			expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
		} else {
			expect_untouched(FINDING_NOT_JUDGED);
			assert_int_equal(t.model.calls[MODEL_LOOKUP], 0);
		}
		tear_down();
	}
}

static void other_interfaces_pass_unseen(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	add_collision(&tuple);
	t.syns[0].loopback = false;
	run();
	expect_untouched(FINDING_NOT_JUDGED);
	assert_int_equal(t.model.calls[MODEL_LOOKUP], 0);
	assert_int_equal(count_of(STAT_NOT_LOOPBACK), 1);
	tear_down();
}

/* A transparent proxy's claimant owns the address of a host that may be the occupant's peer. */
static void foreign_source_is_never_touched(void **state)
{
	static const char *const hosts[][2] = {{"192.0.2.7", "192.0.2.1"},
					       {"2001:db8::7", "2001:db8::1"}};

	(void)state;
	for (int own = 0; own <= 1; own++) {
		for (int family = 0; family < 2; family++) {
			for (int action = 0; action < ACTION_COUNT; action++) {
				struct tuple tuple = tuple_of(hosts[family][0], 40000,
							      hosts[family][1], SERVER_PORT);

				set_up((enum action)action, MODE_ENFORCE);
				model_own_address(&t.model, &tuple.dst.addr, 2);
				if (own)
					model_own_address(&t.model, &tuple.src.addr, 2);
				add_collision(&tuple);
				run();
				assert_int_equal(t.model.calls[MODEL_IS_LOCAL], 1);
				if (own)
					expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
				else
					expect_untouched(FINDING_FOREIGN_SOURCE);
				tear_down();
			}
		}
	}
}

static void loopback_sources_are_not_asked_about(void **state)
{
	struct tuple tuple = tuple_of("127.9.8.7", 40000, "127.0.0.1", SERVER_PORT);

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	add_collision(&tuple);
	run();
	expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
	assert_int_equal(t.model.calls[MODEL_IS_LOCAL], 0);
	assert_int_equal(t.model.calls[MODEL_INTERFACE], 0);
	tear_down();
}

/* Sockets with a link-local address are bound to an interface; every look-up must name it. */
static void check_scope(const char *src, const char *dst, const char *owned)
{
	struct tuple tuple = tuple_of(src, 40000, dst, SERVER_PORT);
	const struct in6_addr addr = address(owned);
	struct tuple bound = tuple;

	set_up(ACTION_DESTROY, MODE_ENFORCE);
	listen_for(FAMILY_V6, 0, 128);
	bound.scope = 7;
	add_occupant(&bound, TCPSTATE_CLOSE_WAIT);
	model_add(&t.model, &bound, TCPSTATE_SYN_SENT);
	model_own_address(&t.model, &addr, 7);
	model_own_address(&t.model, &tuple.src.addr, 8);
	model_own_address(&t.model, &tuple.dst.addr, 9);
	add_syn(&tuple);
	run();
	assert_int_equal(t.model.calls[MODEL_INTERFACE], 1);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_COLLISION]), 1);
	assert_int_equal(t.model.n_destroys, 1);
	assert_int_equal(t.model.destroys[0].error, 0);
	assert_int_equal(t.model.destroys[0].request.socket.scope, 7);
	assert_int_equal(t.model.incidents[0].syn.scope, 7);
	tear_down();
}

static void link_local_addresses_have_a_scope(void **state)
{
	(void)state;
	check_scope("fe80::1", "fe80::1", "fe80::1");
	check_scope("2001:db8::1", "fe80::1", "fe80::1");
	check_scope("fe80::1", "2001:db8::1", "fe80::1");
	check_scope("fe80::2", "fe80::1", "fe80::1");
}

static void an_unknown_scope_finds_nobody(void **state)
{
	struct tuple tuple = tuple_of("fe80::1", 40000, "fe80::1", SERVER_PORT);
	struct tuple bound = tuple;

	(void)state;
	set_up(ACTION_DROP, MODE_ENFORCE);
	bound.scope = 7;
	add_occupant(&bound, TCPSTATE_CLOSE_WAIT);
	model_own_address(&t.model, &tuple.dst.addr, 7);
	model_fail(&t.model, MODEL_INTERFACE, 0, 0, -ETIMEDOUT);
	add_syn(&tuple);
	run();
	expect_untouched(FINDING_NO_LISTENER);
	tear_down();
}

/* --- failures ---------------------------------------------------------------------------------- */

static const int some_errors[] = {-ETIMEDOUT, -EBADMSG, -ENOBUFS, -EPERM,
				  -EINTR,     -EAGAIN,	-ENOMEM,  -EOPNOTSUPP};
#define SOME_ERRORS (sizeof(some_errors) / sizeof(some_errors[0]))

/* A single collision in which one call fails for every reason and every action. */
static void check_failure(enum model_call call, size_t nth, size_t index, bool redirected)
{
	for (size_t e = 0; e < SOME_ERRORS; e++) {
		for (int action = 0; action < ACTION_COUNT; action++) {
			struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

			set_up((enum action)action, MODE_ENFORCE);
			add_collision(&tuple);
			if (redirected)
				model_find(&t.model, &tuple)->tuple.dst.port = htons(9000);
			model_fail(&t.model, call, nth, index, some_errors[e]);
			run();
			expect_untouched(FINDING_LOOKUP_FAILED);
			assert_int_equal(t.model.incidents[0].error, some_errors[e]);
			tear_down();
		}
	}
}

static void failed_lookups_let_the_syn_pass(void **state)
{
	(void)state;
	check_failure(MODEL_LOOKUP, 0, 0, false); /* the occupant */
	check_failure(MODEL_LOOKUP, 1, 0, false); /* the second look at it */
	check_failure(MODEL_LOOKUP, 1, 1, false); /* the claimant */
	check_failure(MODEL_LOOKUP, 1, MODEL_ALWAYS, false);
	check_failure(MODEL_SOCKETS_ON, 0, 0, true);
}

static void failed_destroys_let_the_syn_pass(void **state)
{
	(void)state;
	for (size_t e = 0; e < SOME_ERRORS; e++) {
		struct tuple tuple = loopback_tuple(FAMILY_V6, 40000);

		set_up(ACTION_DESTROY, MODE_ENFORCE);
		add_collision(&tuple);
		model_fail(&t.model, MODEL_DESTROY, 0, 0, some_errors[e]);
		run();
		expect_finding(FINDING_COLLISION);
		expect_plain_accept(0);
		assert_int_equal(count_of(STAT_DESTROYED), 0);
		assert_int_equal(t.model.incidents[0].result, RESULT_FAILED);
		assert_int_equal(t.model.incidents[0].error, some_errors[e]);
		tear_down();
	}
}

static void a_unit_in_doubt_lets_the_syn_pass(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	for (int told = 0; told <= 1; told++) {
		set_up(ACTION_DESTROY, MODE_ENFORCE);
		t.policy.n_rules = 1;
		t.rules[0] = (struct policy_rule){.name = "one", .action = ACTION_DROP};
		strcpy(t.rules[0].unit, "one.service");
		add_collision(&tuple)->cgroup_id = 1;
		if (!told)
			model_fail(&t.model, MODEL_UNIT, 0, 0, -EAGAIN);
		run();
		assert_int_equal(t.model.calls[MODEL_UNIT], 1);
		assert_int_equal(t.model.incidents[0].result,
				 told ? RESULT_DROPPED : RESULT_LOGGED);
		assert_string_equal(t.model.incidents[0].rule, told ? "one" : "unit-unknown");
		tear_down();
	}
}

/* What is told is what has happened: the caller counts, and the event carries the error. */
static void failing_verdicts_are_told(void **state)
{
	static const struct {
		enum action action;
		enum result result;
	} cases[] = {
		{ACTION_LOG, RESULT_LOGGED},
		{ACTION_DESTROY, RESULT_DESTROYED},
		{ACTION_DROP, RESULT_FAILED},
		{ACTION_REJECT, RESULT_FAILED},
	};
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_up(cases[i].action, MODE_ENFORCE);
		add_collision(&tuple);
		model_fail(&t.model, MODEL_VERDICTS, 0, 0, -ENOBUFS);
		mitigate_configure(t.m, &t.settings);
		model_begin(&t.model, &t.settings, t.syns, t.n);
		assert_int_equal(mitigate_batch(t.m, t.syns, t.n, RECEIPT_US, REALTIME_NS),
				 -ENOBUFS);
		assert_null(model_check_invariants(&t.model));
		assert_int_equal(t.model.n_incidents, 1);
		assert_int_equal(t.model.incidents[0].result, cases[i].result);
		assert_int_equal(t.model.incidents[0].error, -ENOBUFS);
		tear_down();
	}
}

/* --- a world that does not stand still ---------------------------------------------------------- */

static struct sock_info *victim; /* of the change */

static void occupant_vanishes(struct model *model, enum model_call call, size_t nth)
{
	(void)model;
	if (call == MODEL_LOOKUP && nth == 1)
		model_remove(victim);
}

static void occupant_vanishes_late(struct model *model, enum model_call call, size_t nth)
{
	(void)model;
	if (call == MODEL_DESTROY && nth == 0)
		model_remove(victim);
}

static void occupant_is_replaced(struct model *model, enum model_call call, size_t nth)
{
	if (call == MODEL_LOOKUP && nth == 1)
		victim->cookie = model->next_cookie++;
}

static void occupant_is_replaced_late(struct model *model, enum model_call call, size_t nth)
{
	if (call == MODEL_DESTROY && nth == 0)
		victim->cookie = model->next_cookie++;
}

static void occupant_moves_on(struct model *model, enum model_call call, size_t nth)
{
	(void)model;
	if (call == MODEL_LOOKUP && nth == 1)
		victim->state = TCPSTATE_LAST_ACK;
}

static void claimant_is_established(struct model *model, enum model_call call, size_t nth)
{
	if (call == MODEL_LOOKUP && nth == 1)
		model_find(model, &model->syns[0].tuple)->state = TCPSTATE_ESTABLISHED;
}

static void claimant_gives_up(struct model *model, enum model_call call, size_t nth)
{
	if (call == MODEL_LOOKUP && nth == 1)
		model_remove(model_find(model, &model->syns[0].tuple));
}

static void run_changing(enum action action,
			 void (*change)(struct model *, enum model_call, size_t))
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	set_up(action, MODE_ENFORCE);
	listen_for(FAMILY_V4, 0, 128);
	victim = add_collision(&tuple);
	t.model.before = change;
	run();
	/* Whatever happens to the occupant: the listener is there to take the SYN. */
	model_begin(&t.model, &t.settings, NULL, 0);
	struct tuple reverse = tuple_reverse(&tuple);
	struct sock_info *left = model_find(&t.model, &reverse);

	if (left)
		model_remove(left);
	t.model.settings = t.settings;
	assert_int_equal(model_expect(&t.model, &t.syns[0]), FINDING_LISTENER);
}

static void world_changes_before_the_second_look(void **state)
{
	static const struct {
		void (*change)(struct model *, enum model_call, size_t);
		enum finding finding;
		enum tcpstate not_stale;
	} cases[] = {
		{occupant_vanishes, FINDING_NOT_STALE, TCPSTATE_CLOSE},
		{occupant_is_replaced, FINDING_NOT_STALE, TCPSTATE_CLOSE},
		{occupant_moves_on, FINDING_NOT_STALE, TCPSTATE_LAST_ACK},
		{claimant_is_established, FINDING_DUPLICATE_SYN, 0},
		{claimant_gives_up, FINDING_UNPROVEN, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int action = 0; action < ACTION_COUNT; action++) {
			run_changing((enum action)action, cases[i].change);
			assert_int_equal(stats_get(&t.stats.finding[cases[i].finding]), 1);
			assert_int_equal(collisions(), 0);
			assert_int_equal(count_of(STAT_DESTROYED), 0);
			if (cases[i].not_stale)
				assert_int_equal(stats_get(&t.stats.not_stale[cases[i].not_stale]),
						 1);
			tear_down();
		}
	}
}

static void world_changes_before_the_destroy(void **state)
{
	(void)state;
	for (int replaced = 0; replaced <= 1; replaced++) {
		run_changing(ACTION_DESTROY,
			     replaced ? occupant_is_replaced_late : occupant_vanishes_late);
		assert_int_equal(stats_get(&t.stats.collision[TCPSTATE_CLOSE_WAIT][ACTION_DESTROY]
							     [RESULT_GONE]),
				 1);
		assert_int_equal(count_of(STAT_DESTROYED), 0);
		tear_down();
	}
}

/* --- the policy gets to see the occupant ---------------------------------------------------------- */

static void the_details_are_those_of_the_second_look(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);
	struct sock_info *occupant;

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	t.policy.min_age_ms = 5000;
	t.policy.n_rules = 1;
	t.rules[0] = (struct policy_rule){
		.name = "rule",
		.has_uid = true,
		.uid = 1000,
		.has_max_unread = true,
		.max_unread = 10,
		.action = ACTION_REJECT,
	};
	occupant = add_collision(&tuple);
	occupant->uid = 1000;
	occupant->rqueue = 11; /* 10 bytes and the FIN */
	occupant->age_ms = 5000;
	run();
	assert_int_equal(t.model.incidents[0].action, ACTION_REJECT);
	assert_int_equal(t.model.incidents[0].result, RESULT_REJECTED);
	assert_string_equal(t.model.incidents[0].rule, "rule");
	assert_int_equal(t.model.incidents[0].occupant.age_ms, 5000);

	occupant->rqueue = 12;
	run();
	assert_string_equal(t.model.incidents[0].rule, "default");
	assert_int_equal(t.model.incidents[0].result, RESULT_DESTROYED);
	tear_down();

	set_up(ACTION_DESTROY, MODE_ENFORCE);
	t.policy.min_age_ms = 5000;
	add_collision(&tuple)->age_ms = 4999;
	run();
	assert_int_equal(t.model.incidents[0].result, RESULT_LOGGED);
	assert_string_equal(t.model.incidents[0].rule, "min-age");
	expect_plain_accept(0);
	tear_down();
}

/* It may cost a walk over all control groups, while SYNs are held. */
static void units_are_asked_for_only_where_they_decide(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);
	struct policy_ports other = {81, 81};
	struct sock_info *occupant;

	(void)state;
	set_up(ACTION_REJECT, MODE_ENFORCE);
	t.policy.n_rules = 1;
	t.rules[0] = (struct policy_rule){.name = "rule", .action = ACTION_LOG};
	occupant = add_collision(&tuple);
	occupant->cgroup_id = 2;
	run();
	assert_int_equal(t.model.calls[MODEL_UNIT], 0);
	assert_string_equal(t.model.incidents[0].rule, "rule");

	/* Something else keeps each rule with a unit from holding. */
	t.policy.n_rules = 2;
	t.rules[0] = (struct policy_rule){.name = "port", .ports = &other, .n_ports = 1};
	t.rules[1] = (struct policy_rule){.name = "user", .has_uid = true};
	t.rules[1].uid = occupant->uid + 1;
	strcpy(t.rules[0].unit, "two.service");
	strcpy(t.rules[1].unit, "two.service");
	run();
	assert_int_equal(t.model.calls[MODEL_UNIT], 0);
	assert_int_equal(t.model.incidents[0].result, RESULT_REJECTED);
	assert_string_equal(t.model.incidents[0].rule, "default");

	/* Or one that asks for none comes first. */
	t.rules[0] = (struct policy_rule){.name = "first", .action = ACTION_DROP};
	t.rules[1].has_uid = false;
	run();
	assert_int_equal(t.model.calls[MODEL_UNIT], 0);
	assert_string_equal(t.model.incidents[0].rule, "first");

	t.rules[0].has_max_unread = true;
	occupant->rqueue = 2;
	run();
	assert_int_equal(t.model.calls[MODEL_UNIT], 1);
	assert_string_equal(t.model.incidents[0].rule, "user");
	tear_down();
}

static void a_long_rule_name_is_told_whole(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	set_up(ACTION_LOG, MODE_ENFORCE);
	t.policy.n_rules = 1;
	memset(t.rules[0].name, 'x', POLICY_NAME_SIZE - 1);
	add_collision(&tuple);
	run();
	assert_string_equal(t.model.incidents[0].rule, t.rules[0].name);
	tear_down();
}

/* --- marks ----------------------------------------------------------------------------------------- */

static void marks_change_in_our_bits_only(void **state)
{
	static const struct {
		uint32_t before, clear, want;
	} cases[] = {
		{0, 0, 0},
		{OTHER_MARK, 0, OTHER_MARK},
		{OTHER_MARK, CLEAR_MARK, OTHER_MARK},
		{OTHER_MARK | CLEAR_MARK, CLEAR_MARK, OTHER_MARK},
		{CLEAR_MARK, CLEAR_MARK, 0},
		{UINT32_MAX, 0x30, ~0x30u},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);
		const struct verdict *verdict = &t.model.verdicts[0];

		set_up(ACTION_LOG, MODE_ENFORCE);
		t.settings.clear_mark = cases[i].clear;
		add_collision(&tuple);
		t.syns[0].mark = cases[i].before;
		run();
		assert_int_equal(verdict->set_mark, cases[i].want != cases[i].before);
		if (verdict->set_mark)
			assert_int_equal(verdict->mark, cases[i].want);
		assert_false(verdict->drop);
		tear_down();
	}
}

/* In audit mode too, and on packets that nobody looks at: the mark was the filter's. */
static void the_filters_mark_is_cleared_everywhere(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	set_up(ACTION_REJECT, MODE_AUDIT);
	add_collision(&tuple);
	add_syn(&tuple)->kind = PACKET_NOT_SYN;
	add_syn(&tuple)->loopback = false;
	for (size_t i = 0; i < t.n; i++)
		t.syns[i].mark = OTHER_MARK | CLEAR_MARK;
	run();
	for (size_t i = 0; i < t.n; i++) {
		assert_true(t.model.verdicts[i].set_mark);
		assert_int_equal(t.model.verdicts[i].mark, OTHER_MARK);
	}
	tear_down();
}

/* --- batches ---------------------------------------------------------------------------------------- */

static void an_empty_batch_asks_nothing(void **state)
{
	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	run();
	assert_int_equal(t.model.calls[MODEL_LOOKUP], 0);
	assert_int_equal(sum(t.stats.finding, FINDING_COUNT), 0);
	tear_down();
}

/* Eight kinds of SYN, eight times each; each gets what is its own. */
static void full_batches_keep_every_syn_apart(void **state)
{
	enum { KINDS = 8, EACH = QUEUE_BATCH_MAX / KINDS };

	(void)state;
	set_up(ACTION_DROP, MODE_ENFORCE);
	t.policy.n_rules = 2;
	t.rules[0] = (struct policy_rule){
		.name = "destroy", .has_uid = true, .uid = 1, .action = ACTION_DESTROY};
	t.rules[1] = (struct policy_rule){
		.name = "reject", .has_uid = true, .uid = 2, .action = ACTION_REJECT};
	listen_for(FAMILY_V4, 0, 128);
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		struct tuple tuple = loopback_tuple(FAMILY_V4, (uint16_t)(40000 + i));

		switch (i % KINDS) {
		case 0: /* the listener's */
			add_syn(&tuple);
			break;
		case 1:
			add_syn(&tuple)->kind = PACKET_NOT_SYN;
			break;
		case 2:
			add_collision(&tuple)->uid = 1;
			break;
		case 3:
			add_collision(&tuple)->uid = 2;
			break;
		case 4:
			add_collision(&tuple)->uid = 3;
			break;
		case 5: /* unproven */
			add_occupant(&tuple, TCPSTATE_CLOSE_WAIT);
			add_syn(&tuple);
			break;
		case 6:
			add_collision(&tuple)->state = TCPSTATE_ESTABLISHED;
			break;
		case 7:
			add_collision(&tuple);
			model_find(&t.model, &tuple)->state = TCPSTATE_ESTABLISHED;
			break;
		}
	}
	run();
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		assert_int_equal(t.model.verdicts[i].drop, i % KINDS == 4);
		assert_int_equal(t.model.verdicts[i].answer != NULL, i % KINDS == 3);
	}
	for (size_t i = 0; i < t.model.n_destroys; i++)
		assert_int_equal(ntohs(t.model.destroys[i].request.socket.dst.port) % KINDS,
				 (40000 + 2) % KINDS);
	assert_int_equal(t.model.n_destroys, EACH);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_LISTENER]), EACH);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_NOT_JUDGED]), EACH);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_COLLISION]), 3 * EACH);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_UNPROVEN]), EACH);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_NOT_STALE]), EACH);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_DUPLICATE_SYN]), EACH);
	assert_int_equal(stats_get(&t.stats.packet[PACKET_SYN]), QUEUE_BATCH_MAX - EACH);
	assert_int_equal(stats_get(&t.stats.packet[PACKET_NOT_SYN]), EACH);
	assert_int_equal(count_of(STAT_DESTROYED), EACH);
	/* One question per stage, however many SYNs. */
	assert_int_equal(t.model.calls[MODEL_LOOKUP], 2);
	assert_int_equal(t.model.calls[MODEL_DESTROY], 1);
	assert_int_equal(t.model.calls[MODEL_SOCKETS_ON], EACH);
	assert_int_equal(t.model.n_incidents, 4 * EACH);
	tear_down();
}

static void a_failure_stays_with_its_syn(void **state)
{
	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		struct tuple tuple = loopback_tuple(FAMILY_V6, (uint16_t)(40000 + i));

		add_collision(&tuple);
	}
	model_fail(&t.model, MODEL_LOOKUP, 0, 10, -EBADMSG);
	/* The second round lacks SYN 10: SYN 21 is its twentieth, the pair 40 and 41. */
	model_fail(&t.model, MODEL_LOOKUP, 1, 40, -EBADMSG);
	model_fail(&t.model, MODEL_LOOKUP, 1, 43, -ETIMEDOUT);
	/* And the destroys lack 10, 21 and 22. */
	model_fail(&t.model, MODEL_DESTROY, 0, 30, -EPERM);
	run();
	assert_int_equal(stats_get(&t.stats.finding[FINDING_LOOKUP_FAILED]), 3);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_COLLISION]), QUEUE_BATCH_MAX - 3);
	assert_int_equal(count_of(STAT_DESTROYED), QUEUE_BATCH_MAX - 4);
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		const struct incident *incident = &t.model.incidents[i];
		bool failed = i == 10 || i == 21 || i == 22;

		assert_int_equal(ntohs(incident->syn.src.port), 40000 + i);
		assert_int_equal(incident->finding,
				 failed ? FINDING_LOOKUP_FAILED : FINDING_COLLISION);
		if (i == 33)
			assert_int_equal(incident->result, RESULT_FAILED);
		else if (!failed)
			assert_int_equal(incident->result, RESULT_DESTROYED);
	}
	tear_down();
}

/* The SYN was sent again while the first was held: one destroy does it, the other finds it done. */
static void syns_of_one_tuple_in_one_batch(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);
	uint64_t destroyed, gone;

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	listen_for(FAMILY_V4, 0, 128);
	add_collision(&tuple);
	add_syn(&tuple);
	add_syn(&tuple);
	run();
	destroyed = stats_get(
		&t.stats.collision[TCPSTATE_CLOSE_WAIT][ACTION_DESTROY][RESULT_DESTROYED]);
	gone = stats_get(&t.stats.collision[TCPSTATE_CLOSE_WAIT][ACTION_DESTROY][RESULT_GONE]);
	assert_int_equal(destroyed, 1);
	assert_int_equal(gone, 2);
	for (size_t i = 0; i < t.n; i++)
		expect_plain_accept(i);
	tear_down();
}

/* The same where they share an entry of connection tracking: none of them can go on with it. */
static void syns_of_one_entry_in_one_batch(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	for (enum track_kind entry = TRACK_OWN; entry <= TRACK_OLD; entry++) {
		set_up(ACTION_DESTROY, MODE_ENFORCE);
		t.model.tracks = true;
		t.model.entry = entry;
		listen_for(FAMILY_V4, 0, 128);
		add_collision(&tuple);
		add_syn(&tuple);
		run();
		for (size_t i = 0; i < t.n; i++)
			assert_non_null(t.model.verdicts[i].answer);
		tear_down();
	}
}

/* Nothing of one batch is left in the next. */
static void batches_do_not_remember(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	set_up(ACTION_DROP, MODE_ENFORCE);
	listen_for(FAMILY_V4, 0, 128);
	model_remove(add_collision(&tuple));
	run();
	expect_untouched(FINDING_LISTENER);
	memset(&t.stats, 0, sizeof(t.stats));
	add_occupant(&tuple, TCPSTATE_CLOSE_WAIT);
	run();
	expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
	memset(&t.stats, 0, sizeof(t.stats));
	model_fail(&t.model, MODEL_LOOKUP, 0, 0, -ETIMEDOUT);
	run();
	expect_untouched(FINDING_LOOKUP_FAILED);
	assert_false(t.model.incidents[0].has_occupant);
	assert_int_equal(t.model.incidents[0].rule[0], '\0');
	tear_down();
}

static void the_mode_and_the_policy_change_between_batches(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	set_up(ACTION_DROP, MODE_AUDIT);
	add_collision(&tuple);
	run();
	expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
	memset(&t.stats, 0, sizeof(t.stats));
	t.settings.mode = MODE_ENFORCE;
	run();
	expect_collision(TCPSTATE_CLOSE_WAIT, PROOF_EXACT);
	memset(&t.stats, 0, sizeof(t.stats));
	t.policy.stale = tcpstate_bit(TCPSTATE_LAST_ACK);
	run();
	expect_untouched(FINDING_NOT_STALE);
	tear_down();
}

/* --- the limit of destroys ------------------------------------------------------------------------ */

static uint64_t destroys_with(enum result result)
{
	return stats_get(&t.stats.collision[TCPSTATE_CLOSE_WAIT][ACTION_DESTROY][result]);
}

static void fill_with_collisions(size_t n)
{
	t.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct tuple tuple = loopback_tuple(FAMILY_V4, (uint16_t)(40000 + i));
		struct tuple reverse = tuple_reverse(&tuple);
		struct sock_info *old = model_find(&t.model, &reverse);

		if (old)
			model_remove(old);
		if (model_find(&t.model, &tuple))
			model_remove(model_find(&t.model, &tuple));
		add_collision(&tuple);
	}
}

static void destroys_are_limited(void **state)
{
	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	ratelimit_set(&t.destroys, 10);
	fill_with_collisions(16);
	run();
	assert_int_equal(destroys_with(RESULT_DESTROYED), 10);
	assert_int_equal(destroys_with(RESULT_LIMITED), 6);
	assert_int_equal(t.model.n_destroys, 10);
	assert_int_equal(t.model.n_incidents, 16);
	for (size_t i = 0; i < t.n; i++)
		expect_plain_accept(i);

	/* None is left: the kernel is not even asked. */
	run();
	assert_int_equal(t.model.calls[MODEL_DESTROY], 0);
	assert_int_equal(destroys_with(RESULT_LIMITED), 6 + 6);

	/* 300 ms later three more. */
	t.model.now_us += 300000;
	fill_with_collisions(16);
	run();
	assert_int_equal(destroys_with(RESULT_DESTROYED), 10 + 3);
	assert_int_equal(destroys_with(RESULT_LIMITED), 6 + 6 + 13);
	tear_down();
}

/* The limit is on destroys: audit mode and other actions take nothing from it. */
static void only_destroys_count_towards_the_limit(void **state)
{
	(void)state;
	set_up(ACTION_DESTROY, MODE_AUDIT);
	ratelimit_set(&t.destroys, 4);
	fill_with_collisions(8);
	run();
	assert_int_equal(destroys_with(RESULT_AUDITED), 8);
	t.settings.mode = MODE_ENFORCE;
	t.policy.fallback = ACTION_DROP;
	run();
	t.policy.fallback = ACTION_DESTROY;
	run();
	assert_int_equal(destroys_with(RESULT_DESTROYED), 4);
	assert_int_equal(destroys_with(RESULT_LIMITED), 4);
	tear_down();
}

/* --- time -------------------------------------------------------------------------------------------- */

static void the_time_runs_from_receipt_to_verdict(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	t.model.now_us = RECEIPT_US;
	t.model.latency_us[MODEL_LOOKUP] = 200;
	t.model.latency_us[MODEL_DESTROY] = 30;
	t.model.latency_us[MODEL_VERDICTS] = 4;
	t.model.latency_us[MODEL_REPORT] = 1000;
	add_collision(&tuple);
	add_syn(&tuple)->kind = PACKET_NOT_TCP;
	run();
	assert_int_equal(t.model.incidents[0].verdict_us, 434);
	assert_int_equal(stats_get(&t.stats.time_us), 2 * 434);
	assert_int_equal(sum(t.stats.bucket, STATS_BUCKETS + 1), 2);
	for (size_t i = 0; i < STATS_BUCKETS; i++)
		assert_int_equal(stats_get(&t.stats.bucket[i]), stats_bucket_us[i] == 500 ? 2 : 0);
	tear_down();
}

/* Each search for a rewritten SYN's sender takes the kernel long, and the whole batch is held. */
static void searches_elsewhere_share_one_budget(void **state)
{
	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	t.model.latency_us[MODEL_SOCKETS_ON] = 90000;
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		struct tuple tuple = loopback_tuple(FAMILY_V4, (uint16_t)(40000 + i));

		add_occupant(&tuple, TCPSTATE_CLOSE_WAIT);
		add_syn(&tuple);
	}
	run();
	assert_int_equal(t.model.calls[MODEL_SOCKETS_ON], 3);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_UNPROVEN]), 3);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_LOOKUP_FAILED]), QUEUE_BATCH_MAX - 3);
	assert_int_equal(t.model.incidents[3].error, -ETIMEDOUT);

	/* The next batch has its own. */
	run();
	assert_int_equal(t.model.calls[MODEL_SOCKETS_ON], 3);
	tear_down();
}

/* Each unit may take a walk over the control groups. */
static void searches_for_units_share_one_budget(void **state)
{
	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	t.policy.n_rules = 1;
	t.rules[0] = (struct policy_rule){.name = "one", .action = ACTION_DROP};
	strcpy(t.rules[0].unit, "one.service");
	t.model.latency_us[MODEL_UNIT] = 90000;
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		struct tuple tuple = loopback_tuple(FAMILY_V4, (uint16_t)(40000 + i));

		add_collision(&tuple)->cgroup_id = 1;
	}
	run();
	assert_int_equal(t.model.calls[MODEL_UNIT], 3);
	assert_int_equal(t.model.incidents[2].result, RESULT_DROPPED);
	for (size_t i = 3; i < QUEUE_BATCH_MAX; i++) {
		assert_int_equal(t.model.incidents[i].result, RESULT_LOGGED);
		assert_string_equal(t.model.incidents[i].rule, "unit-unknown");
	}

	/* The next batch has its own. */
	run();
	assert_int_equal(t.model.calls[MODEL_UNIT], 3);
	tear_down();
}

/* Somebody repeats a SYN: that takes the time of one. */
static void a_source_is_asked_for_once(void **state)
{
	struct tuple tuple = loopback_tuple(FAMILY_V4, 40000);
	struct tuple other = loopback_tuple(FAMILY_V4, 40001);

	(void)state;
	set_up(ACTION_DESTROY, MODE_ENFORCE);
	t.model.latency_us[MODEL_SOCKETS_ON] = 90000;
	add_occupant(&tuple, TCPSTATE_CLOSE_WAIT);
	add_occupant(&other, TCPSTATE_CLOSE_WAIT);
	for (size_t i = 0; i < 20; i++)
		add_syn(i == 10 ? &other : &tuple);
	run();
	assert_int_equal(t.model.calls[MODEL_SOCKETS_ON], 2);
	assert_int_equal(stats_get(&t.stats.finding[FINDING_UNPROVEN]), 20);
	tear_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decision_table),
		cmocka_unit_test(every_state_of_the_occupant),
		cmocka_unit_test(what_its_process_has_closed),
		cmocka_unit_test(every_state_of_the_claimant),
		cmocka_unit_test(entries_of_connection_tracking),
		cmocka_unit_test(what_is_not_destroyed_keeps_its_entry),
		cmocka_unit_test(entries_after_a_failed_destroy),
		cmocka_unit_test(an_unproven_collision_is_told_with_what_is_known),
		cmocka_unit_test(other_packets_pass_unseen),
		cmocka_unit_test(other_interfaces_pass_unseen),
		cmocka_unit_test(foreign_source_is_never_touched),
		cmocka_unit_test(loopback_sources_are_not_asked_about),
		cmocka_unit_test(link_local_addresses_have_a_scope),
		cmocka_unit_test(an_unknown_scope_finds_nobody),
		cmocka_unit_test(failed_lookups_let_the_syn_pass),
		cmocka_unit_test(failed_destroys_let_the_syn_pass),
		cmocka_unit_test(a_unit_in_doubt_lets_the_syn_pass),
		cmocka_unit_test(failing_verdicts_are_told),
		cmocka_unit_test(world_changes_before_the_second_look),
		cmocka_unit_test(world_changes_before_the_destroy),
		cmocka_unit_test(the_details_are_those_of_the_second_look),
		cmocka_unit_test(units_are_asked_for_only_where_they_decide),
		cmocka_unit_test(a_long_rule_name_is_told_whole),
		cmocka_unit_test(marks_change_in_our_bits_only),
		cmocka_unit_test(the_filters_mark_is_cleared_everywhere),
		cmocka_unit_test(an_empty_batch_asks_nothing),
		cmocka_unit_test(full_batches_keep_every_syn_apart),
		cmocka_unit_test(a_failure_stays_with_its_syn),
		cmocka_unit_test(syns_of_one_tuple_in_one_batch),
		cmocka_unit_test(syns_of_one_entry_in_one_batch),
		cmocka_unit_test(batches_do_not_remember),
		cmocka_unit_test(the_mode_and_the_policy_change_between_batches),
		cmocka_unit_test(destroys_are_limited),
		cmocka_unit_test(only_destroys_count_towards_the_limit),
		cmocka_unit_test(the_time_runs_from_receipt_to_verdict),
		cmocka_unit_test(searches_elsewhere_share_one_budget),
		cmocka_unit_test(searches_for_units_share_one_budget),
		cmocka_unit_test(a_source_is_asked_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
