/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockdump against a kernel that answers in pieces, late, never, and with what nobody asked for. */
#include "config.h"

#include "sockdump.h"
#include "diagwire.h"
#include "fakenl.h"
#include "unit.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define DEADLINE_MS 2000
#define N_SOCKETS   40
#define FOREIGN_PID 4711

/* The kernel's table, and what it does otherwise than a good one would. */
static struct {
	struct sock_info sockets[N_SOCKETS];
	size_t per_piece;
	void (*twist)(int family, struct reply *reply); /* each piece */
	bool details;					/* as asked for last */
	size_t dumps;
} k;

/* What was passed on. */
static struct {
	unsigned int times[N_SOCKETS];
	size_t total;
	size_t stop_after; /* 0: never */
	bool has_age;
} got;

static void send_piece(int fd, int family, struct reply *reply)
{
	if (k.twist)
		k.twist(family, reply);
	if (!reply->lost)
		fakenl_deliver(fd, reply->bytes, reply->len, reply->port_id, reply->delay_ms);
	*reply = (struct reply){.seq = reply->seq, .index = reply->index + 1};
}

static void kernel(int fd, const void *buf, size_t len)
{
	static struct reply reply;
	const struct nlmsghdr *nlh = buf;
	const struct inet_diag_req_v2 *req = (const void *)(nlh + 1);
	size_t in_piece = 0;

	assert_int_equal(len, nlh->nlmsg_len);
	assert_int_equal(nlh->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	k.details = req->idiag_ext & 1 << (INET_DIAG_INFO - 1);
	k.dumps++;
	reply = (struct reply){.seq = nlh->nlmsg_seq};
	for (size_t i = 0; i < N_SOCKETS; i++) {
		struct sock_info info = k.sockets[i];

		if (!(req->idiag_states >> info.state & 1) ||
		    (req->sdiag_family == AF_INET6) != diagwire_is_v6(&info))
			continue;
		info.has_age = k.details;
		reply_append_info(&reply, &info, NLM_F_MULTI);
		if (++in_piece == k.per_piece) {
			send_piece(fd, req->sdiag_family, &reply);
			in_piece = 0;
		}
	}
	if (in_piece > 0)
		send_piece(fd, req->sdiag_family, &reply);
	reply_append_done(&reply, 0);
	send_piece(fd, req->sdiag_family, &reply);
}

/* Half of them IPv6 sockets, a quarter of those with an IPv4 connection; the inode is the index. */
static int set_up(void **state)
{
	static const char *const texts[] = {"127.0.0.1:80", "[::1]:80", "127.0.0.2:80",
					    "127.0.0.3:80"};

	(void)state;
	memset(&k, 0, sizeof(k));
	memset(&got, 0, sizeof(got));
	k.per_piece = 3;
	for (size_t i = 0; i < N_SOCKETS; i++) {
		struct sock_info *info = &k.sockets[i];

		assert_int_equal(endpoint_parse(texts[i % 4], &info->tuple.src), 0);
		info->tuple.dst = info->tuple.src;
		info->tuple.dst.port = htons((uint16_t)(40000 + i));
		info->state = i % 5 == 0 ? TCPSTATE_FIN_WAIT_2 : TCPSTATE_CLOSE_WAIT;
		info->inode = (uint32_t)i;
		info->uid = i % 4 == 3 ? DUAL_STACK_UID : 0;
		info->age_ms = 1000 + (uint32_t)i;
	}
	fakenl_reset(kernel);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(fakenl_open_sockets(), 0);
	return 0;
}

static int take(void *ctx, const struct sock_info *info)
{
	const struct sock_info *want;

	assert_ptr_equal(ctx, &got);
	assert_true(info->inode < N_SOCKETS);
	want = &k.sockets[info->inode];
	assert_true(tuple_equal(&info->tuple, &want->tuple));
	assert_int_equal(info->state, want->state);
	got.has_age = info->has_age;
	if (info->has_age)
		assert_int_equal(info->age_ms, want->age_ms);
	got.times[info->inode]++;
	return ++got.total == got.stop_after ? -ECANCELED : 0;
}

static int walk(tcpstate_set states, bool *ret_changed)
{
	memset(&got.times, 0, sizeof(got.times));
	got.total = 0;
	return sockdump_walk(states, false, take, &got, ret_changed);
}

static void expect_all(tcpstate_set states)
{
	for (size_t i = 0; i < N_SOCKETS; i++)
		assert_int_equal(got.times[i], tcpstate_in(k.sockets[i].state, states));
}

static const tcpstate_set close_wait = (tcpstate_set)1 << TCPSTATE_CLOSE_WAIT;

static void both_families_come_whole(void **state)
{
	const tcpstate_set all = TCPSTATE_SET_ALL, fin_wait = tcpstate_bit(TCPSTATE_FIN_WAIT_2);

	(void)state;
	for (k.per_piece = 1; k.per_piece <= N_SOCKETS; k.per_piece++) {
		bool changed = true;

		assert_int_equal(walk(all, &changed), 0);
		expect_all(all);
		assert_false(changed);
		assert_int_equal(walk(close_wait, NULL), 0);
		expect_all(close_wait);
		assert_int_equal(walk(fin_wait, NULL), 0);
		expect_all(fin_wait);
		assert_int_equal(walk(tcpstate_bit(TCPSTATE_LISTEN), NULL), 0);
		assert_int_equal(got.total, 0);
	}
}

static void ages_come_if_asked_for(void **state)
{
	(void)state;
	assert_int_equal(sockdump_walk(close_wait, true, take, &got, NULL), 0);
	assert_true(k.details);
	assert_true(got.has_age);
	assert_int_equal(walk(close_wait, NULL), 0);
	assert_false(k.details);
	assert_false(got.has_age);
}

static void states_that_are_none_are_refused(void **state)
{
	struct sockdump *dump = NULL;

	(void)state;
	assert_int_equal(sockdump_open(0, false, &dump), -EINVAL);
	assert_int_equal(sockdump_open(1, false, &dump), -EINVAL);
	assert_int_equal(sockdump_open((tcpstate_set)1 << TCPSTATE_COUNT, false, &dump), -EINVAL);
	assert_null(dump);
	assert_int_equal(fakenl_count(FAKENL_SOCKET), 0);
}

static void a_step_is_one_piece(void **state)
{
	struct sockdump *dump;
	size_t before = 0;
	size_t steps = 0;
	int done;

	(void)state;
	assert_int_equal(sockdump_open(TCPSTATE_SET_ALL, false, &dump), 0);
	do {
		done = sockdump_step(dump, take, &got);
		assert_true(done == 0 || done == 1);
		assert_true(got.total - before <= k.per_piece);
		before = got.total;
		steps++;
	} while (done == 0);
	expect_all(TCPSTATE_SET_ALL);
	/* 10 + 30 sockets in pieces of 3, and the end of each dump. */
	assert_in_range(steps, 14, 16);
	assert_int_equal(k.dumps, 2);
	sockdump_close(dump);
	sockdump_close(NULL);
}

static void the_caller_ends_the_walk(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 32; n++) {
		got.stop_after = n;
		assert_int_equal(walk(close_wait, NULL), -ECANCELED);
		assert_int_equal(got.total, n);
		assert_int_equal(fakenl_open_sockets(), 0);
	}
	got.stop_after = 0;
	assert_int_equal(walk(close_wait, NULL), 0);
	expect_all(close_wait);
}

