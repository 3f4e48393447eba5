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
	char request[256] __attribute__((aligned(8)));
	int send_error;
	/* The next answers, each a datagram. */
	struct {
		char bytes[256] __attribute__((aligned(8)));
	} answers[2];
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
	assert_true(len <= sizeof(t.request));
	memcpy(t.request, req, len);
	return (ssize_t)len;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	const struct nlmsghdr *request = (const void *)t.request;
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

static void answer_entry(uint8_t state, size_t state_len, uint32_t seq_offset)
{
	const uint8_t bytes[4] = {state};
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

static bool ask(void)
{
	const struct tuple syn = syn_of("::ffff:127.0.0.2", "::ffff:127.0.0.1");

	return track_remembers(t.track, &syn);
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

static void only_an_entry_of_its_own_is_new(void **state)
{
	(void)state;
	for (uint8_t s = TCP_CONNTRACK_NONE; s < TCP_CONNTRACK_MAX; s++) {
		t.n_answers = t.n_read = 0;
		answer_entry(s, 1, 0);
		assert_int_equal(ask(),
				 s != TCP_CONNTRACK_SYN_SENT && s != TCP_CONNTRACK_SYN_SENT2);
	}
}

static void no_entry_remembers_nothing(void **state)
{
	(void)state;
	answer_error(-ENOENT);
	assert_false(ask());
}

/* In doubt the SYN has to come again, which costs it milliseconds. */
static void without_an_answer_it_may_remember(void **state)
{
	(void)state;
	assert_true(ask()); /* none in time */
	answer_error(-EOPNOTSUPP);
	assert_true(ask());
	answer_entry(0, 0, 0); /* without a state */
	assert_true(ask());
	t.n_answers = t.n_read = 0;
	answer_entry(TCP_CONNTRACK_SYN_SENT, 2, 0); /* of the wrong length */
	assert_true(ask());
	t.send_error = ENOBUFS;
	assert_true(ask());
}

static void a_late_answer_is_passed_over(void **state)
{
	(void)state;
	answer_error(-ENOENT);
	ask();
	t.n_answers = t.n_read = 0;
	answer_entry(TCP_CONNTRACK_CLOSE_WAIT, 1, (uint32_t)-1);
	answer_entry(TCP_CONNTRACK_SYN_SENT, 1, 0);
	assert_false(ask());
	assert_int_equal(t.n_read, 2);
}

/* The payload of a nested attribute of the last request. */
static const void *in_request(uint16_t nest, uint16_t type, size_t len)
{
	const struct nlmsghdr *nlh = (const void *)t.request;
	const struct nlattr *tuple = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg));
	const struct nlattr *outer, *inner;

	assert_int_equal(mnl_attr_get_type(tuple), CTA_TUPLE_REPLY);
	mnl_attr_for_each_nested(outer, tuple)
	{
		if (mnl_attr_get_type(outer) != nest)
			continue;
		mnl_attr_for_each_nested(inner, outer)
		{
			if (mnl_attr_get_type(inner) != type)
				continue;
			assert_int_equal(mnl_attr_get_payload_len(inner), len);
			return mnl_attr_get_payload(inner);
		}
	}
	fail_msg("no attribute %u of %u", type, nest);
	return NULL;
}

static uint16_t port_in_request(uint16_t type)
{
	uint16_t port;

	memcpy(&port, in_request(CTA_TUPLE_PROTO, type, sizeof(port)), sizeof(port));
	return ntohs(port);
}

static void asks_for_the_direction_of_the_answers(void **state)
{
	const struct nfgenmsg *nfg;
	struct tuple syn;
	uint32_t v4;

	(void)state;
	answer_error(-ENOENT);
	ask();
	nfg = mnl_nlmsg_get_payload((const void *)t.request);
	assert_int_equal(nfg->nfgen_family, AF_INET);
	memcpy(&v4, in_request(CTA_TUPLE_IP, CTA_IP_V4_SRC, 4), 4);
	assert_int_equal(ntohl(v4), 0x7f000001);
	memcpy(&v4, in_request(CTA_TUPLE_IP, CTA_IP_V4_DST, 4), 4);
	assert_int_equal(ntohl(v4), 0x7f000002);
	assert_int_equal(port_in_request(CTA_PROTO_SRC_PORT), 8000);
	assert_int_equal(port_in_request(CTA_PROTO_DST_PORT), 40000);

	syn = syn_of("fd00::2", "::1");
	answer_error(-ENOENT);
	assert_false(track_remembers(t.track, &syn));
	assert_int_equal(nfg->nfgen_family, AF_INET6);
	assert_memory_equal(in_request(CTA_TUPLE_IP, CTA_IP_V6_SRC, 16), &syn.dst.addr, 16);
	assert_memory_equal(in_request(CTA_TUPLE_IP, CTA_IP_V6_DST, 16), &syn.src.addr, 16);
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
		TRACK_TEST(no_entry_remembers_nothing),
		TRACK_TEST(without_an_answer_it_may_remember),
		TRACK_TEST(a_late_answer_is_passed_over),
		TRACK_TEST(asks_for_the_direction_of_the_answers),
		cmocka_unit_test(opening_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
