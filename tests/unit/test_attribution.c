/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of attribution; the test itself is the server, and the kernel's look-up is a wrapped one. */
#include "config.h"

#include "attribution.h"
#include "ownerserver.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct attribution *a;
	int server;
	struct diag_answer listener; /* what the kernel says of one */
	struct diag_request asked;
};

static struct fixture *fixture;

void __wrap_diag_lookup(struct diag *diag, const struct diag_request *requests, size_t n,
			struct diag_answer *ret_answers);
void __wrap_diag_lookup(struct diag *diag, const struct diag_request *requests, size_t n,
			struct diag_answer *ret_answers)
{
	assert_null(diag);
	assert_int_equal(n, 1);
	fixture->asked = requests[0];
	ret_answers[0] = fixture->listener;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	f->server = fds[1];
	*state = fixture = f;
	return attribution_new(fds[0], NULL, &f->a);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	attribution_free(f->a);
	close(f->server);
	free(f);
	return 0;
}

/* Each has its number as its time, so that it can be told from the others. */
static struct incident incident(uint64_t number, enum tcpstate state, uint32_t inode)
{
	struct incident i = {
		.time_ns = number,
		.finding = FINDING_COLLISION,
		.has_occupant = true,
		.occupant = {.state = state, .inode = inode, .uid = 33, .cgroup_id = 44},
	};

	assert_int_equal(endpoint_parse("127.0.0.1:40000", &i.syn.src), 0);
	assert_int_equal(endpoint_parse("127.0.0.1:80", &i.syn.dst), 0);
	i.syn.scope = 5;
	return i;
}

static void add(struct fixture *f, uint64_t number, uint32_t inode, uint64_t now_us)
{
	const struct incident i = incident(number, TCPSTATE_CLOSE_WAIT, inode);
	struct incident displaced;

	assert_false(attribution_add(f->a, &i, now_us, &displaced));
}

/* The server's next question; id 0 if there is none. */
static struct owner_question question(struct fixture *f)
{
	struct owner_question q = {0};

	if (recv(f->server, &q, sizeof(q), 0) < 0)
		assert_int_equal(errno, EAGAIN);
	return q;
}

static void answer(struct fixture *f, uint64_t id, enum leaker_kind kind, pid_t pid)
{
	struct owner_answer a = {
		.id = id,
		.leaker = {.kind = kind, .count = pid > 0, .first = {pid, 7}},
	};

	assert_int_equal(send(f->server, &a, sizeof(a), 0), sizeof(a));
}

static void check_taken(struct fixture *f, uint64_t now_us, uint64_t number, enum leaker_kind kind,
			pid_t pid)
{
	struct incident i;

	assert_true(attribution_take(f->a, now_us, &i));
	assert_int_equal(i.time_ns, number);
	assert_int_equal(i.leaker.kind, kind);
	assert_int_equal(i.leaker.first.pid, pid);
}

static void check_none(struct fixture *f, uint64_t now_us)
{
	struct incident i;

	assert_false(attribution_take(f->a, now_us, &i));
}

static void test_asks_and_takes(void **state)
{
	struct fixture *f = *state;
	struct owner_question q;

	assert_true(attribution_wait_us(f->a, 0) == UINT64_MAX);
	add(f, 1, 100, 1000);
	q = question(f);
	assert_int_equal(q.inode, 100);
	assert_int_equal(q.since_us, 1000);
	assert_int_equal(q.until_us, 1000 + ATTRIBUTION_WAIT_US);
	check_none(f, 1000);
	assert_int_equal(attribution_wait_us(f->a, 1000), ATTRIBUTION_WAIT_US);
	answer(f, q.id, LEAKER_HELD, 20);
	assert_int_equal(attribution_hear(f->a), 0);
	check_taken(f, 1000, 1, LEAKER_HELD, 20);
	check_none(f, 1000);
	assert_int_equal(attribution_counts(f->a)[LEAKER_HELD], 1);
}

