/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a right configuration means: every key and default, printing, the shipped example. */
#include "config.h"

#include "conf.h"
#include "confschema.h"
#include "names.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- allocations that fail ---------------------------------------------------------------------- */

/* Successful allocations of our own objects before one fails; none does below 0. */
static long allocations_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool allocation_fails(void)
{
	if (allocations_left < 0)
		return false;
	return allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

/* --- helpers ------------------------------------------------------------------------------------ */

static struct conf *parse(const char *text)
{
	struct conf *conf = NULL;
	char error[CONF_ERROR_SIZE] = "";
	int err = conf_parse(text, "f", &conf, error);

	if (err < 0)
		fail_msg("%s", error);
	return conf;
}

static struct conf *defaults(void)
{
	struct conf *conf = NULL;

	assert_int_equal(conf_defaults(&conf), 0);
	return conf;
}

static char *print(const struct conf *conf)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	conf_print(conf, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	struct policy_rule flat_a = *a, flat_b = *b;

	assert_memory_equal(a->ports, b->ports, a->n_ports * sizeof(*a->ports));
	assert_memory_equal(a->locals, b->locals, a->n_locals * sizeof(*a->locals));
	flat_a.ports = flat_b.ports = NULL;
	flat_a.locals = flat_b.locals = NULL;
	assert_memory_equal(&flat_a, &flat_b, sizeof(flat_a));
}

/* Objects come from calloc(), so that their padding can be compared too. */
static void assert_conf_equal(const struct conf *a, const struct conf *b)
{
	static struct conf flat_a, flat_b;

	flat_a = *a;
	flat_b = *b;
	assert_int_equal(a->policy.n_rules, b->policy.n_rules);
	for (size_t i = 0; i < a->policy.n_rules; i++)
		assert_rule_equal(&a->policy.rules[i], &b->policy.rules[i]);
	flat_a.policy.rules = flat_b.policy.rules = NULL;
	assert_memory_equal(&flat_a, &flat_b, sizeof(flat_a));
}

/* --- processors ---------------------------------------------------------------------------------- */

unsigned int __wrap_processors_count(void);
static unsigned int n_processors = 3;

unsigned int __wrap_processors_count(void)
{
	return n_processors;
}

/* --- keys and defaults -------------------------------------------------------------------------- */

static void assert_defaults(const struct conf *conf)
{
	assert_int_equal(conf->mode, MODE_AUDIT);
	assert_int_equal(conf->queue.number, 61);
	assert_int_equal(conf->queue.workers, n_processors);
	assert_int_equal(conf->queue.max_held, 1024);
	assert_int_equal(conf->queue.filter, FILTER_ALL);
	assert_int_equal(conf->queue.filter_fallback, FILTER_ALL);
	assert_int_equal(conf->queue.filter_mark, 0x20000000);
	assert_int_equal(conf->policy.stale, 1 << TCPSTATE_CLOSE_WAIT);
	assert_int_equal(conf->policy.fallback, ACTION_DESTROY);
	assert_int_equal(conf->policy.min_age_ms, 0);
	assert_int_equal(conf->policy.n_rules, 0);
	assert_int_equal(conf->limits.destroy_per_second, 1000);
	assert_int_equal(conf->limits.events_per_second, 20);
	assert_int_equal(conf->sweep.interval_ms, 0);
	assert_int_equal(conf->sweep.min_age_ms, 300000);
	assert_int_equal(conf->sweep.action, ACTION_DESTROY);
	assert_int_equal(conf->sweep.max_per_second, 100);
	assert_int_equal(conf->sweep.addresses, ADDRESSES_LOOPBACK);
	assert_int_equal(conf->log.target, TARGET_AUTO);
	assert_int_equal(conf->log.format, FORMAT_TEXT);
	assert_int_equal(conf->log.level, LEVEL_INFO);
	assert_int_equal(conf->log.leaker, NAME_UNIT);
	assert_string_equal(conf->metrics.textfile, "");
	assert_int_equal(conf->metrics.interval_ms, 15000);
	assert_string_equal(conf->control.socket, "/run/closewaitd/control.sock");
	assert_string_equal(conf->control.group, "");
}

static void every_key_has_its_default(void **state)
{
	static const char *const texts[] = {
		"",
		"# nothing\n",
		("queue = {}; stale = {}; policy = {}; limits = {}; log = {}; metrics = {}; "
		 "control = {};"),
		"policy = { rules = (); };",
		"policy = { rules = []; };",
	};
	struct conf *conf = defaults();

	(void)state;
	assert_defaults(conf);
	conf_free(conf);
	for (size_t i = 0; i < NAMES_LEN(texts); i++) {
		conf = parse(texts[i]);
		assert_defaults(conf);
		conf_free(conf);
	}
}

static void zero_workers_are_as_many_as_processors(void **state)
{
	static const struct {
		unsigned int processors, workers;
	} cases[] = {{1, 1}, {2, 2}, {16, 16}, {17, 16}, {1024, 16}};
	struct conf *last;

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		struct conf *none, *zero, *five;

		n_processors = cases[i].processors;
		none = defaults();
		zero = parse("queue = { workers = 0; };");
		five = parse("queue = { workers = 5; };");
		assert_int_equal(none->queue.workers, cases[i].workers);
		assert_int_equal(zero->queue.workers, cases[i].workers);
		assert_int_equal(five->queue.workers, 5);
		conf_free(none);
		conf_free(zero);
		conf_free(five);
	}
	n_processors = 3;
	/* No more than there are queues. */
	last = parse("queue = { number = 65534; };");
	assert_int_equal(last->queue.workers, 2);
	conf_free(last);
}

