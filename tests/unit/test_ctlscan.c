/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a scan on its way to people and programs: growth, names, and JSON that is JSON,
 * however much of it there is. */
#include "config.h"

#include "ctlscan.h"
#include "unit.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
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

/* The line that is written, which the caller frees. */
static char *write_text(const struct ctlscan_view *view)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(ctlscan_write(view, to), 0);
	assert_int_equal(fclose(to), 0);
	assert_ptr_equal(strchr(text, '\n'), text + size - 1);
	return text;
}

static json_t *write_object(const struct ctlscan_view *view)
{
	char *text = write_text(view);
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (!object)
		fail_msg("no JSON: %s", text);
	free(text);
	return object;
}

/* A process may call itself anything; the object must be there all the same. */
static void json_survives_any_name(void **state)
{
	struct ctlscan_view view = {.scan = &made.scan, .fds = true};
	const json_t *listener, *leaker;
	json_t *object;

	(void)state;
	strcpy(made.leakers[0].process.comm, "\xff\033\"\\\n");
	strcpy(made.leakers[0].process.exe, "/tmp/\xc3 (deleted)");
	made.leakers[0].growth_known = true;
	made.leakers[0].growth = 31;
	made.leakers[1].process.pid = 0;
	made.sockets[1].fd = 7;
	made.scan.owner_error = -2;
	made.client.chance.share = made.listener.share = 0.25;
	assert_int_equal(cgroup_open(CGROUP_WALK_TOOL_US, &view.cgroups), 0);
	object = write_object(&view);

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

/* No unit is one answer, no time to find it another. */
static void a_unit_in_doubt_is_told_from_a_missing_one(void **state)
{
	struct scan_leaker leaker = {.process = {.pid = 812, .comm = "nginx"}, .cgroup_id = 1};
	char name[CTLSCAN_LEAKER_SIZE];
	struct cgroup_map *cgroups;

	(void)state;
	assert_int_equal(cgroup_open_at("/", 0, &cgroups), 0);
	assert_string_equal(ctlscan_name_leaker(cgroups, &leaker, name),
			    "nginx (pid 812, unit unknown)");
	leaker.cgroup_id = 0;
	assert_string_equal(ctlscan_name_leaker(cgroups, &leaker, name), "nginx (pid 812)");
	cgroup_close(cgroups);
}

/* With lists of none, one and two. */
static void json_is_one_line_of_one_object(void **state)
{
	static const char want[] =
		"{\"scan\":{\"time\":\"1970-01-01T00:00:00.000000Z\",\"close_wait\":2,\"mines\":0,"
		"\"half_closed\":0,\"remote\":0,\"uncertain\":0,\"unattributed\":0,"
		"\"processes_seen\":0,\"processes_denied\":0,\"processes_hidden\":false,"
		"\"connection_tracking\":false,\"table_changed\":false,\"port_range\":[4,5],"
		"\"listeners\":[{\"local\":\"127.0.0.1:80\",\"listens\":false,\"mines\":0,"
		"\"half_closed\":0,\"remote\":0,\"uncertain\":0,\"colliding\":0,"
		"\"collision_share\":0.0,\"connects_per_collision\":null,\"leakers\":["
		"{\"pid\":100,\"uid\":0,\"mines\":0,\"half_closed\":0,\"remote\":0,"
		"\"uncertain\":0,\"not_accepted\":0,\"shared\":0,\"unread\":0,\"oldest_ms\":0,"
		"\"growth_per_minute\":null,\"sockets\":["
		"{\"kind\":\"mine\",\"colliding\":false,\"peer\":\"127.0.0.1:80\",\"age_ms\":0,"
		"\"unread\":0,\"inode\":0,\"holders\":0},"
		"{\"kind\":\"mine\",\"colliding\":false,\"peer\":\"127.0.0.1:80\",\"age_ms\":0,"
		"\"unread\":0,\"inode\":0,\"holders\":0}]}],\"clients\":[]}]},"
		"\"ok\":true,\"version\":1}\n";
	const struct ephemeral ephemeral = {.low = 4, .high = 5};
	struct ctlscan_view view = {.scan = &made.scan, .ephemeral = &ephemeral, .fds = true};
	char *text;

	(void)state;
	made.leakers[0].n_sockets = 2;
	made.listener.n_leakers = 1;
	made.listener.n_clients = 0;
	assert_int_equal(cgroup_open(CGROUP_WALK_TOOL_US, &view.cgroups), 0);
	text = write_text(&view);
	assert_string_equal(text, want);
	free(text);
	made.scan.n_listeners = 0;
	text = write_text(&view);
	assert_non_null(strstr(text, ",\"listeners\":[]},\"ok\":true,"));
	free(text);
	cgroup_close(view.cgroups);
}

/* jansson's memory in bytes, the most it had, and how many more requests are granted. */
static struct {
	size_t now, most;
	long granted;
} memory;

static void *count_malloc(size_t size)
{
	void *block = memory.granted-- > 0 ? malloc(size) : NULL;

	if (block)
		memory.now += malloc_usable_size(block);
	if (memory.now > memory.most)
		memory.most = memory.now;
	return block;
}

static void count_free(void *block)
{
	if (block)
		memory.now -= malloc_usable_size(block);
	free(block);
}

static int write_counted(const struct ctlscan_view *view, const char *path, long granted)
{
	FILE *to = fopen(path, "we");
	int err;

	assert_non_null(to);
	memory.now = memory.most = 0;
	memory.granted = granted;
	json_set_alloc_funcs(count_malloc, count_free);
	err = ctlscan_write(view, to);
	json_set_alloc_funcs(malloc, free);
	fclose(to);
	assert_int_equal(memory.now, 0);
	return err;
}

/* However many there are, no more is kept than what is being written. */
static void json_takes_little_memory(void **state)
{
	enum { MANY = 20000, ENOUGH = 16384 };
	struct ctlscan_view view = {.scan = &made.scan, .fds = true};
	struct scan_socket *sockets = calloc(MANY, sizeof(*sockets));
	struct scan_leaker *leakers = calloc(MANY, sizeof(*leakers));

	(void)state;
	assert_non_null(sockets);
	assert_non_null(leakers);
	for (size_t i = 0; i < MANY; i++) {
		sockets[i] = made.sockets[0];
		leakers[i] = made.leakers[0];
	}
	assert_int_equal(cgroup_open(CGROUP_WALK_TOOL_US, &view.cgroups), 0);
	made.leakers[0].sockets = sockets;
	made.leakers[0].n_sockets = MANY;
	assert_int_equal(write_counted(&view, "/dev/null", LONG_MAX), 0);
	if (memory.most > ENOUGH)
		fail_msg("%d sockets: %zu bytes at once", MANY, memory.most);
	made.listener.leakers = leakers;
	made.listener.n_leakers = MANY;
	assert_int_equal(write_counted(&view, "/dev/null", LONG_MAX), 0);
	if (memory.most > ENOUGH)
		fail_msg("%d leakers: %zu bytes at once", MANY, memory.most);
	cgroup_close(view.cgroups);
	free(leakers);
	free(sockets);
}

/* Half an answer is told to be none. */
static void json_tells_a_failure(void **state)
{
	struct ctlscan_view view = {.scan = &made.scan, .fds = true};

	(void)state;
	assert_int_equal(cgroup_open(CGROUP_WALK_TOOL_US, &view.cgroups), 0);
	assert_int_equal(write_counted(&view, "/dev/null", 0), -ENOMEM);
	assert_int_equal(write_counted(&view, "/dev/full", LONG_MAX), -ENOSPC);
	cgroup_close(view.cgroups);
}

#define SCAN_TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(growth_from_scan_to_scan),
		SCAN_TEST(growth_needs_time),
		SCAN_TEST(names_are_cleaned),
		SCAN_TEST(a_unit_in_doubt_is_told_from_a_missing_one),
		SCAN_TEST(json_survives_any_name),
		SCAN_TEST(json_is_one_line_of_one_object),
		SCAN_TEST(json_takes_little_memory),
		SCAN_TEST(json_tells_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