static void test_keeps_the_order(void **state)
{
	const struct incident nobody = {.time_ns = 2, .finding = FINDING_LOOKUP_FAILED};
	struct fixture *f = *state;
	struct incident displaced;
	uint64_t first, third;

	add(f, 1, 100, 1000);
	first = question(f).id;
	assert_false(attribution_add(f->a, &nobody, 1000, &displaced));
	add(f, 3, 102, 1000);
	third = question(f).id;
	answer(f, third, LEAKER_GONE, 0);
	assert_int_equal(attribution_hear(f->a), 0);
	check_none(f, 1000);
	answer(f, first, LEAKER_HELD, 20);
	assert_int_equal(attribution_hear(f->a), 0);
	check_taken(f, 1000, 1, LEAKER_HELD, 20);
	check_taken(f, 1000, 2, LEAKER_NOT_SOUGHT, 0);
	check_taken(f, 1000, 3, LEAKER_GONE, 0);
}

static void test_does_not_wait_for_ever(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	add(f, 1, 100, 1000);
	add(f, 2, 101, 2000);
	id = question(f).id;
	check_none(f, 999 + ATTRIBUTION_WAIT_US);
	assert_int_equal(attribution_wait_us(f->a, 999 + ATTRIBUTION_WAIT_US), 1);
	assert_int_equal(attribution_wait_us(f->a, 1000 + ATTRIBUTION_WAIT_US), 0);
	check_taken(f, 1000 + ATTRIBUTION_WAIT_US, 1, LEAKER_LATE, 0);
	check_none(f, 1000 + ATTRIBUTION_WAIT_US);
	/* Its answer comes after all, and is nobody's. */
	answer(f, id, LEAKER_HELD, 20);
	assert_int_equal(attribution_hear(f->a), 0);
	check_none(f, 1000 + ATTRIBUTION_WAIT_US);
	check_taken(f, 2000 + ATTRIBUTION_WAIT_US, 2, LEAKER_LATE, 0);
}

static void test_the_oldest_gives_way(void **state)
{
	struct fixture *f = *state;
	struct incident i, displaced;
	uint64_t ids[ATTRIBUTION_MAX];

	for (uint64_t n = 0; n < ATTRIBUTION_MAX; n++) {
		add(f, n, 100, 1000);
		ids[n] = question(f).id;
	}
	for (uint64_t n = 0; n < 3; n++) {
		i = incident(1000 + n, TCPSTATE_CLOSE_WAIT, 100);
		assert_true(attribution_add(f->a, &i, 1000, &displaced));
		assert_int_equal(displaced.time_ns, n);
		assert_int_equal(displaced.leaker.kind, LEAKER_LATE);
		/* Its place in the ring is another one's now. */
		answer(f, ids[n], LEAKER_HELD, 20);
		assert_int_equal(attribution_hear(f->a), 0);
	}
	check_none(f, 1000);
	assert_int_equal(attribution_counts(f->a)[LEAKER_LATE], 3);
	attribution_give_up(f->a);
	for (uint64_t n = 3; n < ATTRIBUTION_MAX; n++)
		check_taken(f, 1000, n, LEAKER_LATE, 0);
	for (uint64_t n = 0; n < 3; n++)
		check_taken(f, 1000, 1000 + n, LEAKER_LATE, 0);
	check_none(f, 1000);
}

/* A server that does not read: at some point no question fits any more. */
static void test_never_blocks(void **state)
{
	struct fixture *f = *state;
	struct incident displaced;

	for (uint64_t n = 0; n < 5000; n++) {
		const struct incident i = incident(n, TCPSTATE_CLOSE_WAIT, 100);

		if (attribution_add(f->a, &i, 1000, &displaced))
			assert_int_equal(displaced.time_ns, n - ATTRIBUTION_MAX);
	}
	for (uint64_t n = 5000 - ATTRIBUTION_MAX; n < 5000; n++)
		check_taken(f, 1000, n, LEAKER_LATE, 0);
}