static void every_key_reaches_its_field(void **state)
{
	struct conf *conf = parse(
		"mode = \"enforce\";\n"
		"queue = { number = 2000; workers = 7; max_held = 65536; filter = \"bpf\";\n"
		"  filter_fallback = \"socket\";\n"
		"  filter_mark = 0x80000000; };\n"
		"stale = { states = [ \"close-wait\", \"last-ack\", \"fin-wait-2\" ]; };\n"
		"policy = { default = \"reject\"; min_age = \"90s\"; rules = (\n"
		"  { name = \"first_rule-1.0\"; port = [ 80, \"8000-8099\", \"443\" ];\n"
		"    local = ( \"127.0.0.0/8\", \"::1\" ); user = \"root\"; unit = \"a@b.service\";\n"
		"    min_age = \"5m\"; max_unread = 12; action = \"drop\"; },\n"
		"  { name = \"second\"; action = \"log\"; } ); };\n"
		"limits = { destroy_per_second = 3; events_per_second = 0; };\n"
		"sweep = { interval = \"1m\"; min_age = \"2m\"; action = \"log\";\n"
		"  max_per_second = 7; addresses = \"local\"; };\n"
		"log = { target = \"syslog\"; format = \"json\"; level = \"debug\";\n"
		"  leaker = \"process\"; };\n"
		"metrics = { textfile = \"/var/x.prom\"; interval = \"1h\"; };\n"
		"control = { socket = \"\"; group = \"root\"; };\n");
	const struct policy_rule *rule = &conf->policy.rules[0];

	(void)state;
	assert_int_equal(conf->mode, MODE_ENFORCE);
	assert_int_equal(conf->queue.number, 2000);
	assert_int_equal(conf->queue.workers, 7);
	assert_int_equal(conf->queue.max_held, 65536);
	assert_int_equal(conf->queue.filter, FILTER_BPF);
	assert_int_equal(conf->queue.filter_fallback, FILTER_SOCKET);
	assert_int_equal(conf->queue.filter_mark, 0x80000000);
	assert_int_equal(conf->policy.stale, 1 << TCPSTATE_CLOSE_WAIT | 1 << TCPSTATE_LAST_ACK |
						     1 << TCPSTATE_FIN_WAIT_2);
	assert_int_equal(conf->policy.fallback, ACTION_REJECT);
	assert_int_equal(conf->policy.min_age_ms, 90 * 1000);
	assert_int_equal(conf->limits.destroy_per_second, 3);
	assert_int_equal(conf->limits.events_per_second, 0);
	assert_int_equal(conf->sweep.interval_ms, 60000);
	assert_int_equal(conf->sweep.min_age_ms, 120000);
	assert_int_equal(conf->sweep.action, ACTION_LOG);
	assert_int_equal(conf->sweep.max_per_second, 7);
	assert_int_equal(conf->sweep.addresses, ADDRESSES_LOCAL);
	assert_int_equal(conf->log.target, TARGET_SYSLOG);
	assert_int_equal(conf->log.format, FORMAT_JSON);
	assert_int_equal(conf->log.level, LEVEL_DEBUG);
	assert_int_equal(conf->log.leaker, NAME_PROCESS);
	assert_string_equal(conf->metrics.textfile, "/var/x.prom");
	assert_int_equal(conf->metrics.interval_ms, 3600 * 1000);
	assert_string_equal(conf->control.socket, "");
	assert_string_equal(conf->control.group, "root");

	assert_int_equal(conf->policy.n_rules, 2);
	assert_string_equal(rule->name, "first_rule-1.0");
	assert_int_equal(rule->n_ports, 3);
	assert_int_equal(rule->ports[0].first, 80);
	assert_int_equal(rule->ports[0].last, 80);
	assert_int_equal(rule->ports[1].first, 8000);
	assert_int_equal(rule->ports[1].last, 8099);
	assert_int_equal(rule->ports[2].first, 443);
	assert_int_equal(rule->ports[2].last, 443);
	assert_int_equal(rule->n_locals, 2);
	assert_true(addr_is_v4(&rule->locals[0].addr));
	assert_int_equal(rule->locals[0].bits, 104);
	assert_true(IN6_IS_ADDR_LOOPBACK(&rule->locals[1].addr));
	assert_int_equal(rule->locals[1].bits, 128);
	assert_true(rule->has_uid);
	assert_int_equal(rule->uid, 0);
	assert_string_equal(rule->unit, "a@b.service");
	assert_int_equal(rule->min_age_ms, 300 * 1000);
	assert_true(rule->has_max_unread);
	assert_int_equal(rule->max_unread, 12);
	assert_int_equal(rule->action, ACTION_DROP);

	rule = &conf->policy.rules[1];
	assert_string_equal(rule->name, "second");
	assert_int_equal(rule->n_ports, 0);
	assert_int_equal(rule->n_locals, 0);
	assert_false(rule->has_uid);
	assert_string_equal(rule->unit, "");
	assert_int_equal(rule->min_age_ms, 0);
	assert_false(rule->has_max_unread);
	assert_int_equal(rule->action, ACTION_LOG);
	conf_free(conf);
}

