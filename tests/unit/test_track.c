/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track against ctnetlink answers that the test writes. */
#include "config.h"

#include "track.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
/* Wants the headers above it. */
#include <cmocka.h>

#include "fakemnl.h"

static struct track *track;

/* --- answers ----------------------------------------------------------------------------------*/

static void answer_entry(uint8_t state, size_t state_len, size_t id_len, uint32_t seq_offset)
{
	const uint8_t bytes[4] = {state};
	const uint8_t id[] = {1, 2, 3, 4};
	struct nlmsghdr *nlh =
		fakemnl_answer(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, seq_offset);
	struct nlattr *info, *tcp;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	mnl_attr_put_u32(nlh, CTA_STATUS, 8);
	info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	if (state_len > 0)
		mnl_attr_put(nlh, CTA_PROTOINFO_TCP_STATE, state_len, bytes);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
	if (id_len > 0)
		mnl_attr_put(nlh, CTA_ID, id_len, id);
}

static struct tuple syn_of(const char *src, const char *dst)
{
	struct tuple syn = {.src.port = htons(40000), .dst.port = htons(8000)};

	if (inet_pton(AF_INET6, src, &syn.src.addr) != 1 ||
	    inet_pton(AF_INET6, dst, &syn.dst.addr) != 1)
		fail_msg("bad address");
	return syn;
}

static const struct tuple *the_syn(void)
{
	static struct tuple syn;

	syn = syn_of("::ffff:127.0.0.2", "::ffff:127.0.0.1");
	return &syn;
}

/* To the answers that were made for it; the requests stay to be looked at. */
static struct track_entry look_at_entry(void)
{
	struct track_entry entry = track_look(track, the_syn());

	assert_int_equal(fakemnl.n_read, fakemnl.n_answers);
	fakemnl.n_answers = fakemnl.n_read = 0;
	return entry;
}

static enum track_kind look(void)
{
	return look_at_entry().kind;
}

/* As it was seen in the answer; the requests of that look are gone. */
static struct track_entry seen(uint8_t state, size_t state_len, size_t id_len)
{
	struct track_entry entry;

	fakemnl_forget();
	answer_entry(state, state_len, id_len, 0);
	entry = look_at_entry();
	fakemnl_forget();
	return entry;
}

static void forget(const struct track_entry *entry)
{
	track_forget(track, the_syn(), entry);
	assert_int_equal(fakemnl.n_read, fakemnl.n_answers);
}

static uint16_t type_of(size_t i)
{
	assert_int_equal(fakemnl_request(i)->nlmsg_type >> 8, NFNL_SUBSYS_CTNETLINK);
	return fakemnl_request(i)->nlmsg_type & 0xff;
}

static int set_up(void **state)
{
	(void)state;
	fakemnl_reset(NETLINK_NETFILTER);
	return track_open(&track);
}

static int tear_down(void **state)
{
	(void)state;
	track_close(track);
	return fakemnl.opened == fakemnl.closed ? 0 : -1;
}

/* --- tests ------------------------------------------------------------------------------------*/

static bool is_own(uint8_t state)
{
	return state == TCP_CONNTRACK_SYN_SENT || state == TCP_CONNTRACK_SYN_SENT2;
}

static void only_an_entry_of_its_own_is_new(void **state)
{
	(void)state;
	for (uint8_t s = TCP_CONNTRACK_NONE; s < TCP_CONNTRACK_MAX; s++) {
		fakemnl_forget();
		answer_entry(s, 1, 4, 0);
		assert_int_equal(look(), is_own(s) ? TRACK_OWN : TRACK_OLD);
		assert_int_equal(fakemnl.n_requests, 1);
		assert_int_equal(type_of(0), IPCTNL_MSG_CT_GET);
		assert_int_equal(fakemnl_request(0)->nlmsg_flags, NLM_F_REQUEST);
	}
}

static void there_may_be_none(void **state)
{
	(void)state;
	fakemnl_answer_error(-ENOENT);
	assert_int_equal(look(), TRACK_NONE);
}

