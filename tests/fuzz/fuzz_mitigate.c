/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of SYNs in a model of the kernel (tests/unit/model.h). The input chooses the policy, the
 * SYNs, the sockets, and, for a batch that is not calm, which calls fail and what changes between
 * two of them. After every batch the model's invariants hold; audit mode has touched nothing; and
 * in a calm one every SYN was found to be what the decision table says.
 */
#include "config.h"

#include "fuzz.h"
#include "mitigate.h"
#include "unit/model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

const char fuzz_target[] = "mitigate";

#define BATCHES_MAX 4
#define SYNS_MAX    12
#define LOCAL_INDEX 7 /* the interface of the link-local address */

static struct {
	struct model model;
	struct stats stats;
	struct ratelimit destroys;
	struct mitigate *m;
	struct policy_ports ports;
	struct policy_prefix prefix;
	struct policy_rule rules[2];
	struct policy policy;
	struct mitigate_settings settings;
	struct mitigate_syn syns[SYNS_MAX];
	size_t n;
	uint32_t next_id;
	struct fuzz_bytes *bytes; /* the input in hand */
} t;

static struct in6_addr hosts[8];

static struct in6_addr host(const char *text)
{
	struct in6_addr addr;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return addr_from_v4(v4.s_addr);
	FUZZ_CHECK(inet_pton(AF_INET6, text, &addr) == 1);
	return addr;
}

static void start(void)
{
	static const char *const texts[] = {"127.0.0.1", "127.0.0.2",	"10.0.0.1",    "192.0.2.9",
					    "::1",	 "2001:db8::1", "2001:db8::9", "fe80::1"};

	for (size_t i = 0; i < 8; i++)
		hosts[i] = host(texts[i]);
	model_init(&t.model, 0);
	model_own_address(&t.model, &hosts[2], LOCAL_INDEX);
	model_own_address(&t.model, &hosts[5], LOCAL_INDEX);
	model_own_address(&t.model, &hosts[7], LOCAL_INDEX);
}

/* --- what the input chooses -------------------------------------------------------------------*/

static unsigned int choose(unsigned int below)
{
	return fuzz_below(t.bytes, below);
}

static void choose_rule(struct policy_rule *rule)
{
	uint8_t given = fuzz_byte(t.bytes);

	*rule = (struct policy_rule){
		.name = "rule",
		.has_uid = given & 1,
		.uid = 33,
		.has_max_unread = given & 2,
		.max_unread = 1,
		.min_age_ms = given & 4 ? 50000 : 0,
		.action = (enum action)choose(ACTION_COUNT),
	};
	if (given & 8)
		strcpy(rule->unit, "two.service");
	if (given & 16) {
		rule->ports = &t.ports;
		rule->n_ports = 1;
	}
	if (given & 32) {
		rule->locals = &t.prefix;
		rule->n_locals = 1;
	}
}

static void choose_settings(void)
{
	static const tcpstate_set close_wait = (tcpstate_set)1 << TCPSTATE_CLOSE_WAIT;
	static const uint32_t limits[] = {0, 1, 3, 1000};

	t.ports = (struct policy_ports){80, (uint16_t)(80 + choose(2))};
	t.prefix = (struct policy_prefix){hosts[choose(8)], choose(129)};
	choose_rule(&t.rules[0]);
	choose_rule(&t.rules[1]);
	t.policy = (struct policy){
		.stale = choose(2) ? close_wait : fuzz_u32(t.bytes) & ((1U << TCPSTATE_COUNT) - 1),
		.fallback = (enum action)choose(ACTION_COUNT),
		.min_age_ms = choose(2) ? 60000 : 0,
		.rules = t.rules,
		.n_rules = choose(3),
	};
	t.settings = (struct mitigate_settings){
		.policy = &t.policy,
		.mode = choose(4) ? MODE_ENFORCE : MODE_AUDIT,
		.clear_mark = choose(2) ? 1U << choose(32) : 0,
	};
	ratelimit_set(&t.destroys, limits[choose(4)]);
}