/* Different ways to write the same. */
static void equivalent_texts(void **state)
{
	static const struct {
		const char *a, *b;
	} cases[] = {
		{"queue = { number = 5; };", "queue : { number : 5 }"},
		{"queue = { number = 5; };", "queue = { number = 5L; };"},
		{"queue = { number = 5; };", "queue = { number = +5LL; };"},
		{"queue = { number = 5; };", "queue = { number = 0x5; };"},
		{"queue = { number = 10; };", "queue = { number = 010; };"}, /* not octal */
		{"queue = { number = 5; };", "queue={number=5}#end"},
		{"queue = { number = 5; };", "/**/queue/* a */=// b\n{number\r\n=\t5/*;*/;}//"},
		{"queue = { filter_mark = 0xC0000000; };",
		 "queue = { filter_mark = 3221225472; };"},
		{"mode = \"enforce\";", "mode = \"\\x65nforce\";"},
		{"stale = { states = [ \"last-ack\" ]; };", "stale = { states = \"last-ack\"; };"},
		{"stale = { states = [ \"last-ack\" ]; };",
		 "stale = { states = (\"last-ack\"); };"},
		{"stale = { states = [ \"last-ack\", \"closing\" ]; };",
		 "stale = { states = (\"closing\"\n, # first\n\"last-ack\"\n); };"},
		{"policy = { rules = ( { name = \"a\"; port = 80; action = \"log\"; } ); };",
		 "policy = { rules = { action = \"log\"; port = [ 80 ]; name = \"a\"; }; };"},
		{"policy = { rules = ( { name = \"a\"; port = 80; action = \"log\"; } ); };",
		 "policy = { rules = [ { action = \"log\"; port = \"80\"; name = \"a\"; } ]; };"},
		{"policy = { rules = ( { name = \"a\"; port = \"80-81\"; action = \"log\"; } ); };",
		 "policy = { rules = ( { name = \"a\"; port = ( \"80-81\" ); action = \"log\"; } ); };"},
		{"policy = { rules = ( { name = \"a\"; local = \"127.0.0.1\"; action = \"log\"; } ); };",
		 "policy = { rules = ( { name = \"a\"; local = [ \"::ffff:127.0.0.1/128\" ]; action = "
		 "\"log\"; } ); };"},
		{"policy = { rules = ( { name = \"a\"; user = \"root\"; action = \"log\"; } ); };",
		 "policy = { rules = ( { name = \"a\"; user = 0; action = \"log\"; } ); };"},
		{"policy = { rules = ( { name = \"a\"; user = 4294967294; action = \"log\"; } ); };",
		 "policy = { rules = ( { name = \"a\"; user = \"4294967294\"; action = \"log\"; } ); };"},
		{"policy = { min_age = \"1h\"; };", "policy = { min_age = \"3600000ms\"; };"},
		{"metrics = { textfile = \"/# // /* \\\\\"; };",
		 "metrics = { textfile = \"/\\x23 \\x2f/ /* \\x5c\"; };"},
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		struct conf *a = parse(cases[i].a), *b = parse(cases[i].b), *none = defaults();

		assert_conf_equal(a, b);
		assert_memory_not_equal(a, none, sizeof(*a));
		conf_free(a);
		conf_free(b);
		conf_free(none);
	}
}

