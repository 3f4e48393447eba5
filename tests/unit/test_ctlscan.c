/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a scan on its way to people and programs: growth, names, and JSON that is JSON. */
#include "config.h"

#include "ctlscan.h"
#include "unit.h"

#include <math.h>
#include <string.h>

/* A scan by hand: one listener with two leakers. */
static struct {
	struct scan scan;
	struct scan_listener listener;
	struct scan_leaker leakers[2];
	struct scan_client client;
	struct scan_socket sockets[2];
} made;

static int set_up(void **state)
{
	(void)state;
	memset(&made, 0, sizeof(made));
	assert_int_equal(endpoint_parse("127.0.0.1:80", &made.listener.local), 0);
	for (int i = 0; i < 2; i++) {
		made.sockets[i] = (struct scan_socket){
			.tuple = {made.listener.local, made.listener.local, 0}, .fd = -1};
		made.leakers[i] = (struct scan_leaker){.process = {.pid = 100 + i, .fd_count = -1},
						       .sockets = &made.sockets[i],
						       .n_sockets = 1};
	}
	made.listener.leakers = made.leakers;
	made.listener.n_leakers = 2;
	made.listener.clients = &made.client;
	made.listener.n_clients = 1;
	made.scan.listeners = &made.listener;
	made.scan.n_listeners = 1;
	made.scan.sockets = made.sockets;
	made.scan.n_sockets = 2;
	return 0;
}

static void expect_growth(struct ctlgrowth *growth, int64_t at_ms, size_t mines, double want)
{
	struct scan_leaker *leaker = &made.leakers[1];

	leaker->counts[SCAN_MINE] = mines;
	leaker->growth_known = false;
	leaker->growth = 0;
	ctlgrowth_update(growth, &made.scan, at_ms);
	assert_int_equal(leaker->growth_known, !isnan(want));
	if (leaker->growth_known && fabs(leaker->growth - want) > 1e-9)
		fail_msg("at %lld ms: %.6f per minute, not %.6f", (long long)at_ms, leaker->growth,
			 want);
}

static void growth_from_scan_to_scan(void **state)
{
	struct ctlgrowth *growth = ctlgrowth_new();

	(void)state;
	assert_non_null(growth);
	expect_growth(growth, 1000, 5, NAN);
	expect_growth(growth, 31000, 15, 20);
	expect_growth(growth, 61000, 15, 10);
	expect_growth(growth, 121000, 3, -1);
	/* At five minutes the first one is still remembered, a moment later it is not. */
	expect_growth(growth, 301000, 15, 2);
	expect_growth(growth, 302000, 15, 0);
	/* With long intervals there is only the one before. */
	expect_growth(growth, 3902000, 75, 1);
	/* Another process by now. */
	made.leakers[1].process.pid = 999;
	expect_growth(growth, 3962000, 7, 7);
	ctlgrowth_free(growth);
	ctlgrowth_free(NULL);
}

/* The same moment twice is no time to grow in. */
static void growth_needs_time(void **state)
{
	struct ctlgrowth *growth = ctlgrowth_new();

	(void)state;
	expect_growth(growth, 1000, 5, NAN);
	expect_growth(growth, 1000, 6, NAN);
	ctlgrowth_free(growth);
}

static void names_are_cleaned(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", ""},
		{"nginx", "nginx"},
		{"a b", "a b"},
		{"\033[2J", "?[2J"},
		{"a\nb\tc", "a?b?c"},
		{"\303\244", "\303\244"},
		{"\xff\xfe", "??"},
		{"\302\233", "??"}, /* CSI in one character */
	};
	char buf[CTLSCAN_NAME_SIZE];
	char tiny[6];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ctlscan_clean(cases[i].text, buf, sizeof(buf)), cases[i].want);
	/* What does not fit is cut, between characters. */
	assert_string_equal(ctlscan_clean("abcdefgh", tiny, sizeof(tiny)), "ab");
	assert_string_equal(ctlscan_clean("a\360\237\230\200b", tiny, sizeof(tiny)),
			    "a\360\237\230\200");
}

/* A process may call itself anything; the object must be there all the same. */
static void json_survives_any_name(void **state)
{
	struct ctlscan_view view = {.scan = &made.scan, .fds = true};
	const json_t *listener, *leaker;
	json_t *object;
	char *text;

	(void)state;
	strcpy(made.leakers[0].process.comm, "\xff\033\"\\\n");
	strcpy(made.leakers[0].process.exe, "/tmp/\xc3 (deleted)");
	made.leakers[0].growth_known = true;
	made.leakers[0].growth = 31;
	made.leakers[1].process.pid = 0;
	made.sockets[1].fd = 7;
	made.scan.owner_error = -2;
	made.client.chance.share = made.listener.share = 0.25;
	assert_int_equal(cgroup_open(&view.cgroups), 0);
	object = ctlscan_object(&view);
	assert_non_null(object);
	text = json_dumps(object, 0);
	assert_non_null(text);
	free(text);

	listener = json_array_get(json_object_get(json_object_get(object, "scan"), "listeners"), 0);
	assert_true(json_real_value(json_object_get(listener, "connects_per_collision")) == 4);
	leaker = json_array_get(json_object_get(listener, "leakers"), 0);
	assert_string_equal(json_string_value(json_object_get(leaker, "program")), "??\"\\?");
	assert_string_equal(json_string_value(json_object_get(leaker, "exe")), "/tmp/? (deleted)");
	assert_true(json_real_value(json_object_get(leaker, "growth_per_minute")) == 31);
	assert_null(json_object_get(leaker, "descriptors"));
	leaker = json_array_get(json_object_get(listener, "leakers"), 1);
	assert_null(json_object_get(leaker, "pid"));
	assert_null(json_object_get(leaker, "program"));
	assert_true(json_is_null(json_object_get(leaker, "growth_per_minute")));
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(leaker, "sockets"), 0), "fd")),
			 7);
	json_decref(object);
	cgroup_close(view.cgroups);
}

#define SCAN_TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(growth_from_scan_to_scan),
		SCAN_TEST(growth_needs_time),
		SCAN_TEST(names_are_cleaned),
		SCAN_TEST(json_survives_any_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