/* Few hosts and ports, so that the SYNs of a batch meet. */
static struct tuple choose_tuple(void)
{
	uint8_t which = fuzz_byte(t.bytes), ports = fuzz_byte(t.bytes);
	struct in6_addr src = hosts[which & 7], dst = hosts[which >> 3 & 7];

	/* No packet has both families in it. */
	if (addr_is_v4(&src) != addr_is_v4(&dst))
		dst = src;
	return (struct tuple){
		.src = {.addr = src, .port = htons((uint16_t)(4000 + (ports & 3)))},
		.dst = {.addr = dst, .port = htons((uint16_t)(80 + (ports >> 2 & 1)))},
	};
}

static void choose_syns(void)
{
	t.n = choose(SYNS_MAX + 1);
	for (size_t i = 0; i < t.n; i++) {
		uint8_t kind = fuzz_byte(t.bytes);

		t.syns[i] = (struct mitigate_syn){
			.id = t.next_id++,
			.mark = kind & 0x20 ? fuzz_u32(t.bytes) : 0,
			.kind = kind & 0x10 ? (enum packet_kind)((kind & 15) % PACKET_KIND_COUNT)
					    : PACKET_SYN,
			.loopback = !(kind & 0x40),
			.tuple = choose_tuple(),
		};
		t.syns[i].data = model_packet(&t.model, i, &t.syns[i].tuple);
	}
}

/* A state that a connection can have. */
static enum tcpstate choose_state(void)
{
	enum tcpstate state = (enum tcpstate)(1 + choose(TCPSTATE_COUNT - 1));

	return state == TCPSTATE_LISTEN ? TCPSTATE_CLOSE_WAIT : state;
}

static void add_socket(struct tuple tuple, enum tcpstate state)
{
	struct sock_info *socket;
	uint8_t details = fuzz_byte(t.bytes);

	if (tuple_linklocal(&tuple))
		tuple.scope = LOCAL_INDEX;
	if (model_find(&t.model, &tuple) || t.model.n_slots == MODEL_SOCKETS)
		return;
	socket = model_add(&t.model, &tuple, state);
	socket->uid = 33 + (details & 1);
	socket->rqueue = details >> 1 & 3;
	socket->age_ms = (details >> 3) * 4000U;
	socket->cgroup_id = details & 3;
}

/* Around the SYN of the batch that the input names: each kind of socket that matters to it. */
static void choose_sockets(void)
{
	const struct in6_addr any = IN6ADDR_ANY_INIT;

	for (unsigned int left = choose(32); left > 0 && t.n > 0; left--) {
		struct tuple claimant = t.syns[choose((unsigned int)t.n)].tuple;
		struct tuple occupant = tuple_reverse(&claimant);

		switch (choose(8)) {
		case 0:
			add_socket(occupant, TCPSTATE_CLOSE_WAIT);
			break;
		case 1:
			add_socket(claimant, TCPSTATE_SYN_SENT);
			break;
		case 2:
			add_socket(occupant, choose_state());
			break;
		case 3:
			add_socket(claimant, choose_state());
			break;
		case 4: /* the claimant's socket knows another destination */
			claimant.dst.port = htons(9000);
			add_socket(claimant, TCPSTATE_SYN_SENT);
			break;
		case 5:
			claimant.dst.port = htons(9001);
			add_socket(claimant, choose_state());
			break;
		case 6:
			model_listen(&t.model, &claimant.dst, choose(3));
			break;
		case 7:
			claimant.dst.addr = any;
			model_listen(&t.model, &claimant.dst, choose(3));
			break;
		}
	}
}

/* --- what goes wrong --------------------------------------------------------------------------*/

