/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * track against ctnetlink answers that the test writes. The linker puts the test's functions in the
 * place of libmnl's sockets (--wrap, see local.mk).
 */
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

#define PORT_ID 77

static struct {
	bool no_socket, no_deadline;
	unsigned int opened, closed;
	struct track *track;
	/* The requests since the last call of a verb, the last one of these too. */
	struct {
		char bytes[256] __attribute__((aligned(8)));
	} requests[3];
	size_t n_requests;
	int send_error;
	/* The next answers, each a datagram. */
	struct {
		char bytes[256] __attribute__((aligned(8)));
	} answers[3];
	size_t n_answers, n_read;
} t;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_close(struct mnl_socket *nl);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t len);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

/* Never looked into. */
static char the_socket;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	assert_int_equal(bus, NETLINK_NETFILTER);
	assert_int_equal(flags, SOCK_CLOEXEC);
	if (t.no_socket) {
		errno = EMFILE;
		return NULL;
	}
	t.opened++;
	return (struct mnl_socket *)&the_socket;
}

int __wrap_mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	t.closed++;
	return 0;
}

int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return 1000;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)value;
	assert_int_equal(fd, 1000);
	/* A SYN is held meanwhile: no wait without an end. */
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_RCVTIMEO);
	assert_int_equal(len, sizeof(struct timeval));
	errno = ENOMEM;
	return t.no_deadline ? -1 : 0;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t len)
{
	(void)nl;
	if (t.send_error) {
		errno = t.send_error;
		return -1;
	}
	assert_true(t.n_requests < sizeof(t.requests) / sizeof(t.requests[0]));
	assert_true(len <= sizeof(t.requests[0].bytes));
	memcpy(t.requests[t.n_requests++].bytes, req, len);
	return (ssize_t)len;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	const struct nlmsghdr *request = (const void *)t.requests[t.n_requests - 1].bytes;
	struct nlmsghdr *nlh = buf;

	(void)nl;
	if (t.n_read == t.n_answers) {
		errno = EAGAIN; /* SO_RCVTIMEO has passed */
		return -1;
	}
	assert_true(size >= sizeof(t.answers[0]));
	memcpy(buf, t.answers[t.n_read++].bytes, sizeof(t.answers[0]));
	nlh->nlmsg_pid = PORT_ID;
	nlh->nlmsg_seq += request->nlmsg_seq; /* what the test wrote is an offset */
	return (ssize_t)nlh->nlmsg_len;
}

/* --- answers ----------------------------------------------------------------------------------*/

static struct nlmsghdr *add_answer(uint16_t type, uint32_t seq_offset)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(t.answers[t.n_answers++].bytes);

	nlh->nlmsg_type = type;
	nlh->nlmsg_seq = seq_offset;
	return nlh;
}

static void answer_entry(uint8_t state, size_t state_len, size_t id_len, uint32_t seq_offset)
{
	const uint8_t bytes[4] = {state};
	const uint8_t id[] = {1, 2, 3, 4};
	struct nlmsghdr *nlh =
		add_answer(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, seq_offset);
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

static void answer_error(int error)
{
	struct nlmsghdr *nlh = add_answer(NLMSG_ERROR, 0);
	struct nlmsgerr *err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));

	err->error = error;
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

static void forget_requests(void)
{
	t.n_answers = t.n_read = t.n_requests = 0;
	t.send_error = 0;
}

/* To the answers that were made for it; the requests stay to be looked at. */
static struct track_entry look_at_entry(void)
{
	struct track_entry entry = track_look(t.track, the_syn());

	assert_int_equal(t.n_read, t.n_answers);
	t.n_answers = t.n_read = 0;
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

	forget_requests();
	answer_entry(state, state_len, id_len, 0);
	entry = look_at_entry();
	forget_requests();
	return entry;
}

static void forget(const struct track_entry *entry)
{
	track_forget(t.track, the_syn(), entry);
	assert_int_equal(t.n_read, t.n_answers);
}

static const struct nlmsghdr *sent(size_t i)
{
	assert_true(i < t.n_requests);
	return (const void *)t.requests[i].bytes;
}

static uint16_t type_of(size_t i)
{
	assert_int_equal(sent(i)->nlmsg_type >> 8, NFNL_SUBSYS_CTNETLINK);
	return sent(i)->nlmsg_type & 0xff;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	return track_open(&t.track);
}

static int tear_down(void **state)
{
	(void)state;
	track_close(t.track);
	return t.opened == t.closed ? 0 : -1;
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
		forget_requests();
		answer_entry(s, 1, 4, 0);
		assert_int_equal(look(), is_own(s) ? TRACK_OWN : TRACK_OLD);
		assert_int_equal(t.n_requests, 1);
		assert_int_equal(type_of(0), IPCTNL_MSG_CT_GET);
		assert_int_equal(sent(0)->nlmsg_flags, NLM_F_REQUEST);
	}
}