/* In doubt the SYN has to come again, which costs it milliseconds. */
static void without_an_answer_there_may_be_one(void **state)
{
	(void)state;
	assert_int_equal(look(), TRACK_OLD); /* none in time */
	fakemnl_answer_error(-EOPNOTSUPP);
	assert_int_equal(look(), TRACK_OLD);
	answer_entry(0, 0, 4, 0); /* without a state */
	assert_int_equal(look(), TRACK_OLD);
	fakemnl_forget();
	answer_entry(TCP_CONNTRACK_SYN_SENT, 2, 4, 0); /* of the wrong length */
	assert_int_equal(look(), TRACK_OLD);
	fakemnl.send_error = ENOBUFS;
	assert_int_equal(look(), TRACK_OLD);
}

static void a_late_answer_is_passed_over(void **state)
{
	(void)state;
	fakemnl_answer_error(-ENOENT);
	look();
	answer_entry(TCP_CONNTRACK_CLOSE_WAIT, 1, 4, (uint32_t)-1);
	answer_entry(TCP_CONNTRACK_SYN_SENT, 1, 4, 0);
	assert_int_equal(look(), TRACK_OWN);
}

/* The payload of the attribute at the end of a path of types, which ends with 0; NULL without it. */
static const void *in_request(size_t i, const uint16_t *path, size_t len)
{
	const struct nlattr *attr =
		mnl_nlmsg_get_payload_offset(fakemnl_request(i), sizeof(struct nfgenmsg));
	size_t left = mnl_nlmsg_get_payload_len(fakemnl_request(i)) - sizeof(struct nfgenmsg);

	for (; *path; path++) {
		while (mnl_attr_ok(attr, (int)left) && mnl_attr_get_type(attr) != *path) {
			left -= MNL_ALIGN(attr->nla_len);
			attr = mnl_attr_next(attr);
		}
		if (!mnl_attr_ok(attr, (int)left))
			return NULL;
		if (path[1] == 0)
			break;
		left = mnl_attr_get_payload_len(attr);
		attr = mnl_attr_get_payload(attr);
	}
	assert_int_equal(mnl_attr_get_payload_len(attr), len);
	return mnl_attr_get_payload(attr);
}

static void check_address(size_t i, uint16_t type, const char *text, int family)
{
	const uint16_t path[] = {CTA_TUPLE_REPLY, CTA_TUPLE_IP, type, 0};
	const size_t len = family == AF_INET ? 4 : 16;
	uint8_t want[16];

	assert_int_equal(inet_pton(family, text, want), 1);
	assert_memory_equal(in_request(i, path, len), want, len);
}

static void check_port(size_t i, uint16_t type, uint16_t want)
{
	const uint16_t path[] = {CTA_TUPLE_REPLY, CTA_TUPLE_PROTO, type, 0};
	uint16_t port;

	memcpy(&port, in_request(i, path, sizeof(port)), sizeof(port));
	assert_int_equal(ntohs(port), want);
}

/* A deletion that names no tuple means them all. */
static void check_tuple(size_t i)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(fakemnl_request(i));

	assert_int_equal(nfg->nfgen_family, AF_INET);
	check_address(i, CTA_IP_V4_SRC, "127.0.0.1", AF_INET);
	check_address(i, CTA_IP_V4_DST, "127.0.0.2", AF_INET);
	check_port(i, CTA_PROTO_SRC_PORT, 8000);
	check_port(i, CTA_PROTO_DST_PORT, 40000);
}

static void asks_for_the_direction_of_the_answers(void **state)
{
	const struct nfgenmsg *nfg;
	struct tuple syn;

	(void)state;
	fakemnl_answer_error(-ENOENT);
	look();
	check_tuple(0);

	syn = syn_of("fd00::2", "::1");
	fakemnl_answer_error(-ENOENT);
	assert_int_equal(track_look(track, &syn).kind, TRACK_NONE);
	nfg = mnl_nlmsg_get_payload(fakemnl_request(1));
	assert_int_equal(nfg->nfgen_family, AF_INET6);
	check_address(1, CTA_IP_V6_SRC, "::1", AF_INET6);
	check_address(1, CTA_IP_V6_DST, "fd00::2", AF_INET6);
}

/* --- deleting ---------------------------------------------------------------------------------*/