/* The ends of every range are inside it. */
static void limits_of_ranges_are_legal(void **state)
{
	static const char *const texts[] = {
		"queue = { number = 0; };",
		"queue = { number = 65535; };",
		"queue = { workers = 64; };",
		"queue = { number = 65472; workers = 64; };",
		"queue = { max_held = 1; };",
		"queue = { filter_mark = 1; };",
		"queue = { filter_mark = 0xffffffff; };",
		"stale = { states = [ \"established\", \"fin-wait-1\", \"fin-wait-2\", \"close-wait\", "
		"\"last-ack\", \"closing\" ]; };",
		"policy = { min_age = \"49d\"; };",
		"policy = { min_age = \"0s\"; };",
		"limits = { destroy_per_second = 1000000; events_per_second = 1000000; };",
		"limits = { destroy_per_second = 0; events_per_second = 0; };",
		"metrics = { interval = \"1s\"; };",
		"metrics = { interval = \"60m\"; };",
		"control = { socket = \"/"
		"123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		"2345678901234567890123456\"; };",
		"policy = { rules = ( { name = "
		"\"a23456789012345678901234567890123456789012345678901234567890123\"; action = "
		"\"log\"; } ); };",
		"policy = { rules = ( { name = \"a\"; port = [ 1, 65535, \"1-65535\" ]; max_unread = "
		"2147483647; min_age = \"49d\"; action = \"log\"; } ); };",
		"policy = { rules = ( { name = \"a\"; unit = \"user-0.slice\"; action = \"log\"; },"
		"{ name = \"b\"; unit = \"a\\\\x2db:c_d@1.scope\"; action = \"log\"; } ); };",
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(texts); i++)
		conf_free(parse(texts[i]));
}

/* Every word of every enum goes through, and no key is without its own. */
static void every_word_reads_back(void **state)
{
	unsigned int n = 0;

	(void)state;
	for (size_t i = 0; i < confschema_n_keys; i++) {
		const struct confschema_key *key = &confschema_keys[i];
		bool top = !key->group[0];

		if (key->kind != KIND_WORD)
			continue;
		for (unsigned int value = 0; value < key->n_words; value++, n++) {
			struct conf *conf;
			char text[128];

			snprintf(text, sizeof(text), "%s%s%s = \"%s\"; %s", key->group,
				 top ? "" : " = { ", key->name, key->word(value), top ? "" : "};");
			conf = parse(text);
			assert_int_equal(confschema_number(key, conf), value);
			conf_free(conf);
		}
	}
	/*
	 * The filters twice, the second time but for the one that needs a fallback; the actions
	 * too, but for those that need a SYN.
	 */
	assert_int_equal(n, MODE_COUNT + CONF_FILTER_COUNT + FILTER_BPF + ACTION_COUNT +
				    ACTION_DROP + CONF_ADDRESSES_COUNT + TARGET_COUNT +
				    CONF_FORMAT_COUNT + LEVEL_COUNT + CONF_LEAKER_COUNT);
}