static void there_may_be_none(void **state)
{
	(void)state;
	answer_error(-ENOENT);
	assert_int_equal(look(), TRACK_NONE);
}

/* In doubt the SYN has to come again, which costs it milliseconds. */
static void without_an_answer_there_may_be_one(void **state)
{
	(void)state;
	assert_int_equal(look(), TRACK_OLD); /* none in time */
	answer_error(-EOPNOTSUPP);
	assert_int_equal(look(), TRACK_OLD);
	answer_entry(0, 0, 4, 0); /* without a state */
	assert_int_equal(look(), TRACK_OLD);
	forget_requests();
	answer_entry(TCP_CONNTRACK_SYN_SENT, 2, 4, 0); /* of the wrong length */
	assert_int_equal(look(), TRACK_OLD);
	t.send_error = ENOBUFS;
	assert_int_equal(look(), TRACK_OLD);
}

static void a_late_answer_is_passed_over(void **state)
{
	(void)state;
	answer_error(-ENOENT);
	look();
	answer_entry(TCP_CONNTRACK_CLOSE_WAIT, 1, 4, (uint32_t)-1);
	answer_entry(TCP_CONNTRACK_SYN_SENT, 1, 4, 0);
	assert_int_equal(look(), TRACK_OWN);
}

/* The payload of the attribute at the end of a path of types, which ends with 0; NULL without it. */
static const void *in_request(size_t i, const uint16_t *path, size_t len)
{
	const struct nlattr *attr = mnl_nlmsg_get_payload_offset(sent(i), sizeof(struct nfgenmsg));
	size_t left = mnl_nlmsg_get_payload_len(sent(i)) - sizeof(struct nfgenmsg);

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
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(sent(i));

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
	answer_error(-ENOENT);
	look();
	check_tuple(0);

	syn = syn_of("fd00::2", "::1");
	answer_error(-ENOENT);
	assert_int_equal(track_look(t.track, &syn).kind, TRACK_NONE);
	nfg = mnl_nlmsg_get_payload(sent(1));
	assert_int_equal(nfg->nfgen_family, AF_INET6);
	check_address(1, CTA_IP_V6_SRC, "::1", AF_INET6);
	check_address(1, CTA_IP_V6_DST, "fd00::2", AF_INET6);
}

/* --- deleting ---------------------------------------------------------------------------------*/

static void check_deleted(void)
{
	static const uint16_t id_path[] = {CTA_ID, 0};
	const uint8_t id[] = {1, 2, 3, 4};

	assert_int_equal(t.n_requests, 2);
	assert_int_equal(type_of(0), IPCTNL_MSG_CT_GET);
	assert_int_equal(type_of(1), IPCTNL_MSG_CT_DELETE);
	assert_int_equal(sent(1)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
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
				answer_error(results[is % 3]);
			forget(&entry);
			if (is == was || closed)
				check_deleted();
			else
				assert_int_equal(t.n_requests, 1);
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
	assert_int_equal(t.n_requests, 1);
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
				answer_error(0);
			forget(&entry);
			if (was == is)
				check_deleted();
			else
				assert_int_equal(t.n_requests, 1);
		}
	}
}

static void what_is_not_told_is_left_alone(void **state)
{
	struct track_entry entry = seen(TCP_CONNTRACK_CLOSE, 1, 4);

	(void)state;
	forget(&entry); /* no answer in time */
	assert_int_equal(t.n_requests, 1);
	forget_requests();
	answer_error(-ENOENT);
	forget(&entry);
	assert_int_equal(t.n_requests, 1);
	for (size_t len = 0; len < 4; len += 2) { /* no id, or not the length of one */
		entry = seen(TCP_CONNTRACK_CLOSE, 1, 4);
		answer_entry(TCP_CONNTRACK_CLOSE, 1, len, 0);
		forget(&entry);
		assert_int_equal(t.n_requests, 1);

		entry = seen(TCP_CONNTRACK_CLOSE, 1, len);
		answer_entry(TCP_CONNTRACK_CLOSE, 1, 4, 0);
		forget(&entry);
		assert_int_equal(t.n_requests, 1);
	}
}

static void opening_fails_cleanly(void **state)
{
	struct track *track;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.no_socket = true;
	assert_int_equal(track_open(&track), -EMFILE);
	t.no_socket = false;
	t.no_deadline = true;
	assert_int_equal(track_open(&track), -ENOMEM);
	assert_int_equal(t.opened, t.closed);
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
