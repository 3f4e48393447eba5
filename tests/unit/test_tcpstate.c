/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of tcpstate: the kernel's numbers, their words, sets of them. */
#include "config.h"

#include "tcpstate.h"
#include "unit.h"

#include <netinet/tcp.h>

/* glibc's netinet/tcp.h has the kernel's numbers, so this table is not ours to get wrong. */
static const char *const words[TCPSTATE_COUNT] = {
	[TCP_ESTABLISHED] = "established",
	[TCP_SYN_SENT] = "syn-sent",
	[TCP_SYN_RECV] = "syn-recv",
	[TCP_FIN_WAIT1] = "fin-wait-1",
	[TCP_FIN_WAIT2] = "fin-wait-2",
	[TCP_TIME_WAIT] = "time-wait",
	[TCP_CLOSE] = "close",
	[TCP_CLOSE_WAIT] = "close-wait",
	[TCP_LAST_ACK] = "last-ack",
	[TCP_LISTEN] = "listen",
	[TCP_CLOSING] = "closing",
	[12] = "new-syn-recv", /* TCP_NEW_SYN_RECV is not in the C library's header */
};

static const char *name(unsigned int value)
{
	return tcpstate_name((enum tcpstate)value);
}

static int parse(const char *text, unsigned int *ret_value)
{
	enum tcpstate tcpstate = (enum tcpstate) * ret_value;
	int err = tcpstate_parse(text, &tcpstate);

	*ret_value = tcpstate;
	return err;
}

static void test_words(void **state)
{
	(void)state;
	unit_check_words(words, TCPSTATE_COUNT, name, parse);
}

static void test_numbers_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(TCPSTATE_ESTABLISHED, TCP_ESTABLISHED);
	assert_int_equal(TCPSTATE_SYN_SENT, TCP_SYN_SENT);
	assert_int_equal(TCPSTATE_SYN_RECV, TCP_SYN_RECV);
	assert_int_equal(TCPSTATE_FIN_WAIT_1, TCP_FIN_WAIT1);
	assert_int_equal(TCPSTATE_FIN_WAIT_2, TCP_FIN_WAIT2);
	assert_int_equal(TCPSTATE_TIME_WAIT, TCP_TIME_WAIT);
	assert_int_equal(TCPSTATE_CLOSE, TCP_CLOSE);
	assert_int_equal(TCPSTATE_CLOSE_WAIT, TCP_CLOSE_WAIT);
	assert_int_equal(TCPSTATE_LAST_ACK, TCP_LAST_ACK);
	assert_int_equal(TCPSTATE_LISTEN, TCP_LISTEN);
	assert_int_equal(TCPSTATE_CLOSING, TCP_CLOSING);
}

static void test_sets(void **state)
{
	const tcpstate_set two = tcpstate_bit(TCPSTATE_LISTEN) | tcpstate_bit(TCPSTATE_SYN_SENT);

	(void)state;
	assert_int_equal(tcpstate_bit(TCPSTATE_ESTABLISHED), 2);
	assert_int_equal(tcpstate_bit(TCPSTATE_NEW_SYN_RECV), 4096);
	for (unsigned int value = 0; value < TCPSTATE_COUNT; value++) {
		bool member = value == TCPSTATE_LISTEN || value == TCPSTATE_SYN_SENT;

		assert_int_equal(tcpstate_in((enum tcpstate)value, two), member);
		assert_false(tcpstate_in((enum tcpstate)value, 0));
		assert_true(tcpstate_in((enum tcpstate)value, UINT32_MAX));
		assert_int_equal(tcpstate_in((enum tcpstate)value, TCPSTATE_SET_ALL), value != 0);
	}
	/* Nothing beyond: 13 is TCP_BOUND_INACTIVE since Linux 6.8. */
	assert_int_equal(TCPSTATE_SET_ALL >> TCPSTATE_COUNT, 0);
}

/*
 * Synchronised states only (RFC 9293, 3.10.7.4), without TIME_WAIT, which gives way to a new SYN
 * by itself, and never the listener.
 */
static void test_can_be_stale(void **state)
{
	static const bool can[TCPSTATE_COUNT] = {
		[TCPSTATE_ESTABLISHED] = true, [TCPSTATE_FIN_WAIT_1] = true,
		[TCPSTATE_FIN_WAIT_2] = true,  [TCPSTATE_CLOSE_WAIT] = true,
		[TCPSTATE_LAST_ACK] = true,    [TCPSTATE_CLOSING] = true,
	};

	(void)state;
	for (unsigned int value = 0; value < TCPSTATE_COUNT; value++)
		assert_int_equal(tcpstate_can_be_stale((enum tcpstate)value), can[value]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_numbers_are_the_kernels),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_can_be_stale),
	};

	return cmocka_run_group_tests_name("tcpstate", tests, NULL, NULL);
}