/* Whatever the table says is within its own limits, and its fields do not overlap. */
static void the_schema_is_sound(void **state)
{
	struct conf *conf = defaults();

	(void)state;
	for (size_t i = 0; i < confschema_n_keys; i++) {
		const struct confschema_key *key = &confschema_keys[i];
		bool number = key->kind == KIND_INTEGER || key->kind == KIND_MARK ||
			      key->kind == KIND_DURATION;

		assert_true(key->offset + key->size <= sizeof(*conf));
		if (number) {
			assert_true(key->min < key->max);
			assert_true(key->initial >= key->min && key->initial <= key->max);
			if (key->size < sizeof(uint64_t))
				assert_true(key->max >> (8 * key->size) == 0);
		}
		for (size_t j = 0; j < i; j++) {
			const struct confschema_key *other = &confschema_keys[j];

			assert_true(key->offset >= other->offset + other->size ||
				    other->offset >= key->offset + key->size);
		}
	}
	conf_free(conf);
}

/* --- printing ----------------------------------------------------------------------------------- */

static void prints_the_layout_that_others_read(void **state)
{
	struct conf *conf = defaults();
	char *text = print(conf);

	(void)state;
	assert_string_equal(text, "mode = \"audit\";\n"
				  "queue = {\n"
				  "  number = 61;\n"
				  "  workers = 3;\n"
				  "  max_held = 1024;\n"
				  "  filter = \"all\";\n"
				  "  filter_fallback = \"all\";\n"
				  "  filter_mark = 0x20000000;\n"
				  "};\n"
				  "stale = {\n"
				  "  states = [ \"close-wait\" ];\n"
				  "};\n"
				  "policy = {\n"
				  "  default = \"destroy\";\n"
				  "  min_age = \"0s\";\n"
				  "  rules = ();\n"
				  "};\n"
				  "limits = {\n"
				  "  destroy_per_second = 1000;\n"
				  "  events_per_second = 20;\n"
				  "};\n"
				  "sweep = {\n"
				  "  interval = \"0s\";\n"
				  "  min_age = \"5m\";\n"
				  "  action = \"destroy\";\n"
				  "  max_per_second = 100;\n"
				  "  addresses = \"loopback\";\n"
				  "};\n"
				  "log = {\n"
				  "  target = \"auto\";\n"
				  "  format = \"text\";\n"
				  "  level = \"info\";\n"
				  "  leaker = \"unit\";\n"
				  "};\n"
				  "metrics = {\n"
				  "  textfile = \"\";\n"
				  "  interval = \"15s\";\n"
				  "};\n"
				  "control = {\n"
				  "  socket = \"/run/closewaitd/control.sock\";\n"
				  "  group = \"\";\n"
				  "};\n");
	free(text);
	conf_free(conf);
}

static void prints_rules_with_the_conditions_they_have(void **state)
{
	struct conf *conf = parse(
		"policy = { rules = ( { action = \"log\"; max_unread = 0; min_age = \"300s\"; unit = "
		"\"nginx.service\"; user = 0; local = [ \"127.0.0.0/8\", \"::1\" ]; port = [ 5000, "
		"\"8000-8099\" ]; name = \"half-close-rpc\"; }, { name = \"b\"; action = \"drop\"; } "
		"); };");
	char *text = print(conf);

	(void)state;
	assert_non_null(strstr(text, "  rules = (\n"
				     "    {\n"
				     "      name = \"half-close-rpc\";\n"
				     "      port = ( 5000, \"8000-8099\" );\n"
				     "      local = ( \"127.0.0.0/8\", \"::1\" );\n"
				     "      user = \"0\";\n"
				     "      unit = \"nginx.service\";\n"
				     "      min_age = \"5m\";\n"
				     "      max_unread = 0;\n"
				     "      action = \"log\";\n"
				     "    },\n"
				     "    {\n"
				     "      name = \"b\";\n"
				     "      action = \"drop\";\n"
				     "    }\n"
				     "  );\n"
				     "};\n"));
	free(text);
	conf_free(conf);
}

static void assert_round_trip(const struct conf *conf)
{
	char *text = print(conf);
	struct conf *back = parse(text);
	char *again = print(back);

	assert_conf_equal(conf, back);
	assert_string_equal(text, again);
	free(text);
	free(again);
	conf_free(back);
}

