/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "conftype.h"
#include "names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void duration_reads_every_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{"0s", 0},
		{"0ms", 0},
		{"1ms", 1},
		{"500ms", 500},
		{"1s", 1000},
		{"1m", 60 * 1000},
		{"1h", 3600 * 1000},
		{"1d", 24 * 3600 * 1000},
		{"007s", 7000},
		{"18446744073709551615ms", UINT64_MAX},
		{"18446744073709551s", UINT64_C(18446744073709551000)},
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		uint64_t ms = 12345;

		assert_int_equal(conftype_duration(cases[i].text, &ms), 0);
		assert_true(ms == cases[i].ms);
	}
}

static void duration_refuses_the_rest(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"", -EINVAL},
		{"s", -EINVAL},
		{"5", -EINVAL},
		{"0", -EINVAL},
		{"5 s", -EINVAL},
		{" 5s", -EINVAL},
		{"5s ", -EINVAL},
		{"5S", -EINVAL},
		{"5sec", -EINVAL},
		{"5us", -EINVAL},
		{"5w", -EINVAL},
		{"-5s", -EINVAL},
		{"+5s", -EINVAL},
		{"1.5s", -EINVAL},
		{"1h30m", -EINVAL},
		{"0x10s", -EINVAL},
		{"18446744073709551616ms", -ERANGE},
		{"18446744073709552s", -ERANGE},
		{"213503982335d", -ERANGE},
		{"99999999999999999999999999d", -ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		uint64_t ms = 12345;

		assert_int_equal(conftype_duration(cases[i].text, &ms), cases[i].err);
		assert_true(ms == 12345);
	}
}

static void duration_prints_in_the_largest_whole_unit(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{0, "0s"},
		{1, "1ms"},
		{999, "999ms"},
		{1000, "1s"},
		{1001, "1001ms"},
		{90 * 1000, "90s"},
		{3600 * 1000, "1h"},
		{90 * 60 * 1000, "90m"},
		{24 * 3600 * 1000, "1d"},
		{UINT64_MAX, "18446744073709551615ms"},
	};
	char buf[CONFTYPE_STRLEN];

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++)
		assert_string_equal(conftype_format_duration(cases[i].ms, buf), cases[i].text);
}

static void duration_survives_a_round_trip(void **state)
{
	char buf[CONFTYPE_STRLEN];

	(void)state;
	/* Steps by a factor pass every unit, the offsets its neighbours. */
	for (uint64_t base = 1; base < UINT64_MAX / 4; base *= 3) {
		for (uint64_t ms = base - 1; ms <= base + 1; ms++) {
			uint64_t back = ~ms;

			assert_int_equal(
				conftype_duration(conftype_format_duration(ms, buf), &back), 0);
			assert_true(back == ms);
		}
	}
}

static void ports_read(void **state)
{
	static const struct {
		const char *text;
		uint16_t first, last;
	} cases[] = {
		{"1", 1, 1},
		{"80", 80, 80},
		{"65535", 65535, 65535},
		{"8000-8099", 8000, 8099},
		{"7-7", 7, 7},
		{"1-65535", 1, 65535},
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		struct policy_ports ports = {0, 0};

		assert_int_equal(conftype_ports(cases[i].text, &ports), 0);
		assert_int_equal(ports.first, cases[i].first);
		assert_int_equal(ports.last, cases[i].last);
	}
}

static void ports_refused(void **state)
{
	static const char *const cases[] = {
		"",	 "0",	 "65536", "-1",		"0-5",
		"5-",	 "-",	 "8-7",	  "1-65536",	"1 - 2",
		"1-2-3", "http", "80tcp", "4294967376", "0x50",
		"1,2",	 "80 ",	 " 80",	  "1--2",	"18446744073709551617",
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		struct policy_ports ports = {3, 4};

		assert_int_equal(conftype_ports(cases[i], &ports), -EINVAL);
		assert_int_equal(ports.first, 3);
		assert_int_equal(ports.last, 4);
	}
}

static void ports_survive_a_round_trip(void **state)
{
	char buf[CONFTYPE_STRLEN];

	(void)state;
	for (unsigned int first = 1; first <= 65535; first += 97) {
		for (unsigned int last = first; last <= 65535; last += 4099) {
			const struct policy_ports ports = {(uint16_t)first, (uint16_t)last};
			struct policy_ports back = {0, 0};

			assert_int_equal(conftype_ports(conftype_format_ports(&ports, buf), &back),
					 0);
			assert_int_equal(back.first, first);
			assert_int_equal(back.last, last);
		}
	}
}

