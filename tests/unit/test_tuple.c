/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of tuple. Each branch stands alone: IPv4, v4-mapped and IPv6 never hide one another. */
#include "config.h"

#include "tuple.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An address as the C library reads it; IPv4 becomes v4-mapped by hand, not by the tested code. */
static struct in6_addr addr(const char *text)
{
	char mapped[INET6_ADDRSTRLEN] = "::ffff:";
	struct in6_addr result;

	if (!strchr(text, ':')) {
		strcat(mapped, text);
		text = mapped;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &result), 1);
	return result;
}

static struct endpoint endpoint(const char *text, uint16_t port)
{
	return (struct endpoint){.addr = addr(text), .port = htons(port)};
}

static bool is_loopback(const char *text)
{
	struct in6_addr a = addr(text);

	return addr_is_loopback(&a);
}

static bool is_linklocal(const char *text)
{
	struct in6_addr a = addr(text);

	return addr_is_linklocal(&a);
}

static bool is_v4(const char *text)
{
	struct in6_addr a = addr(text);

	return addr_is_v4(&a);
}

static bool in_prefix(const char *text, const char *prefix, unsigned int bits)
{
	struct in6_addr a = addr(text);
	struct in6_addr p = addr(prefix);

	return addr_in_prefix(&a, &p, bits);
}

static void test_v4_is_kept_mapped(void **state)
{
	static const uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff, 127, 1, 2, 3};
	const uint8_t v4_bytes[4] = {127, 1, 2, 3};
	struct in6_addr mapped;
	in_addr_t v4, back;

	(void)state;
	memcpy(&v4, v4_bytes, sizeof(v4));
	mapped = addr_from_v4(v4);
	assert_memory_equal(&mapped, bytes, sizeof(bytes));
	back = addr_to_v4(&mapped);
	assert_memory_equal(&back, v4_bytes, sizeof(v4_bytes));
}

static void test_is_v4(void **state)
{
	(void)state;
	assert_true(is_v4("0.0.0.0"));
	assert_true(is_v4("127.0.0.1"));
	assert_true(is_v4("255.255.255.255"));
	assert_false(is_v4("::"));
	assert_false(is_v4("::1"));
	assert_false(is_v4("::127.0.0.1")); /* v4-compatible (RFC 4291, 2.5.5.1) is another thing */
	assert_false(is_v4("::fffe:127.0.0.1"));
	assert_false(is_v4("1::ffff:127.0.0.1"));
	assert_false(is_v4("64:ff9b::127.0.0.1"));
}

static void test_equal(void **state)
{
	const struct in6_addr base = addr("2001:db8:1:2:3:4:5:6");

	(void)state;
	for (size_t i = 0; i < sizeof(base); i++) {
		struct in6_addr other = base;

		assert_true(addr_equal(&base, &other));
		other.s6_addr[i] ^= 1;
		assert_false(addr_equal(&base, &other));
	}
}

static void test_loopback(void **state)
{
	(void)state;
	assert_true(is_loopback("127.0.0.0"));
	assert_true(is_loopback("127.0.0.1"));
	assert_true(is_loopback("127.255.255.255"));
	assert_false(is_loopback("126.255.255.255"));
	assert_false(is_loopback("128.0.0.0"));
	assert_false(is_loopback("10.127.0.1"));
	assert_false(is_loopback("0.0.0.1"));
	assert_true(is_loopback("::1"));
	assert_false(is_loopback("::"));
	assert_false(is_loopback("::2"));
	assert_false(is_loopback("1::1"));
	assert_false(is_loopback("::127.0.0.1"));
	/* The byte where IPv4's network would be, in an address that is not IPv4. */
	assert_false(is_loopback("2001:db8::7f00:1"));
}

static void test_linklocal(void **state)
{
	(void)state;
	assert_true(is_linklocal("fe80::1"));
	assert_true(is_linklocal("febf:ffff::1"));
	assert_false(is_linklocal("fec0::1"));
	assert_false(is_linklocal("fe7f::1"));
	assert_false(is_linklocal("::1"));
	assert_false(is_linklocal("169.254.1.1"));
}

static void test_prefix_of_v4(void **state)
{
	(void)state;
	assert_true(in_prefix("127.255.0.1", "127.0.0.0", 96 + 8));
	assert_false(in_prefix("126.0.0.1", "127.0.0.0", 96 + 8));
	assert_true(in_prefix("10.0.0.1", "0.0.0.0", 96));
	assert_false(in_prefix("::1", "0.0.0.0", 96));
	assert_false(in_prefix("::10.0.0.1", "10.0.0.0", 96 + 8));
	/* The bits beyond the prefix do not matter, whatever they are. */
	assert_true(in_prefix("10.1.2.3", "10.99.99.99", 96 + 8));
	assert_true(in_prefix("192.168.3.255", "192.168.2.0", 96 + 23));
	assert_false(in_prefix("192.168.4.0", "192.168.2.0", 96 + 23));
}