/* Every byte that a string can hold, alone and before a digit, which an escape could swallow. */
static void every_character_survives_a_round_trip(void **state)
{
	(void)state;
	for (unsigned int byte = 1; byte < 256; byte++) {
		struct conf *conf = defaults();
		char *text;

		snprintf(conf->metrics.textfile, sizeof(conf->metrics.textfile), "/%c1%c\"%c",
			 (int)byte, (int)byte, (int)byte);
		assert_round_trip(conf);

		/* One line per key, whatever it holds. */
		text = print(conf);
		for (const char *p = text; *p; p++)
			assert_true(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7f));
		free(text);
		conf_free(conf);
	}
}

/* A small generator with a fixed start: a failure can be repeated. */
static uint32_t seed;

static uint32_t number_below(uint32_t limit)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 1) * limit >> 31);
}

static void random_rule(struct policy_rule *rule, unsigned int index)
{
	static const char *const units[] = {"", "a.service", "b@x.scope", "c-\\x2d.slice"};

	snprintf(rule->name, sizeof(rule->name), "rule.%u", index);
	/* The first port, its own, keeps the rule reachable. */
	rule->n_ports = 1 + number_below(3);
	rule->ports = __real_calloc(rule->n_ports, sizeof(*rule->ports));
	for (size_t i = 0; i < rule->n_ports; i++) {
		uint16_t first = (uint16_t)(1 + number_below(100));

		rule->ports[i] =
			(struct policy_ports){first, (uint16_t)(first + number_below(100))};
	}
	rule->ports[0] = (struct policy_ports){(uint16_t)(1000 + index), (uint16_t)(1000 + index)};
	rule->n_locals = number_below(3);
	if (rule->n_locals > 0)
		rule->locals = __real_calloc(rule->n_locals, sizeof(*rule->locals));
	for (size_t i = 0; i < rule->n_locals; i++) {
		unsigned int bits = number_below(129);

		/* A prefix of random bits, of IPv4 every other time. */
		if (number_below(2)) {
			rule->locals[i].addr = addr_from_v4(0);
			bits = 96 + bits % 33;
		}
		for (unsigned int bit = bits >= 96 ? 96 : 0; bit < bits; bit++)
			rule->locals[i].addr.s6_addr[bit / 8] |=
				(uint8_t)(number_below(2) << (7 - bit % 8));
		if (bits < 96)
			memset(&rule->locals[i].addr.s6_addr[12], 0, 4);
		rule->locals[i].bits = bits;
	}
	rule->has_uid = number_below(2);
	if (rule->has_uid)
		rule->uid = number_below(2) ? number_below(UINT32_MAX) : number_below(70000);
	snprintf(rule->unit, sizeof(rule->unit), "%s", units[number_below(4)]);
	rule->min_age_ms = number_below(2) ? number_below(50000) : number_below(49) * 86400000ull;
	rule->has_max_unread = number_below(2);
	if (rule->has_max_unread)
		rule->max_unread = number_below(INT32_MAX);
	rule->action = (enum action)number_below(ACTION_COUNT);
}

static struct conf *random_conf(void)
{
	struct conf *conf = defaults();

	for (size_t i = 0; i < confschema_n_keys; i++) {
		const struct confschema_key *key = &confschema_keys[i];

		if (key->kind == KIND_WORD)
			confschema_set_number(key, conf, number_below(key->n_words));
		if (key->kind == KIND_INTEGER || key->kind == KIND_DURATION)
			confschema_set_number(
				key, conf,
				key->min + number_below((uint32_t)(key->max - key->min + 1)));
	}
	conf->queue.workers = number_below(64) + 1; /* 0 is settled before anybody sees it */
	conf->queue.number = (uint16_t)number_below(65536 - conf->queue.workers);
	conf->queue.filter_mark = number_below(UINT32_MAX) + 1;
	conf->policy.stale = 0;
	do {
		enum tcpstate tcpstate = (enum tcpstate)number_below(TCPSTATE_COUNT);

		if (tcpstate_can_be_stale(tcpstate))
			conf->policy.stale |= tcpstate_bit(tcpstate);
	} while (!conf->policy.stale || number_below(3));
	if (conf->sweep.interval_ms < 1000 || !tcpstate_in(TCPSTATE_CLOSE_WAIT, conf->policy.stale))
		conf->sweep.interval_ms = 0;
	for (unsigned int i = 0, n = number_below(20); i < n; i++) {
		conf->metrics.textfile[i] = i == 0 ? '/' : (char)(1 + number_below(255));
		conf->control.socket[i] = conf->metrics.textfile[i];
		conf->control.socket[i + 1] = '\0';
	}
	conf->policy.n_rules = number_below(6);
	if (conf->policy.n_rules == 0)
		return conf;
	conf->policy.rules = __real_calloc(conf->policy.n_rules, sizeof(*conf->policy.rules));
	for (unsigned int i = 0; i < conf->policy.n_rules; i++)
		random_rule(&conf->policy.rules[i], i);
	return conf;
}