static int twisted_family;

static bool is_twisted(int family, const struct reply *reply)
{
	return family == twisted_family && reply->index == 1;
}

static void interrupt(int family, struct reply *reply)
{
	const uint16_t flags = NLM_F_MULTI | NLM_F_DUMP_INTR;

	if (is_twisted(family, reply))
		memcpy(reply->bytes + offsetof(struct nlmsghdr, nlmsg_flags), &flags,
		       sizeof(flags));
}

static void a_changed_table_is_told(void **state)
{
	static const int twisted[] = {AF_INET, AF_INET6};

	(void)state;
	k.twist = interrupt;
	for (size_t i = 0; i < 2; i++) {
		bool changed = false;

		twisted_family = twisted[i];
		assert_int_equal(walk(close_wait, &changed), 0);
		assert_true(changed);
		expect_all(close_wait);
	}
}

static void lose(int family, struct reply *reply)
{
	reply->lost = is_twisted(family, reply);
}

static void lose_end(int family, struct reply *reply)
{
	const struct nlmsghdr *nlh = (const void *)reply->bytes;

	reply->lost = family == twisted_family && nlh->nlmsg_type == NLMSG_DONE;
}

static void overrun(int family, struct reply *reply)
{
	if (is_twisted(family, reply))
		fakenl_deliver_error(fakenl_fd(), ENOBUFS);
}