/* Every length: an address that differs in bit n alone is inside for lengths up to n. */
static void test_prefix_at_every_length(void **state)
{
	const struct in6_addr prefix = addr("a5a5:5a5a:f00f:ff:8001:7ffe:1234:ffff");

	(void)state;
	for (unsigned int bit = 0; bit < 128; bit++) {
		struct in6_addr other = prefix;

		other.s6_addr[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		for (unsigned int bits = 0; bits <= 128; bits++) {
			assert_true(addr_in_prefix(&prefix, &prefix, bits));
			assert_int_equal(addr_in_prefix(&other, &prefix, bits), bits <= bit);
		}
	}
	for (unsigned int bits = 129; bits < 1100; bits++)
		assert_false(addr_in_prefix(&prefix, &prefix, bits));
	assert_false(addr_in_prefix(&prefix, &prefix, UINT32_MAX));
}

static void test_tuple_equal(void **state)
{
	const struct tuple base = {
		.src = endpoint("fe80::1", 40000),
		.dst = endpoint("fe80::2", 80),
		.scope = 2,
	};
	struct tuple other = base;

	(void)state;
	assert_true(tuple_equal(&base, &other));
	other.scope = 3;
	assert_false(tuple_equal(&base, &other));
	other = base;
	other.src.port = htons(40001);
	assert_false(tuple_equal(&base, &other));
	other = base;
	other.dst.port = htons(81);
	assert_false(tuple_equal(&base, &other));
	other = base;
	other.src.addr = addr("fe80::3");
	assert_false(tuple_equal(&base, &other));
	other = base;
	other.dst.addr = addr("fe80::3");
	assert_false(tuple_equal(&base, &other));
}

/* Either end will do; where both are link-local they are on the same link. */
/* A total order: as the bytes stand, the address before the port, src before dst. */
static void test_order(void **state)
{
	static const char *const sorted[] = {"127.0.0.1:1", "127.0.0.1:256", "127.0.0.2:1",
					     "[::1]:1"};
	const size_t n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		const size_t digits[] = {i / (n * n * n), i / (n * n) % n, i / n % n, i % n};
		struct endpoint e[4];
		struct tuple a, b;
		int want;

		for (size_t d = 0; d < 4; d++)
			assert_int_equal(endpoint_parse(sorted[digits[d]], &e[d]), 0);
		a = (struct tuple){e[0], e[1], 1};
		b = (struct tuple){e[2], e[3], 2};
		want = endpoint_compare(&e[0], &e[2]);
		if (want == 0)
			want = endpoint_compare(&e[1], &e[3]);
		assert_true((tuple_compare(&a, &b) > 0) == (want > 0));
		assert_true((tuple_compare(&a, &b) < 0) == (want < 0));
		assert_true((endpoint_compare(&e[0], &e[1]) == 0) == (digits[0] == digits[1]));
		assert_true((endpoint_compare(&e[0], &e[1]) < 0) ==
			    (endpoint_compare(&e[1], &e[0]) > 0));
	}
}

static void test_tuple_linklocal(void **state)
{
	struct tuple t = {.src = endpoint("fe80::1", 1), .dst = endpoint("fe80::2", 2)};

	(void)state;
	assert_ptr_equal(tuple_linklocal(&t), &t.dst.addr);
	t.dst = endpoint("::1", 2);
	assert_ptr_equal(tuple_linklocal(&t), &t.src.addr);
	t.src = endpoint("2001:db8::1", 1);
	assert_null(tuple_linklocal(&t));
	t.dst = endpoint("fe80::2", 2);
	assert_ptr_equal(tuple_linklocal(&t), &t.dst.addr);
	t.src = endpoint("169.254.0.1", 1);
	t.dst = endpoint("169.254.0.2", 2);
	assert_null(tuple_linklocal(&t));
}

static void test_reverse(void **state)
{
	const struct tuple t = {
		.src = endpoint("fe80::1", 40000),
		.dst = endpoint("fe80::2", 80),
		.scope = 7,
	};
	const struct tuple expected = {
		.src = endpoint("fe80::2", 80),
		.dst = endpoint("fe80::1", 40000),
		.scope = 7,
	};
	struct tuple reversed = tuple_reverse(&t);
	struct tuple twice = tuple_reverse(&reversed);

	(void)state;
	assert_true(tuple_equal(&reversed, &expected));
	assert_false(tuple_equal(&reversed, &t));
	assert_true(tuple_equal(&twice, &t));
}