static void prefix_reads_and_prints(void **state)
{
	static const struct {
		const char *text, *printed;
		unsigned int bits;
		bool v4;
	} cases[] = {
		{"127.0.0.0/8", "127.0.0.0/8", 104, true},
		{"127.0.0.1", "127.0.0.1", 128, true},
		{"127.0.0.1/32", "127.0.0.1", 128, true},
		{"0.0.0.0/0", "0.0.0.0/0", 96, true},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8", 104, true},
		{"::ffff:0:0/96", "0.0.0.0/0", 96, true},
		{"::1", "::1", 128, false},
		{"::1/128", "::1", 128, false},
		{"::/0", "::/0", 0, false},
		{"FE80::/10", "fe80::/10", 10, false},
		{"2001:db8::/32", "2001:db8::/32", 32, false},
	};
	char buf[CONFTYPE_STRLEN];

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		struct policy_prefix prefix;

		assert_int_equal(conftype_prefix(cases[i].text, &prefix), 0);
		assert_int_equal(prefix.bits, cases[i].bits);
		assert_int_equal(addr_is_v4(&prefix.addr), cases[i].v4);
		assert_string_equal(conftype_format_prefix(&prefix, buf), cases[i].printed);
	}
}

static void prefix_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"", -EINVAL},
		{"/8", -EINVAL},
		{"localhost", -EINVAL},
		{"127", -EINVAL},
		{"127.1", -EINVAL},
		{"127.0.0.0/", -EINVAL},
		{"127.0.0.0/8 ", -EINVAL},
		{" 127.0.0.0/8", -EINVAL},
		{"127.0.0.0/-8", -EINVAL},
		{"127.0.0.0/8/8", -EINVAL},
		{"127.0.0.0/255.0.0.0", -ERANGE},
		{"127.0.0.0/33", -ERANGE},
		{"::1/129", -ERANGE},
		{"::1/99999999999999999999", -ERANGE},
		{"[::1]", -EINVAL},
		{"fe80::1%lo", -EINVAL},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		struct policy_prefix prefix = {.bits = 77};

		assert_int_equal(conftype_prefix(cases[i].text, &prefix), cases[i].err);
		assert_int_equal(prefix.bits, 77);
	}
}

static void masked_prefix_keeps_exactly_its_bits(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits <= 128; bits++) {
		struct policy_prefix ones = {.bits = bits};
		struct policy_prefix masked;

		memset(&ones.addr, 0xff, sizeof(ones.addr));
		masked = conftype_prefix_masked(&ones);
		assert_int_equal(masked.bits, bits);
		for (unsigned int i = 0; i < 128; i++)
			assert_int_equal(masked.addr.s6_addr[i / 8] >> (7 - i % 8) & 1, i < bits);
		assert_true(addr_in_prefix(&ones.addr, &masked.addr, bits));
	}
}

static const char *word(unsigned int index, const void *ctx)
{
	const char *const *words = ctx;

	return words[index];
}

static void nearest_finds_slips_only(void **state)
{
	static const char *const words[] = {"audit", NULL, "enforce", "max_held", "log"};
	static const struct {
		const char *text, *nearest;
	} cases[] = {
		{"audit", "audit"},
		{"AUDIT", "audit"},
		{"auidt", "audit"},  /* swapped */
		{"audi", "audit"},   /* missing */
		{"auditt", "audit"}, /* one too many */
		{"audis", "audit"},  /* wrong */
		{"enforced", "enforce"},
		{"max-held", "max_held"},
		{"maxheld", "max_held"},
		{"lgo", "log"},
		{"lag", "log"},
		{"lags", NULL},
		{"adt", NULL},
		{"observe", NULL},
		{"", NULL},
		{"x", NULL},
		{"enforceenforceenforceenforceenforceenforceenforceenforceenforceenforce", NULL},
	};

	(void)state;
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		const char *found = conftype_nearest(cases[i].text, word,
						     (unsigned int)NAMES_LEN(words), words);

		if (cases[i].nearest)
			assert_string_equal(found, cases[i].nearest);
		else
			assert_null(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_reads_every_unit),
		cmocka_unit_test(duration_refuses_the_rest),
		cmocka_unit_test(duration_prints_in_the_largest_whole_unit),
		cmocka_unit_test(duration_survives_a_round_trip),
		cmocka_unit_test(ports_read),
		cmocka_unit_test(ports_refused),
		cmocka_unit_test(ports_survive_a_round_trip),
		cmocka_unit_test(prefix_reads_and_prints),
		cmocka_unit_test(prefix_refused),
		cmocka_unit_test(masked_prefix_keeps_exactly_its_bits),
		cmocka_unit_test(nearest_finds_slips_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