static void change_world(struct model *model, enum model_call call, size_t nth)
{
	struct sock_info *socket;
	struct tuple tuple;

	(void)call;
	(void)nth;
	if (t.n == 0 || !(fuzz_byte(t.bytes) & 1))
		return;
	tuple = t.syns[choose((unsigned int)t.n)].tuple;
	if (choose(2))
		tuple = tuple_reverse(&tuple);
	if (tuple_linklocal(&tuple))
		tuple.scope = LOCAL_INDEX;
	socket = model_find(model, &tuple);
	switch (choose(4)) {
	case 0: /* vanishes: the listener is left, where there is one */
		if (socket)
			model_remove(socket);
		break;
	case 1: /* another socket takes its place */
		if (socket)
			model_remove(socket);
		add_socket(tuple, choose_state());
		break;
	case 2:
		if (socket)
			socket->state = choose_state();
		break;
	case 3: /* gives way to a listener */
		if (socket)
			model_remove(socket);
		if (model->n_slots < MODEL_SOCKETS)
			model_listen(model, &tuple.src, 4);
		break;
	}
}

static void choose_faults(void)
{
	static const int errors[] = {ETIMEDOUT, EBADMSG, ENOBUFS, EPERM, EINTR, ENOENT};

	for (unsigned int left = choose(MODEL_FAULTS + 1); left > 0; left--) {
		enum model_call call = (enum model_call)choose(MODEL_CALLS);
		size_t nth = choose(4), index = choose(SYNS_MAX + 1);

		/* Whose address it is does not change within a batch. */
		if (call == MODEL_INTERFACE)
			nth = MODEL_ALWAYS;
		model_fail(&t.model, call, nth, index == SYNS_MAX ? MODEL_ALWAYS : index,
			   -errors[choose(sizeof(errors) / sizeof(errors[0]))]);
	}
	t.model.before = change_world;
}

/* --- what must hold ---------------------------------------------------------------------------*/

static void check_audit(void)
{
	FUZZ_CHECK(t.model.n_destroys == 0);
	FUZZ_CHECK(t.model.n_forgotten == 0);
	for (size_t i = 0; i < t.model.n_verdicts; i++) {
		const struct verdict *v = &t.model.verdicts[i];
		uint32_t mark = t.syns[i].mark;

		FUZZ_CHECK(!v->drop && !v->answer);
		FUZZ_CHECK(!v->set_mark || v->mark == (mark & ~t.settings.clear_mark));
	}
}

static void check_invariants(void)
{
	const char *wrong = model_check_invariants(&t.model);

	if (wrong)
		fuzz_broken(wrong, __FILE__, __LINE__);
	if (t.settings.mode == MODE_AUDIT)
		check_audit();
}

static void one_batch(void)
{
	size_t expected[FINDING_COUNT] = {0};
	bool calm = choose(2);
	unsigned int tracking;

	choose_settings();
	choose_syns();
	choose_sockets();
	tracking = choose(4);
	t.model.tracks = tracking > 0;
	t.model.entry = tracking > 0 ? (enum track_kind)(tracking - 1) : TRACK_NONE;
	t.model.spoils_closed = tracking % 2;
	t.model.n_faults = 0;
	t.model.before = NULL;
	if (!calm)
		choose_faults();
	/* Long enough for every limit to be whole again. */
	t.model.now_us += 2000000;
	memset(&t.stats, 0, sizeof(t.stats));
	mitigate_configure(t.m, &t.settings);
	model_begin(&t.model, &t.settings, t.syns, t.n);
	for (size_t i = 0; i < t.n; i++)
		expected[model_expect(&t.model, &t.syns[i])]++;

	mitigate_batch(t.m, t.syns, t.n, t.model.now_us, 0);
	check_invariants();
	for (int f = 0; calm && f < FINDING_COUNT; f++)
		FUZZ_CHECK(stats_get(&t.stats.finding[f]) == expected[f]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = {data, size};

	if (t.model.n_locals == 0)
		start();
	t.bytes = &bytes;
	model_clear(&t.model);
	t.model.next_cookie = 1;
	t.next_id = fuzz_u32(&bytes);
	ratelimit_set(&t.destroys, 0);
	FUZZ_CHECK(mitigate_new(&model_ops, &t.model, &t.destroys, &t.stats, &t.m) == 0);
	for (int i = 0; i < BATCHES_MAX && bytes.left > 0; i++)
		one_batch();
	mitigate_free(t.m);
	return 0;
}