static void any_configuration_survives_a_round_trip(void **state)
{
	const uint32_t last = unit_rounds(400) << 20;

	(void)state;
	for (seed = 0; seed < last; seed = (seed & ~0xfffffu) + (1u << 20)) {
		uint32_t start = seed;
		struct conf *conf = random_conf();

		assert_round_trip(conf);
		conf_free(conf);
		seed = start;
	}
}

/*
 * Damaged texts: read without a fault, and either refused with one line that names the place, or
 * taken for something that reads back to the same.
 */
static void damaged_texts_are_refused_or_read(void **state)
{
	static const char pieces[] = "{}()[]\";=:,#/*\\\n\0x0L19.-+e @\x01\xff";
	const unsigned int rounds = unit_rounds(3000);
	unsigned int refused = 0;

	(void)state;
	seed = 12345;
	for (unsigned int round = 0; round < rounds; round++) {
		struct conf *whole = random_conf(), *conf = NULL;
		char error[CONF_ERROR_SIZE] = "";
		char *text = print(whole);
		size_t len = strlen(text);

		for (unsigned int i = 0, n = 1 + number_below(3); i < n; i++) {
			size_t at = number_below((uint32_t)len);

			if (number_below(2))
				text[at] = pieces[number_below(sizeof(pieces))];
			else
				memmove(text + at, text + at + 1, len - at);
		}
		if (conf_parse(text, "f", &conf, error) == 0) {
			assert_string_equal(error, "");
			assert_round_trip(conf);
		} else {
			refused++;
			assert_memory_equal(error, "f:", 2);
			assert_true(error[2] >= '1' && error[2] <= '9');
			assert_null(strchr(error, '\n'));
			assert_true(strlen(error) < CONF_ERROR_SIZE - 1);
		}
		conf_free(conf);
		conf_free(whole);
		free(text);
	}
	/* Most damage is seen; a comment's or a path's is not. */
	assert_in_range(refused, rounds / 3, rounds - 1);
}

/* --- no memory ---------------------------------------------------------------------------------- */

static void any_failed_allocation_is_reported(void **state)
{
	const char *text = "policy = { rules = ( { name = \"a\"; port = 1; local = \"::1\"; user = "
			   "\"root\"; action = \"log\"; }, { name = \"b\"; port = 2; action = "
			   "\"log\"; } ); }; control = { group = \"root\"; };";
	char error[CONF_ERROR_SIZE];
	struct conf *conf = NULL;
	long n = 0;
	int err;

	(void)state;
	for (;; n++) {
		allocations_left = n;
		error[0] = '\0';
		err = conf_parse(text, "f", &conf, error);
		allocations_left = -1;
		if (err == 0)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_string_equal(error, "f: out of memory");
		assert_null(conf);
	}
	/*
	 * The text, the configuration, what libconfig may need, the rules, two ports, a prefix, a
	 * user and a group.
	 */
	assert_int_equal(n, 9);
	conf_free(conf);

	allocations_left = 0;
	conf = NULL;
	assert_int_equal(conf_defaults(&conf), -ENOMEM);
	assert_null(conf);
	allocations_left = 0;
	assert_int_equal(conf_load(EXAMPLE, &conf, error), -ENOMEM);
	assert_non_null(strstr(error, "closewaitd.conf: out of memory"));
	assert_null(conf);
	allocations_left = -1;
	conf_free(NULL);
}

/* --- the shipped example ------------------------------------------------------------------------ */

static char *read_text(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = __real_calloc(1, 65536);

	assert_non_null(in);
	assert_true(fread(text, 1, 65535, in) < 65535);
	assert_int_equal(fclose(in), 0);
	return text;
}