static void spoil(int family, struct reply *reply)
{
	if (is_twisted(family, reply))
		reply->bytes[NLMSG_HDRLEN] = 99; /* no such family */
}

static void bloat(int family, struct reply *reply)
{
	if (is_twisted(family, reply))
		reply->len = 32769;
}

static void refuse(int family, struct reply *reply)
{
	if (is_twisted(family, reply)) {
		reply->len = 0;
		reply_append_error(reply, -ENOMEM);
	}
}

static void end_badly(int family, struct reply *reply)
{
	if (is_twisted(family, reply)) {
		reply->len = 0;
		reply_append_done(reply, -EMSGSIZE);
	}
}

static void a_broken_dump_is_an_error(void **state)
{
	static const struct {
		void (*twist)(int family, struct reply *reply);
		int error;
	} cases[] = {
		{lose_end, -ETIMEDOUT}, {overrun, -ENOBUFS}, {spoil, -EBADMSG},
		{bloat, -EBADMSG},	{refuse, -ENOMEM},   {end_badly, -EMSGSIZE},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		bool changed = false;

		twisted_family = i % 2 ? AF_INET6 : AF_INET;
		k.twist = cases[i / 2].twist;
		assert_int_equal(walk(close_wait, &changed), cases[i / 2].error);
		assert_false(changed);
		assert_int_equal(fakenl_open_sockets(), 0);
		k.twist = NULL;
		assert_int_equal(walk(close_wait, NULL), 0);
		expect_all(close_wait);
	}
}

/* Only the kernel knows that a piece is missing, and it says so with ENOBUFS; the rest must come. */
static void a_lost_piece_loses_no_other(void **state)
{
	(void)state;
	twisted_family = AF_INET6;
	k.twist = lose;
	assert_int_equal(walk(close_wait, NULL), 0);
	assert_int_equal(got.total, 32 - 3);
}

static unsigned int delay_ms;

static void delay(int family, struct reply *reply)
{
	(void)family;
	reply->delay_ms = delay_ms * (unsigned int)(reply->index + 1);
}

/* The deadline is for the kernel's silence, not for the whole table. */
static void a_slow_kernel_is_waited_for(void **state)
{
	int64_t start = fakenl_now_ms();

	(void)state;
	k.twist = delay;
	delay_ms = DEADLINE_MS - 1;
	assert_int_equal(walk(close_wait, NULL), 0);
	expect_all(close_wait);
	assert_true(fakenl_now_ms() - start > 10 * (DEADLINE_MS - 1));
	start = fakenl_now_ms();
	delay_ms = DEADLINE_MS + 1;
	assert_int_equal(walk(close_wait, NULL), -ETIMEDOUT);
	assert_int_equal(fakenl_now_ms() - start, DEADLINE_MS);
}