static void test_answers_that_are_none(void **state)
{
	struct owner_answer hostile = {
		.leaker = {.kind = LEAKER_HELD, .count = 1, .first = {21, 0}},
	};
	struct fixture *f = *state;
	struct incident i;
	uint64_t id;

	add(f, 1, 100, 1000);
	id = question(f).id;
	answer(f, id + 1, LEAKER_HELD, 20);
	answer(f, id + 64, LEAKER_HELD, 20);
	answer(f, id - 1, LEAKER_HELD, 20);
	answer(f, id, LEAKER_KIND_COUNT, 20);
	assert_int_equal(attribution_hear(f->a), 0);
	check_none(f, 1000);
	/* Names without an end. */
	hostile.id = id;
	memset(hostile.leaker.comm, 'x', sizeof(hostile.leaker.comm));
	memset(hostile.leaker.exe, 'x', sizeof(hostile.leaker.exe));
	assert_int_equal(send(f->server, &hostile, sizeof(hostile), 0), sizeof(hostile));
	answer(f, id, LEAKER_HELD, 20); /* the second one to the same */
	assert_int_equal(attribution_hear(f->a), 0);
	assert_true(attribution_take(f->a, 1000, &i));
	assert_int_equal(strlen(i.leaker.comm), LEAKER_COMM_SIZE - 1);
	assert_int_equal(strlen(i.leaker.exe), LEAKER_EXE_SIZE - 1);
	assert_int_equal(i.leaker.first.pid, 21);
	/* Half a one: it is no server of ours. */
	assert_int_equal(send(f->server, &hostile, 8, 0), 8);
	assert_int_equal(attribution_hear(f->a), -EPIPE);
}

/* Numbers that no process or descriptor has, and words that are not the server's to say. */
static void test_numbers_that_are_none(void **state)
{
	static const struct leaker hostile[] = {
		{.kind = LEAKER_HELD, .count = 0, .first = {20, 7}},
		{.kind = LEAKER_HELD, .count = 1, .first = {0, 7}},
		{.kind = LEAKER_HELD, .count = 1, .first = {-1, 7}},
		{.kind = LEAKER_HELD, .count = 1, .first = {20, -1}},
		{.kind = LEAKER_HELD, .count = 2, .first = {20, 7}},
		{.kind = LEAKER_HELD, .count = 3, .first = {20, 7}, .others = {{21, 7}, {22, -1}}},
		{.kind = LEAKER_HELD, .count = 2, .first = {20, 7}, .others = {{INT_MIN, 7}}},
		{.kind = LEAKER_HELD, .count = UINT_MAX, .first = {20, 7}, .others = {{21, 7}}},
		{.kind = LEAKER_GONE, .count = 1, .first = {20, 7}},
		{.kind = LEAKER_NOT_SOUGHT},
		{.kind = LEAKER_ACCEPT_QUEUE},
		{.kind = LEAKER_ORPHANED},
		{.kind = (enum leaker_kind)INT_MIN},
	};
	struct owner_answer a = {0};
	struct fixture *f = *state;

	add(f, 1, 100, 1000);
	a.id = question(f).id;
	for (size_t n = 0; n < sizeof(hostile) / sizeof(hostile[0]); n++) {
		a.leaker = hostile[n];
		assert_int_equal(send(f->server, &a, sizeof(a), 0), sizeof(a));
		assert_int_equal(attribution_hear(f->a), 0);
		check_none(f, 1000);
	}
	/* What lies behind those that were counted is nobody's. */
	a.leaker = (struct leaker){
		.kind = LEAKER_HELD, .count = 2, .first = {20, 7}, .others = {{21, 0}, {-1, -1}}};
	assert_int_equal(send(f->server, &a, sizeof(a), 0), sizeof(a));
	assert_int_equal(attribution_hear(f->a), 0);
	check_taken(f, 1000, 1, LEAKER_HELD, 20);
}

static void test_a_server_that_ends(void **state)
{
	struct fixture *f = *state;

	add(f, 1, 100, 1000);
	add(f, 2, 101, 1000);
	answer(f, question(f).id, LEAKER_HELD, 20);
	question(f); /* a question that nobody has read would take the answers with it */
	close(f->server);
	f->server = -1;
	assert_int_equal(attribution_hear(f->a), -EPIPE);
	assert_int_equal(attribution_fd(f->a), -1);
	check_taken(f, 1000, 1, LEAKER_HELD, 20);
	check_taken(f, 1000, 2, LEAKER_LATE, 0);
	add(f, 3, 102, 1000);
	check_taken(f, 1000, 3, LEAKER_NOT_SOUGHT, 0);
	assert_int_equal(attribution_fd(NULL), -1);
}