static void check_deleted(void)
{
	static const uint16_t id_path[] = {CTA_ID, 0};
	const uint8_t id[] = {1, 2, 3, 4};

	assert_int_equal(fakemnl.n_requests, 2);
	assert_int_equal(type_of(0), IPCTNL_MSG_CT_GET);
	assert_int_equal(type_of(1), IPCTNL_MSG_CT_DELETE);
	assert_int_equal(fakemnl_request(1)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	check_tuple(1);
	assert_non_null(in_request(1, id_path, 4));
	assert_memory_equal(in_request(1, id_path, 4), id, 4);
}

/* What was seen is deleted; what has taken its place meanwhile is not. */
static void an_entry_is_deleted(void **state)
{
	static const int results[] = {0, -ENOENT, -EPERM};

	(void)state;
	for (uint8_t was = TCP_CONNTRACK_NONE; was < TCP_CONNTRACK_MAX; was++) {
		for (uint8_t is = TCP_CONNTRACK_NONE; is < TCP_CONNTRACK_MAX; is++) {
			bool closed = !is_own(was) && is == TCP_CONNTRACK_CLOSE;
			struct track_entry entry = seen(was, 1, 4);

			answer_entry(is, 1, 4, 0);
			if (is == was || closed)
				fakemnl_answer_error(results[is % 3]);
			forget(&entry);
			if (is == was || closed)
				check_deleted();
			else
				assert_int_equal(fakemnl.n_requests, 1);
		}
	}
}

static void one_with_another_id_is_left_alone(void **state)
{
	struct track_entry entry = seen(TCP_CONNTRACK_CLOSE_WAIT, 1, 4);

	(void)state;
	entry.id++;
	answer_entry(TCP_CONNTRACK_CLOSE_WAIT, 1, 4, 0);
	forget(&entry);
	assert_int_equal(fakemnl.n_requests, 1);
}

/* Without a state it is an entry all the same. */
static void an_entry_may_have_no_state(void **state)
{
	(void)state;
	for (size_t was = 0; was <= 1; was++) {
		for (size_t is = 0; is <= 1; is++) {
			struct track_entry entry = seen(TCP_CONNTRACK_CLOSE, was, 4);

			answer_entry(TCP_CONNTRACK_CLOSE, is, 4, 0);
			if (was == is)
				fakemnl_answer_error(0);
			forget(&entry);
			if (was == is)
				check_deleted();
			else
				assert_int_equal(fakemnl.n_requests, 1);
		}
	}
}

static void what_is_not_told_is_left_alone(void **state)
{
	struct track_entry entry = seen(TCP_CONNTRACK_CLOSE, 1, 4);

	(void)state;
	forget(&entry); /* no answer in time */
	assert_int_equal(fakemnl.n_requests, 1);
	fakemnl_forget();
	fakemnl_answer_error(-ENOENT);
	forget(&entry);
	assert_int_equal(fakemnl.n_requests, 1);
	for (size_t len = 0; len < 4; len += 2) { /* no id, or not the length of one */
		entry = seen(TCP_CONNTRACK_CLOSE, 1, 4);
		answer_entry(TCP_CONNTRACK_CLOSE, 1, len, 0);
		forget(&entry);
		assert_int_equal(fakemnl.n_requests, 1);

		entry = seen(TCP_CONNTRACK_CLOSE, 1, len);
		answer_entry(TCP_CONNTRACK_CLOSE, 1, 4, 0);
		forget(&entry);
		assert_int_equal(fakemnl.n_requests, 1);
	}
}

static void opening_fails_cleanly(void **state)
{
	struct track *none;

	(void)state;
	fakemnl_reset(NETLINK_NETFILTER);
	fakemnl.no_socket = true;
	assert_int_equal(track_open(&none), -EMFILE);
	fakemnl.no_socket = false;
	fakemnl.no_deadline = true;
	assert_int_equal(track_open(&none), -ENOMEM);
	assert_int_equal(fakemnl.opened, fakemnl.closed);
	track_close(NULL);
}

#define TRACK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRACK_TEST(only_an_entry_of_its_own_is_new),
		TRACK_TEST(there_may_be_none),
		TRACK_TEST(without_an_answer_there_may_be_one),
		TRACK_TEST(a_late_answer_is_passed_over),
		TRACK_TEST(asks_for_the_direction_of_the_answers),
		TRACK_TEST(an_entry_is_deleted),
		TRACK_TEST(one_with_another_id_is_left_alone),
		TRACK_TEST(an_entry_may_have_no_state),
		TRACK_TEST(what_is_not_told_is_left_alone),
		cmocka_unit_test(opening_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
