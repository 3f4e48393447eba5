/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batch after batch of random SYNs in random worlds. In half of them calls fail and sockets come,
 * go and change between two calls; whatever happens, the model's invariants hold. In the other
 * half nothing goes wrong, and every SYN must be found to be what the decision table says.
 *
 * test_mitigate_random [SEED [BATCHES]] repeats a failing run, which prints its seed.
 */
#include "config.h"

#include "mitigate.h"
#include "model.h"
#include "unit.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 1;
static unsigned long batches;

static struct {
	struct model model;
	struct stats stats, before;
	struct ratelimit destroys;
	struct mitigate *m;
	struct policy_rule rules[2];
	struct policy_ports ports;
	struct policy policy;
	struct mitigate_settings settings;
	struct mitigate_syn syns[QUEUE_BATCH_MAX];
	size_t n;
	size_t expected[FINDING_COUNT];
	uint64_t reached[FINDING_COUNT]; /* so that the test knows that it tests something */
	uint64_t reached_result[RESULT_COUNT];
} t;

static uint32_t roll(uint32_t below)
{
	return model_random(&t.model, below);
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

static void roll_settings(void)
{
	static const uint32_t limits[] = {0, 1, 5, 1000};

	for (size_t i = 0; i < 2; i++) {
		t.rules[i] = (struct policy_rule){
			.name = "rule",
			.has_uid = roll(2),
			.uid = 33,
			.min_age_ms = roll(2) * 50000,
			.has_max_unread = roll(2),
			.action = (enum action)roll(ACTION_COUNT),
		};
		if (roll(3) == 0)
			strcpy(t.rules[i].unit, "two.service");
		if (roll(2)) {
			t.rules[i].ports = &t.ports;
			t.rules[i].n_ports = 1;
		}
	}
	t.ports = (struct policy_ports){80, 80};
	t.policy = (struct policy){
		.stale = roll(2) ? tcpstate_bit(TCPSTATE_CLOSE_WAIT) : roll(1 << TCPSTATE_COUNT),
		.fallback = (enum action)roll(ACTION_COUNT),
		.min_age_ms = roll(4) == 0 ? 60000 : 0,
		.rules = t.rules,
		.n_rules = roll(3),
	};
	t.settings = (struct mitigate_settings){
		.policy = &t.policy,
		.mode = roll(4) ? MODE_ENFORCE : MODE_AUDIT,
		.clear_mark = roll(2) ? (uint32_t)1 << roll(32) : 0,
	};
	ratelimit_set(&t.destroys, limits[roll(4)]);
}

static struct tuple roll_tuple(void)
{
	static const struct {
		const char *src, *dst;
	} hosts[] = {
		{"127.0.0.1", "127.0.0.1"},
		{"127.0.0.1", "127.0.0.2"},
		{"::1", "::1"},
		{"10.0.0.1", "10.0.0.1"},
		{"192.0.2.9", "10.0.0.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:db8::9", "2001:db8::1"},
		{"fe80::1", "fe80::1"},
		{"fe80::1", "2001:db8::1"},
		{"2001:db8::1", "fe80::1"},
	};
	size_t i = roll(sizeof(hosts) / sizeof(hosts[0]));

	return (struct tuple){
		/* Few ports, so that SYNs of one batch meet. */
		.src = {.addr = address(hosts[i].src), .port = htons((uint16_t)(4000 + roll(12)))},
		.dst = {.addr = address(hosts[i].dst), .port = htons(roll(2) ? 80 : 8080)},
	};
}

static void add_once(struct tuple tuple, enum tcpstate state)
{
	struct sock_info *socket;

	if (addr_is_linklocal(&tuple.src.addr) || addr_is_linklocal(&tuple.dst.addr))
		tuple.scope = 7;
	if (model_find(&t.model, &tuple))
		return;
	socket = model_add(&t.model, &tuple, state);
	socket->uid = 33 + roll(2);
	socket->rqueue = roll(4);
	socket->age_ms = roll(120000);
}

static void roll_listener(const char *addr, uint16_t port)
{
	const struct endpoint local = {address(addr), htons(port)};

	if (roll(2))
		model_listen(&t.model, &local, 4)->rqueue = roll(7);
}

static void roll_world(void)
{
	model_clear(&t.model);
	roll_listener("::", 80);
	roll_listener("0.0.0.0", 8080);
	roll_listener("::1", 8080);
	for (size_t i = 0; i < t.n; i++) {
		struct tuple claimant = t.syns[i].tuple;
		struct tuple other = claimant;

		if (roll(8) > 0)
			add_once(tuple_reverse(&claimant),
				 roll(4) ? TCPSTATE_CLOSE_WAIT : model_random_state(&t.model));
		if (roll(4) > 0)
			add_once(claimant,
				 roll(4) ? TCPSTATE_SYN_SENT : model_random_state(&t.model));
		other.dst.port = htons(9000);
		if (roll(4) == 0)
			add_once(other, roll(4) ? TCPSTATE_SYN_SENT : TCPSTATE_ESTABLISHED);
		if (roll(16) == 0)
			model_listen(&t.model, &claimant.src, 4);
	}
}

static void roll_batch(void)
{
	static uint32_t next_id;

	t.n = roll(64) == 0 ? QUEUE_BATCH_MAX : roll(10);
	for (size_t i = 0; i < t.n; i++) {
		t.syns[i] = (struct mitigate_syn){
			.id = next_id++,
			.mark = roll(2) ? 0 : roll(UINT32_MAX),
			.kind = roll(8) ? PACKET_SYN : (enum packet_kind)roll(PACKET_KIND_COUNT),
			.loopback = roll(16) > 0,
			.tuple = roll_tuple(),
		};
		t.syns[i].data = model_packet(&t.model, i, &t.syns[i].tuple);
	}
}

/* --- what must have been counted ---------------------------------------------------------------- */

static uint64_t grown(const _Atomic uint64_t *now, const _Atomic uint64_t *before, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += stats_get(&now[i]) - stats_get(&before[i]);
	return total;
}

#define GROWN(member)                                                                              \
	grown((const _Atomic uint64_t *)&t.stats.member,                                           \
	      (const _Atomic uint64_t *)&t.before.member,                                          \
	      sizeof(t.stats.member) / sizeof(uint64_t))

static void check_counters(void)
{
	size_t destroyed = 0, told = 0, incidents = 0;

	for (size_t i = 0; i < t.model.n_destroys; i++)
		destroyed += t.model.destroys[i].error == 0;
	for (int f = 0; f < FINDING_COUNT; f++) {
		t.reached[f] += GROWN(finding[f]);
		told += incident_is_told((enum finding)f) ? GROWN(finding[f]) : 0;
	}
	for (size_t i = 0; i < t.model.n_incidents; i++) {
		/* SYNs to one full accept queue are told together. */
		incidents += t.model.incidents[i].finding == FINDING_ACCEPT_QUEUE_FULL
				     ? t.model.incidents[i].syns
				     : 1;
		if (t.model.incidents[i].finding == FINDING_COLLISION)
			t.reached_result[t.model.incidents[i].result]++;
	}
	assert_int_equal(GROWN(packet), t.n);
	assert_int_equal(GROWN(finding), t.n);
	assert_int_equal(GROWN(bucket), t.n);
	assert_int_equal(GROWN(collision), GROWN(finding[FINDING_COLLISION]));
	assert_int_equal(GROWN(not_stale), GROWN(finding[FINDING_NOT_STALE]));
	assert_int_equal(GROWN(count[STAT_LOOKUP_ERRORS]), GROWN(finding[FINDING_LOOKUP_FAILED]));
	assert_int_equal(GROWN(count[STAT_DESTROYED]), destroyed);
	assert_int_equal(incidents, told);
}

static void one_batch(void)
{
	bool calm = roll(2);
	const char *wrong;

	t.model.fault_permille = calm ? 0 : roll(200);
	t.model.change_permille = calm ? 0 : roll(1000);
	t.model.tracks = roll(2);
	t.model.spoils_closed = roll(2);
	t.model.entry = (enum track_kind)roll(3);
	t.model.now_us += roll(500000);
	roll_settings();
	roll_batch();
	roll_world();
	for (size_t i = 0; i < t.model.n_slots; i++) {
		if (roll(4) == 0)
			t.model.sockets[i].inode = 0;
	}
	memcpy(&t.before, &t.stats, sizeof(t.stats));
	mitigate_configure(t.m, &t.settings);
	model_begin(&t.model, &t.settings, t.syns, t.n);
	memset(t.expected, 0, sizeof(t.expected));
	for (size_t i = 0; i < t.n; i++)
		t.expected[model_expect(&t.model, &t.syns[i])]++;

	mitigate_batch(t.m, t.syns, t.n, t.model.now_us, 0);
	wrong = model_check_invariants(&t.model);
	if (wrong)
		fail_msg("%s", wrong);
	check_counters();
	for (int f = 0; calm && f < FINDING_COUNT; f++)
		assert_int_equal(GROWN(finding[f]), t.expected[f]);
}

static void invariants_hold(void **state)
{
	static const char *const own[] = {"10.0.0.1", "2001:db8::1", "fe80::1"};

	(void)state;
	print_message("seed %" PRIu64 ", %lu batches\n", seed, batches);
	model_init(&t.model, seed);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const struct in6_addr addr = address(own[i]);

		model_own_address(&t.model, &addr, 7);
	}
	assert_int_equal(mitigate_new(&model_ops, &t.model, &t.destroys, &t.stats, &t.m), 0);
	for (unsigned long i = 0; i < batches; i++)
		one_batch();
	mitigate_free(t.m);
	for (int f = 0; f < FINDING_COUNT; f++)
		assert_true(batches < 1000 || t.reached[f] > 0);
	for (int r = 0; r < RESULT_COUNT; r++)
		assert_true(batches < 1000 || t.reached_result[r] > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(invariants_hold)};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	batches = argc > 2 ? strtoul(argv[2], NULL, 0) : unit_rounds(200000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