static void test_format(void **state)
{
	static const struct {
		const char *addr;
		uint16_t port;
		const char *text;
	} cases[] = {
		{"127.0.0.1", 80, "127.0.0.1:80"},
		{"0.0.0.0", 0, "0.0.0.0:0"},
		{"255.255.255.255", 65535, "255.255.255.255:65535"},
		{"::", 0, "[::]:0"},
		{"::1", 443, "[::1]:443"},
		{"2001:db8:1111:2222:3333:4444:5555:6666", 65535,
		 "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"},
		/* The C library's longest text: 45 characters. */
		{"::ffff:255.255.255.255", 65535, "255.255.255.255:65535"},
	};
	char buf[ENDPOINT_STRLEN];
	char plain[INET6_ADDRSTRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint ep = endpoint(cases[i].addr, cases[i].port);
		struct endpoint back;

		assert_ptr_equal(endpoint_format(&ep, buf), buf);
		assert_string_equal(buf, cases[i].text);
		assert_int_equal(endpoint_parse(buf, &back), 0);
		assert_true(addr_equal(&back.addr, &ep.addr));
		assert_int_equal(back.port, ep.port);
	}

	struct in6_addr a = addr("10.0.0.255");

	assert_ptr_equal(addr_format(&a, plain), plain);
	assert_string_equal(plain, "10.0.0.255");
	a = addr("fe80::1");
	assert_string_equal(addr_format(&a, plain), "fe80::1");
}

static void test_format_tuple(void **state)
{
	struct tuple t = {.src = endpoint("127.0.0.1", 40000), .dst = endpoint("127.0.0.2", 80)};
	char *buf = test_malloc(TUPLE_STRLEN);

	(void)state;
	assert_ptr_equal(tuple_format(&t, buf), buf);
	assert_string_equal(buf, "127.0.0.1:40000 -> 127.0.0.2:80");
	t.src = endpoint("2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	t.dst = endpoint("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65534);
	assert_string_equal(tuple_format(&t, buf),
			    "[2001:db8:1111:2222:3333:4444:5555:6666]:65535 -> "
			    "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65534");
	test_free(buf);
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		":80",
		"80",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:99999",
		"127.0.0.1:100000",
		"127.0.0.1:000080",
		"127.0.0.1:4294967376", /* 80 in 32 bits */
		"127.0.0.1:-1",
		"127.0.0.1:+1",
		"127.0.0.1: 1",
		"127.0.0.1:1 ",
		"127.0.0.1:0x50",
		"127.0.0.1:8/",
		"127.0.0.1:8:",
		" 127.0.0.1:80",
		"127.0.0.1 :80",
		"127.0.0:80",
		"127.0.0.256:80",
		"127.0.0.1.1:80",
		"localhost:80",
		"::1:80",
		"[",
		"[:",
		"[]:",
		"[]:80",
		"[:80",
		"[::1",
		"[::1]",
		"[::1]80",
		"[::1]:",
		"[::1]:65536",
		"[::1:80",
		"[::1)::80",
		"[::1]]:80",
		"[[::1]:80",
		"[127.0.0.1]:80",
		"[fe80::1%lo]:80",
		"127.0.0.1]:80",
		"[2001:db8:1111:2222:3333:4444:5555:6666:7777]:80",
		"[2001:0db8:1111:2222:3333:4444:255.255.255.255:0]:80",
	};
	const struct endpoint before = endpoint("2001:db8::99", 99);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct endpoint ep = before;

		if (endpoint_parse(bad[i], &ep) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_memory_equal(&ep.addr, &before.addr, sizeof(ep.addr));
		assert_int_equal(ep.port, before.port);
	}
}

/* Hosts of every length around that of the longest address: AddressSanitizer sees an overrun. */
static void test_parse_long_hosts(void **state)
{
	char text[128];

	(void)state;
	for (int zeros = 0; zeros < 100; zeros++) {
		struct endpoint ep;

		snprintf(text, sizeof(text), "%0*d.0.0.1:80", zeros + 3, 127);
		assert_int_equal(endpoint_parse(text, &ep), zeros ? -EINVAL : 0);
		snprintf(text, sizeof(text), "[::%0*d]:80", zeros + 1, 1);
		assert_int_equal(endpoint_parse(text, &ep), zeros < 4 ? 0 : -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4_is_kept_mapped),
		cmocka_unit_test(test_is_v4),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_linklocal),
		cmocka_unit_test(test_prefix_of_v4),
		cmocka_unit_test(test_prefix_at_every_length),
		cmocka_unit_test(test_tuple_equal),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_tuple_linklocal),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_tuple),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_long_hosts),
	};

	return cmocka_run_group_tests_name("tuple", tests, NULL, NULL);
}