static void interruptions_do_no_harm(void **state)
{
	(void)state;
	k.twist = delay;
	delay_ms = 10;
	fakenl_fail(FAKENL_SENDTO, 0, 2, EINTR);
	fakenl_fail(FAKENL_RECV, 1, 3, EINTR);
	fakenl_fail(FAKENL_POLL, 0, 2, EINTR);
	assert_int_equal(walk(close_wait, NULL), 0);
	expect_all(close_wait);
}

static void system_calls_fail(void **state)
{
	(void)state;
	fakenl_fail(FAKENL_SOCKET, 0, 1, EMFILE);
	assert_int_equal(walk(close_wait, NULL), -EMFILE);
	fakenl_fail(FAKENL_BIND, 0, 1, EADDRINUSE);
	assert_int_equal(walk(close_wait, NULL), -EADDRINUSE);
	fakenl_fail(FAKENL_SENDTO, 0, 1, ENOBUFS);
	assert_int_equal(walk(close_wait, NULL), -ENOBUFS);
	fakenl_fail(FAKENL_SENDTO, 1, 1, EPERM);
	assert_int_equal(walk(close_wait, NULL), -EPERM);
	fakenl_fail(FAKENL_RECV, 2, 1, EIO);
	assert_int_equal(walk(close_wait, NULL), -EIO);
	/* Without the capability the buffer stays small: a dump needs but one piece at a time. */
	fakenl_fail(FAKENL_SETSOCKOPT, 0, 1, EPERM);
	assert_int_equal(walk(close_wait, NULL), 0);
	expect_all(close_wait);
}

static void forge_sender(int family, struct reply *reply)
{
	struct reply forged = *reply;

	(void)family;
	forged.port_id = FOREIGN_PID;
	fakenl_deliver(fakenl_fd(), forged.bytes, forged.len, forged.port_id, 0);
}

static void forge_sequence(int family, struct reply *reply)
{
	static struct reply forged;
	uint32_t seq = reply->seq + 1;

	(void)family;
	forged = *reply;
	memcpy(forged.bytes + offsetof(struct nlmsghdr, nlmsg_seq), &seq, sizeof(seq));
	fakenl_deliver(fakenl_fd(), forged.bytes, forged.len, 0, 0);
}

static void pieces_of_others_are_passed_over(void **state)
{
	(void)state;
	k.per_piece = 1;
	k.twist = forge_sender;
	assert_int_equal(walk(close_wait, NULL), 0);
	expect_all(close_wait);
	k.twist = forge_sequence;
	assert_int_equal(walk(close_wait, NULL), 0);
	expect_all(close_wait);
}

static void flood(int family, struct reply *reply)
{
	reply->lost = true;
	(void)family;
	fakenl_flood(fakenl_fd(), reply->bytes, reply->len, FOREIGN_PID);
	fakenl_set_read_time(1);
}

static void a_flood_does_not_outlast_the_deadline(void **state)
{
	int64_t start = fakenl_now_ms();

	(void)state;
	k.twist = flood;
	assert_int_equal(walk(close_wait, NULL), -ETIMEDOUT);
	assert_in_range(fakenl_now_ms() - start, DEADLINE_MS, DEADLINE_MS + 1);
}

#define DUMP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DUMP_TEST(both_families_come_whole),
		DUMP_TEST(ages_come_if_asked_for),
		DUMP_TEST(states_that_are_none_are_refused),
		DUMP_TEST(a_step_is_one_piece),
		DUMP_TEST(the_caller_ends_the_walk),
		DUMP_TEST(a_changed_table_is_told),
		DUMP_TEST(a_broken_dump_is_an_error),
		DUMP_TEST(a_lost_piece_loses_no_other),
		DUMP_TEST(a_slow_kernel_is_waited_for),
		DUMP_TEST(interruptions_do_no_harm),
		DUMP_TEST(system_calls_fail),
		DUMP_TEST(pieces_of_others_are_passed_over),
		DUMP_TEST(a_flood_does_not_outlast_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