/* --- sockets without an inode -----------------------------------------------------------------*/

static void test_orphans(void **state)
{
	static const enum tcpstate states[] = {TCPSTATE_FIN_WAIT_1, TCPSTATE_FIN_WAIT_2,
					       TCPSTATE_LAST_ACK, TCPSTATE_CLOSING};
	struct fixture *f = *state;
	struct incident displaced;

	for (uint64_t n = 0; n < 4; n++) {
		const struct incident i = incident(n, states[n], 0);

		assert_false(attribution_add(f->a, &i, 1000, &displaced));
		check_taken(f, 1000, n, LEAKER_ORPHANED, 0);
	}
	assert_int_equal(question(f).id, 0);
}

static void test_accept_queue(void **state)
{
	struct fixture *f = *state;
	struct owner_question q;

	f->listener.info = (struct sock_info){
		.state = TCPSTATE_LISTEN, .inode = 77, .uid = 33, .cgroup_id = 44};
	add(f, 1, 0, 1000);
	/* Asked for with a peer that no connection can have. */
	assert_int_equal(f->asked.socket.src.port, htons(80));
	assert_int_equal(f->asked.socket.dst.port, 0);
	assert_int_equal(f->asked.socket.scope, 5);
	assert_true(f->asked.cookie == DIAGMSG_ANY_SOCKET);
	q = question(f);
	assert_int_equal(q.inode, 77);
	answer(f, q.id, LEAKER_HELD, 20);
	assert_int_equal(attribution_hear(f->a), 0);
	check_taken(f, 1000, 1, LEAKER_ACCEPT_QUEUE, 20);
	/* Not found, and given up: it is in an accept queue all the same. */
	add(f, 2, 0, 1000);
	answer(f, question(f).id, LEAKER_DENIED, 0);
	assert_int_equal(attribution_hear(f->a), 0);
	check_taken(f, 1000, 2, LEAKER_ACCEPT_QUEUE, 0);
	add(f, 3, 0, 1000);
	attribution_give_up(f->a);
	check_taken(f, 1000, 3, LEAKER_ACCEPT_QUEUE, 0);
}

static void test_a_listener_of_somebody_else(void **state)
{
	static const struct diag_answer answers[] = {
		{.error = -ENOENT},
		{.info = {.state = TCPSTATE_CLOSE_WAIT, .inode = 77, .uid = 33, .cgroup_id = 44}},
		{.info = {.state = TCPSTATE_LISTEN, .inode = 77, .uid = 34, .cgroup_id = 44}},
		{.info = {.state = TCPSTATE_LISTEN, .inode = 77, .uid = 33, .cgroup_id = 45}},
	};
	struct fixture *f = *state;

	for (uint64_t n = 0; n < sizeof(answers) / sizeof(answers[0]); n++) {
		f->listener = answers[n];
		add(f, n, 0, 1000);
		assert_int_equal(question(f).inode, 0);
		check_taken(f, 1000, n, LEAKER_ACCEPT_QUEUE, 0);
	}
}

static const char *kind_word(unsigned int value)
{
	return leaker_kind_name((enum leaker_kind)value);
}

static void test_words(void **state)
{
	static const char *const words[LEAKER_KIND_COUNT] = {
		"not-sought", "held", "accept-queue", "orphaned", "gone", "denied", "late",
	};

	(void)state;
	unit_check_words(words, LEAKER_KIND_COUNT, kind_word, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asks_and_takes),
		TEST(test_keeps_the_order),
		TEST(test_does_not_wait_for_ever),
		TEST(test_the_oldest_gives_way),
		TEST(test_never_blocks),
		TEST(test_answers_that_are_none),
		TEST(test_numbers_that_are_none),
		TEST(test_a_server_that_ends),
		TEST(test_orphans),
		TEST(test_accept_queue),
		TEST(test_a_listener_of_somebody_else),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("attribution", tests, NULL, NULL);
}