static void the_example_holds_every_default(void **state)
{
	char error[CONF_ERROR_SIZE] = "";
	struct conf *conf = NULL, *expected = defaults();
	char *text = read_text(EXAMPLE), *printed = print(expected);

	(void)state;
	if (conf_load(EXAMPLE, &conf, error) < 0)
		fail_msg("%s", error);
	assert_conf_equal(conf, expected);

	/* Not by leaving it out: each line that is printed stands in it, the rules' list apart. */
	for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n")) {
		char with_end[128];

		if (strstr(line, "rules"))
			strcpy(line, "  rules = (");
		if (strstr(line, "workers"))
			strcpy(line, "  workers = 0;");
		snprintf(with_end, sizeof(with_end), "\n%s\n", line);
		if (!strstr(text, with_end))
			fail_msg("not in the example: %s", line);
	}
	free(printed);
	free(text);
	conf_free(conf);
	conf_free(expected);
}

/* Takes the # from the lines that are commented out: those where blanks or a brace follow it. */
static void uncomment(char *text)
{
	for (char *p = strstr(text, "\n#  "); p; p = strstr(p, "\n#  "))
		p[1] = ' ';
}

static void the_rules_in_the_example_are_right(void **state)
{
	char *text = read_text(EXAMPLE);
	struct conf *conf;
	char *user;

	(void)state;
	uncomment(text);
	/* Not every system has this user. */
	user = strstr(text, "\"www-data\"");
	assert_non_null(user);
	memcpy(user, "\"root\"    ", 10);
	conf = parse(text);
	assert_int_equal(conf->policy.n_rules, 2);
	for (size_t i = 0; i < confschema_n_rule_keys; i++) {
		char key[64];

		snprintf(key, sizeof(key), "      %s = ", confschema_rule_keys[i].name);
		assert_non_null(strstr(text, key));
	}
	assert_string_equal(conf->policy.rules[0].name, "half-close-rpc");
	assert_true(conf->policy.rules[0].has_max_unread);
	assert_string_equal(conf->policy.rules[1].name, "database");
	conf_free(conf);
	free(text);
}

/* --- the manual --------------------------------------------------------------------------------- */

/* Each line that is printed, as the tag of a list: mdoc writes \(dq for a double quote. */
static void the_manual_tells_every_default(void **state)
{
	struct conf *conf = defaults();
	char *text = read_text(MANUAL), *printed = print(conf);

	(void)state;
	for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n")) {
		char tag[256], *end = tag + snprintf(tag, sizeof(tag), "\n.It Li \"");

		if (!strstr(line, ";") || line[0] == '}')
			continue;
		if (strstr(line, "workers"))
			strcpy(line, "  workers = 0;");
		for (const char *p = line + strspn(line, " "); *p != ';'; p++)
			end = stpcpy(end, *p == '"' ? "\\(dq" : (char[]){*p, '\0'});
		strcpy(end, "\"\n");
		if (!strstr(text, tag))
			fail_msg("not in the manual: %s", line);
	}
	for (size_t i = 0; i < confschema_n_rule_keys; i++) {
		char tag[64];

		snprintf(tag, sizeof(tag), "\n.It Li %s\n", confschema_rule_keys[i].name);
		if (!strstr(text, tag))
			fail_msg("not in the manual: %s", confschema_rule_keys[i].name);
	}
	free(printed);
	free(text);
	conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_default),
		cmocka_unit_test(zero_workers_are_as_many_as_processors),
		cmocka_unit_test(every_key_reaches_its_field),
		cmocka_unit_test(equivalent_texts),
		cmocka_unit_test(limits_of_ranges_are_legal),
		cmocka_unit_test(every_word_reads_back),
		cmocka_unit_test(the_schema_is_sound),
		cmocka_unit_test(prints_the_layout_that_others_read),
		cmocka_unit_test(prints_rules_with_the_conditions_they_have),
		cmocka_unit_test(every_character_survives_a_round_trip),
		cmocka_unit_test(any_configuration_survives_a_round_trip),
		cmocka_unit_test(damaged_texts_are_refused_or_read),
		cmocka_unit_test(any_failed_allocation_is_reported),
		cmocka_unit_test(the_example_holds_every_default),
		cmocka_unit_test(the_rules_in_the_example_are_right),
		cmocka_unit_test(the_manual_tells_every_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
