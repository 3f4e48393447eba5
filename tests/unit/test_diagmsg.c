/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of diagmsg. Requests are read back with the kernel's own structs, the dump's filter is run
 * as the kernel runs it, and answers are put together as inet_sk_diag_fill() does it
 * (net/ipv4/inet_diag.c).
 */
#include "config.h"

#include "diagmsg.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>

/* INET_DIAG_CGROUP_ID of Linux 5.8; headers of some distributions are older. */
#define CGROUP_ID 21

static struct endpoint endpoint(const char *text)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(text, &ep), 0);
	return ep;
}

static struct tuple tuple(const char *src, const char *dst, uint32_t scope)
{
	return (struct tuple){.src = endpoint(src), .dst = endpoint(dst), .scope = scope};
}

/* --- requests ----------------------------------------------------------------------------------- */

/* Room for one request, with bytes around it that must stay as they are. */
static struct {
	uint8_t before[16];
	_Alignas(struct nlmsghdr) uint8_t bytes[DIAGMSG_REQUEST_MAX];
	uint8_t after[16];
} out;

static void prepare(void)
{
	memset(&out, 0xee, sizeof(out));
}

static const struct inet_diag_req_v2 *check_header(size_t len, uint16_t type, uint16_t flags,
						   uint32_t seq)
{
	const struct nlmsghdr *nlh = (const void *)out.bytes;

	assert_true(len <= DIAGMSG_REQUEST_MAX);
	assert_int_equal(len % NLMSG_ALIGNTO, 0);
	for (size_t i = 0; i < sizeof(out.before); i++) {
		assert_int_equal(out.before[i], 0xee);
		assert_int_equal(out.after[i], 0xee);
	}
	for (size_t i = len; i < sizeof(out.bytes); i++)
		assert_int_equal(out.bytes[i], 0xee);
	assert_int_equal(nlh->nlmsg_len, len);
	assert_int_equal(nlh->nlmsg_type, type);
	assert_int_equal(nlh->nlmsg_flags, flags);
	assert_int_equal(nlh->nlmsg_seq, seq);
	assert_int_equal(nlh->nlmsg_pid, 0);
	assert_true(len >= NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2));
	return (const void *)(out.bytes + NLMSG_HDRLEN);
}

static const struct {
	const char *src, *dst;
	uint32_t scope;
	uint8_t family;
	uint16_t sport, dport;
	/* The addresses as the kernel wants them: IPv4 in the first of four words. */
	uint8_t src_bytes[16], dst_bytes[16];
} sockets[] = {
	{"127.0.0.1:80", "127.0.0.2:40000", 0, AF_INET, 80, 40000, {127, 0, 0, 1}, {127, 0, 0, 2}},
	{"1.2.3.4:1",
	 "255.255.255.255:65535",
	 0,
	 AF_INET,
	 1,
	 65535,
	 {1, 2, 3, 4},
	 {255, 255, 255, 255}},
	{"[::1]:443",
	 "[2001:db8::9]:258",
	 0,
	 AF_INET6,
	 443,
	 258,
	 {[15] = 1},
	 {0x20, 1, 0xd, 0xb8, [15] = 9}},
	{"[fe80::1]:80",
	 "[fe80::2]:81",
	 7,
	 AF_INET6,
	 80,
	 81,
	 {0xfe, 0x80, [15] = 1},
	 {0xfe, 0x80, [15] = 2}},
};
#define N_SOCKETS (sizeof(sockets) / sizeof(sockets[0]))

static void check_socket(const struct inet_diag_req_v2 *req, size_t i, uint32_t low, uint32_t high)
{
	assert_int_equal(req->sdiag_family, sockets[i].family);
	assert_int_equal(req->sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(req->pad, 0);
	assert_int_equal(ntohs(req->id.idiag_sport), sockets[i].sport);
	assert_int_equal(ntohs(req->id.idiag_dport), sockets[i].dport);
	assert_memory_equal(req->id.idiag_src, sockets[i].src_bytes, 16);
	assert_memory_equal(req->id.idiag_dst, sockets[i].dst_bytes, 16);
	assert_int_equal(req->id.idiag_if, sockets[i].scope);
	assert_int_equal(req->id.idiag_cookie[0], low);
	assert_int_equal(req->id.idiag_cookie[1], high);
}

static void test_lookup(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOCKETS; i++) {
		struct tuple t = tuple(sockets[i].src, sockets[i].dst, sockets[i].scope);
		const struct inet_diag_req_v2 *req;
		size_t len;

		prepare();
		len = diagmsg_put_lookup(out.bytes, 0x12345678, &t, DIAGMSG_ANY_SOCKET, true);
		req = check_header(len, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0x12345678);
		assert_int_equal(len, NLMSG_HDRLEN + sizeof(*req));
		check_socket(req, i, INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE);
		assert_int_equal(req->idiag_ext, 1 << (INET_DIAG_INFO - 1));

		prepare();
		len = diagmsg_put_lookup(out.bytes, UINT32_MAX, &t, 0x1122334455667788, false);
		req = check_header(len, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, UINT32_MAX);
		assert_int_equal(len, NLMSG_HDRLEN + sizeof(*req));
		check_socket(req, i, 0x55667788, 0x11223344);
		assert_int_equal(req->idiag_ext, 0);
	}
}

/* The answer to a destroy is an error code, which only NLM_F_ACK brings when it is 0. */
static void test_destroy(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SOCKETS; i++) {
		struct tuple t = tuple(sockets[i].src, sockets[i].dst, sockets[i].scope);
		const struct inet_diag_req_v2 *req;
		size_t len;

		prepare();
		len = diagmsg_put_destroy(out.bytes, 3, &t, 0x8877665544332211);
		req = check_header(len, SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK, 3);
		assert_int_equal(len, NLMSG_HDRLEN + sizeof(*req));
		check_socket(req, i, 0x44332211, 0x88776655);
	}
}

/* --- the dump's filter -------------------------------------------------------------------------- */

/* A socket as the filter sees it (struct inet_diag_entry). */
struct entry {
	int family;
	uint8_t saddr[16];
	uint16_t sport;
};

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	assert_int_equal(bits % 8, 0); /* whole addresses only */
	return memcmp(a, b, bits / 8) == 0;
}

/* One INET_DIAG_BC_S_COND; code is behind the op. */
static bool source_matches(const uint8_t *code, const struct entry *entry)
{
	struct inet_diag_hostcond cond;
	const uint8_t *addr = code + sizeof(cond);

	memcpy(&cond, code, sizeof(cond));
	if (cond.port != -1 && cond.port != entry->sport)
		return false;
	if (cond.family == entry->family)
		return same_bits(entry->saddr, addr, cond.prefix_len);
	return cond.family == AF_INET && entry->family == AF_INET6 &&
	       same_bits(entry->saddr, mapped_prefix, 96) &&
	       same_bits(entry->saddr + 12, addr, cond.prefix_len);
}

/* What inet_diag_bc_audit() demands, then what inet_diag_bc_run() does. */
static bool run_filter(const uint8_t *code, int total, const struct entry *entry)
{
	int left = total;

	while (left > 0) {
		struct inet_diag_bc_op op;
		struct inet_diag_hostcond cond;
		int step;

		assert_true(left >= (int)(sizeof(op) + sizeof(cond)));
		memcpy(&op, code, sizeof(op));
		memcpy(&cond, code + sizeof(op), sizeof(cond));
		assert_int_equal(op.code, INET_DIAG_BC_S_COND);
		assert_true(cond.family == AF_INET || cond.family == AF_INET6);

		int addr_len = cond.family == AF_INET ? 4 : 16;
		int least = (int)(sizeof(op) + sizeof(cond)) + addr_len;

		assert_true(left >= least);
		assert_true(cond.prefix_len <= 8 * addr_len);
		assert_in_range(op.yes, least, left + 4);
		assert_in_range(op.no, least, left + 4);
		assert_int_equal(op.yes % 4, 0);
		assert_int_equal(op.no % 4, 0);
		step = source_matches(code + sizeof(op), entry) ? op.yes : op.no;
		code += step;
		left -= step;
	}
	return left == 0;
}

static const uint8_t *get_filter(size_t len, int *ret_len)
{
	const size_t at = NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2);
	const struct nlattr *attr = (const void *)(out.bytes + at);

	assert_int_equal(attr->nla_type, INET_DIAG_REQ_BYTECODE);
	assert_int_equal(at + NLA_ALIGN(attr->nla_len), len);
	*ret_len = attr->nla_len - NLA_HDRLEN;
	return out.bytes + at + NLA_HDRLEN;
}

static void test_dump(void **state)
{
	/* Local endpoints of sockets. An IPv4 connection may be carried by a socket of either. */
	static const struct entry entries[] = {
		{AF_INET, {127, 0, 0, 1}, 40000},
		{AF_INET6, {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, 40000},
		{AF_INET, {127, 0, 0, 1}, 40001},
		{AF_INET, {127, 0, 0, 2}, 40000},
		{AF_INET, {126, 0, 0, 1}, 40000},
		{AF_INET6, {[10] = 0xff, [11] = 0xff, 127, 0, 0, 2}, 40000},
		{AF_INET6, {[11] = 0xff, 127, 0, 0, 1}, 40000},
		{AF_INET6, {[15] = 1}, 40000},
		{AF_INET6, {[0] = 1, [15] = 1}, 40000},
		{AF_INET6, {0}, 40000},
		{AF_INET6, {[15] = 1}, 16540}, /* 40000 with its bytes swapped */
		{AF_INET, {127, 0, 0, 1}, 16540},
		{AF_INET, {0}, 40000},
	};
	static const struct {
		const char *local;
		uint16_t matches; /* bit n: entries[n] */
	} cases[] = {
		{"127.0.0.1:40000", 1 << 0 | 1 << 1},
		{"[::1]:40000", 1 << 7},
		{"127.0.0.2:40000", 1 << 3 | 1 << 5},
		{"127.0.0.1:16540", 1 << 11},
		{"127.0.0.3:40000", 0},
	};
	static const int families[] = {AF_INET, AF_INET6};
	const tcpstate_set states = tcpstate_bit(TCPSTATE_SYN_SENT) | tcpstate_bit(TCPSTATE_CLOSE);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) * 2; i++) {
		struct endpoint local = endpoint(cases[i / 2].local);
		const struct inet_diag_req_v2 *req;
		const struct inet_diag_sockid nothing = {0};
		const uint8_t *code;
		size_t len;
		int code_len;

		prepare();
		len = diagmsg_put_dump(out.bytes, 9, families[i % 2], &local, states, false);
		req = check_header(len, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 9);
		assert_int_equal(req->sdiag_family, families[i % 2]);
		assert_int_equal(req->sdiag_protocol, IPPROTO_TCP);
		assert_int_equal(req->idiag_ext, 0);
		assert_int_equal(req->pad, 0);
		assert_int_equal(req->idiag_states, 1 << 2 | 1 << 7);
		assert_memory_equal(&req->id, &nothing, sizeof(nothing));
		code = get_filter(len, &code_len);
		for (size_t e = 0; e < sizeof(entries) / sizeof(entries[0]); e++)
			assert_int_equal(run_filter(code, code_len, &entries[e]),
					 cases[i / 2].matches >> e & 1);
	}
}

static void test_dump_of_all(void **state)
{
	const struct inet_diag_req_v2 *req;

	(void)state;
	for (int details = 0; details <= 1; details++) {
		size_t len;

		prepare();
		len = diagmsg_put_dump(out.bytes, 7, AF_INET6, NULL,
				       tcpstate_bit(TCPSTATE_CLOSE_WAIT), details);
		req = check_header(len, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 7);
		assert_int_equal(len, NLMSG_HDRLEN + sizeof(*req));
		assert_int_equal(req->sdiag_family, AF_INET6);
		assert_int_equal(req->sdiag_protocol, IPPROTO_TCP);
		assert_int_equal(req->idiag_ext, details ? 1 << (INET_DIAG_INFO - 1) : 0);
		assert_int_equal(req->idiag_states, 1 << 8);
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static struct {
	_Alignas(struct nlmsghdr) uint8_t bytes[1024];
	size_t len; /* of the payload, behind the netlink header */
} answer;

static const uint8_t *payload(void)
{
	return answer.bytes + NLMSG_HDRLEN;
}

static void put_message(const struct inet_diag_msg *msg)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(answer.bytes);

	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(*msg)), msg, sizeof(*msg));
	answer.len = sizeof(*msg);
}

static void put_attr(uint16_t type, size_t len, const void *data)
{
	struct nlmsghdr *nlh = (void *)answer.bytes;

	mnl_attr_put(nlh, type, len, data);
	answer.len = nlh->nlmsg_len - NLMSG_HDRLEN;
}

/* A refused answer leaves the output alone. */
static int parse(size_t len, struct sock_info *ret_info)
{
	struct sock_info untouched, again;
	uint8_t *copy = unit_heap(payload(), len);
	int err;

	memset(&untouched, 0xee, sizeof(untouched));
	memset(&again, 0xee, sizeof(again));
	memset(ret_info, 0xee, sizeof(*ret_info));
	err = diagmsg_parse(unit_edge(payload(), len, 4), len, ret_info);
	assert_int_equal(diagmsg_parse(copy, len, &again), err);
	free(copy);
	if (err) {
		assert_int_equal(err, -EBADMSG);
		assert_memory_equal(ret_info, &untouched, sizeof(untouched));
		assert_memory_equal(&again, &untouched, sizeof(untouched));
	}
	return err;
}

static const struct inet_diag_msg close_wait = {
	.idiag_family = AF_INET,
	.idiag_state = TCPSTATE_CLOSE_WAIT,
	.idiag_timer = 1,
	.idiag_retrans = 2,
	.id = {.idiag_cookie = {0x55667788, 0x11223344}, .idiag_if = 5},
	.idiag_expires = 3,
	.idiag_rqueue = 101,
	.idiag_wqueue = 102,
	.idiag_uid = 4000000000U,
	.idiag_inode = 104,
};

/* Fills the tuple from texts, IPv4 in the first word of the address as the kernel does it. */
static struct inet_diag_msg with_tuple(const struct inet_diag_msg *base, uint8_t family,
				       const char *src, const char *dst)
{
	struct inet_diag_msg msg = *base;
	struct tuple t = tuple(src, dst, 0);

	msg.idiag_family = family;
	msg.id.idiag_sport = t.src.port;
	msg.id.idiag_dport = t.dst.port;
	if (family == AF_INET) {
		memcpy(msg.id.idiag_src, t.src.addr.s6_addr + 12, 4);
		memcpy(msg.id.idiag_dst, t.dst.addr.s6_addr + 12, 4);
	} else {
		memcpy(msg.id.idiag_src, &t.src.addr, 16);
		memcpy(msg.id.idiag_dst, &t.dst.addr, 16);
	}
	return msg;
}

/* The attributes of a lookup with details, in the order of Linux 6.x. */
static void put_all_attrs(uint32_t age_ms, uint64_t cgroup_id)
{
	const uint8_t shutdown = 1;
	const uint32_t mark = 0;
	struct tcp_info info;

	/* What lies beside the age must not be taken for it. */
	memset(&info, 0xdd, sizeof(info));
	info.tcpi_last_ack_recv = age_ms;
	put_attr(INET_DIAG_SHUTDOWN, sizeof(shutdown), &shutdown);
	put_attr(INET_DIAG_MARK, sizeof(mark), &mark);
	put_attr(CGROUP_ID, sizeof(cgroup_id), &cgroup_id);
	put_attr(INET_DIAG_PAD, 0, NULL);
	put_attr(INET_DIAG_INFO, sizeof(info), &info);
}

static void test_answers(void **state)
{
	static const struct {
		uint8_t family;
		const char *src, *dst;
		uint32_t scope;
	} cases[] = {
		{AF_INET, "127.0.0.1:80", "127.0.0.2:40000", 0},
		{AF_INET6, "[::1]:80", "[2001:db8::1]:40000", 0},
		/* A dual-stack listener's connection. */
		{AF_INET6, "127.0.0.1:80", "127.0.0.2:40000", 0},
		/* The interface counts where an address needs it, and nowhere else. */
		{AF_INET6, "[fe80::1]:80", "[fe80::2]:40000", 5},
		{AF_INET6, "[fe80::1]:80", "[2001:db8::1]:40000", 5},
		{AF_INET6, "[2001:db8::1]:80", "[fe80::2]:40000", 5},
		{AF_INET, "169.254.0.1:80", "169.254.0.2:40000", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct inet_diag_msg msg =
			with_tuple(&close_wait, cases[i].family, cases[i].src, cases[i].dst);
		struct tuple expected = tuple(cases[i].src, cases[i].dst, cases[i].scope);
		struct sock_info info;

		put_message(&msg);
		put_all_attrs(3600000, 0x0102030405060708);
		assert_int_equal(parse(answer.len, &info), 0);
		assert_true(tuple_equal(&info.tuple, &expected));
		assert_int_equal(info.state, TCPSTATE_CLOSE_WAIT);
		assert_int_equal(info.cookie, 0x1122334455667788);
		assert_int_equal(info.cgroup_id, 0x0102030405060708);
		assert_true(info.has_age);
		assert_int_equal(info.age_ms, 3600000);
		assert_int_equal(info.rqueue, 101);
		assert_int_equal(info.wqueue, 102);
		assert_int_equal(info.inode, 104);
		assert_int_equal(info.ifindex, 5);
		assert_int_equal(info.uid, 4000000000U);
	}
}

static void test_listener(void **state)
{
	struct inet_diag_msg msg = {.idiag_family = AF_INET6, .idiag_state = TCPSTATE_LISTEN};
	struct endpoint zero = {.port = 0};
	struct sock_info info;

	(void)state;
	msg.id.idiag_sport = htons(80);
	msg.idiag_rqueue = 6;
	msg.idiag_wqueue = 5;
	put_message(&msg);
	assert_int_equal(parse(answer.len, &info), 0);
	assert_int_equal(info.state, TCPSTATE_LISTEN);
	assert_int_equal(info.tuple.src.port, htons(80));
	assert_memory_equal(&info.tuple.dst.addr, &zero.addr, sizeof(zero.addr));
	assert_int_equal(info.tuple.dst.port, 0);
	assert_true(sock_info_accept_queue_full(&info));
}

/* TIME_WAIT and request sockets come without attributes; so does all before asking for details. */
static void test_without_attributes(void **state)
{
	const uint64_t cgroup_id = 77;
	struct sock_info info;

	(void)state;
	put_message(&close_wait);
	assert_int_equal(parse(answer.len, &info), 0);
	assert_false(info.has_age);
	assert_int_equal(info.age_ms, 0);
	assert_int_equal(info.cgroup_id, 0);

	put_attr(CGROUP_ID, sizeof(cgroup_id), &cgroup_id);
	assert_int_equal(parse(answer.len, &info), 0);
	assert_false(info.has_age);
	assert_int_equal(info.age_ms, 0);
	assert_int_equal(info.cgroup_id, 77);
}

/* The layout of struct tcp_info never changes, it only grows; the age has stood at 56 for ever. */
static void test_info_of_every_length(void **state)
{
	uint8_t bytes[512];
	const uint32_t age_ms = 123456;

	(void)state;
	memset(bytes, 0xdd, sizeof(bytes));
	memcpy(bytes + 56, &age_ms, sizeof(age_ms));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct sock_info info;

		put_message(&close_wait);
		put_attr(INET_DIAG_INFO, len, bytes);
		assert_int_equal(parse(answer.len, &info), len < 60 ? -EBADMSG : 0);
		if (len >= 60) {
			assert_true(info.has_age);
			assert_int_equal(info.age_ms, age_ms);
		}
	}
}

static void test_cgroup_id_of_every_length(void **state)
{
	const uint8_t bytes[32] = {1, 0, 0, 0, 0, 0, 0, 1};
	uint64_t expected;

	(void)state;
	memcpy(&expected, bytes, sizeof(expected));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct sock_info info;

		put_message(&close_wait);
		put_attr(CGROUP_ID, len, bytes);
		assert_int_equal(parse(answer.len, &info), len == 8 ? 0 : -EBADMSG);
		if (len == 8)
			assert_int_equal(info.cgroup_id, expected);
	}
}

/* What a newer kernel may add says nothing to us, whatever its length. */
static void test_unknown_attributes(void **state)
{
	const uint8_t bytes[64] = {0};

	(void)state;
	for (uint16_t type = 0; type < 64; type++) {
		struct sock_info info;

		if (type == INET_DIAG_INFO || type == CGROUP_ID)
			continue;
		put_message(&close_wait);
		put_attr(type, type, bytes);
		put_all_attrs(1000, 5);
		assert_int_equal(parse(answer.len, &info), 0);
		assert_int_equal(info.age_ms, 1000);
		assert_int_equal(info.cgroup_id, 5);
	}
}

/* The answer's end at every byte: whole attributes or nothing. */
static void test_every_prefix(void **state)
{
	struct sock_info info;
	size_t borders[6];
	size_t n_borders = 0;

	(void)state;
	put_message(&close_wait);
	borders[n_borders++] = answer.len;
	put_all_attrs(1000, 5);

	const struct nlmsghdr *nlh = (const void *)answer.bytes;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(close_wait))
	{
		const uint8_t *end = (const uint8_t *)mnl_attr_next(attr);

		borders[n_borders++] = (size_t)(end - payload());
	}
	assert_int_equal(n_borders, 6);
	assert_int_equal(borders[5], answer.len);

	for (size_t len = 0; len <= answer.len; len++) {
		bool whole = false;

		for (size_t i = 0; i < n_borders; i++)
			whole |= len == borders[i];
		/* The 3 bytes that fill up the first attribute may be missing. */
		whole |= len >= borders[1] - 3 && len < borders[1];
		assert_int_equal(parse(len, &info), whole ? 0 : -EBADMSG);
		if (whole) {
			assert_int_equal(info.cgroup_id, len >= borders[3] ? 5 : 0);
			assert_int_equal(info.has_age, len >= borders[5]);
		}
	}
}

/* An attribute's length that is shorter than its own header or longer than what is there. */
static void test_impossible_attribute_lengths(void **state)
{
	const uint32_t word = 0;
	struct sock_info info;

	(void)state;
	for (unsigned int nla_len = 0; nla_len <= UINT16_MAX; nla_len++) {
		struct nlattr *attr = (void *)(answer.bytes + NLMSG_HDRLEN + sizeof(close_wait));

		put_message(&close_wait);
		put_attr(INET_DIAG_MARK, sizeof(word), &word);
		attr->nla_len = (uint16_t)nla_len;
		/* 4 leaves a second header behind, of four zero bytes: shorter than itself. */
		assert_int_equal(parse(answer.len, &info),
				 nla_len >= 5 && nla_len <= 8 ? 0 : -EBADMSG);
		if (nla_len > 64)
			nla_len += 97;
	}
}

static void test_families_and_states(void **state)
{
	struct sock_info info;

	(void)state;
	for (unsigned int family = 0; family < 256; family++) {
		struct inet_diag_msg msg = close_wait;

		msg.idiag_family = (uint8_t)family;
		put_message(&msg);
		assert_int_equal(parse(answer.len, &info),
				 family == AF_INET || family == AF_INET6 ? 0 : -EBADMSG);
	}
	/* A number that is no state would be shifted out of sets and index past the end of tables. */
	for (unsigned int number = 0; number < 256; number++) {
		struct inet_diag_msg msg = close_wait;

		msg.idiag_state = (uint8_t)number;
		put_message(&msg);
		assert_int_equal(parse(answer.len, &info),
				 number >= 1 && number < TCPSTATE_COUNT ? 0 : -EBADMSG);
	}
}

static void test_random_answers(void **state)
{
	struct unit_random random = {.state = 3};
	unsigned int taken = 0;

	(void)state;
	for (unsigned int round = 0; round < 100000; round++) {
		unsigned int changes = unit_random_below(&random, 4);
		struct sock_info info;

		put_message(&close_wait);
		put_all_attrs(1000, 5);
		while (changes--) {
			/* The lengths and types at the start of attributes are what matters most. */
			size_t at = sizeof(close_wait) + unit_random_below(&random, 40);

			answer.bytes[NLMSG_HDRLEN + at] = (uint8_t)unit_random(&random);
		}
		if (parse(answer.len - unit_random_below(&random, 2) * 4, &info) == 0) {
			taken++;
			assert_string_not_equal(tcpstate_name(info.state), "unknown");
			assert_true(info.has_age || info.age_ms == 0);
		}
	}
	assert_true(taken > 1000);
}

/* --- what the numbers mean ---------------------------------------------------------------------- */

static void test_unread(void **state)
{
	static const bool fin_received[TCPSTATE_COUNT] = {
		[TCPSTATE_CLOSE_WAIT] = true,
		[TCPSTATE_LAST_ACK] = true,
		[TCPSTATE_CLOSING] = true,
	};

	(void)state;
	for (int value = 1; value < TCPSTATE_COUNT; value++) {
		struct sock_info info = {.state = (enum tcpstate)value};
		uint32_t fin = fin_received[value];

		assert_int_equal(sock_info_unread(&info), 0);
		info.rqueue = 1;
		assert_int_equal(sock_info_unread(&info), 1 - fin);
		info.rqueue = 4096;
		assert_int_equal(sock_info_unread(&info), 4096 - fin);
		info.rqueue = UINT32_MAX;
		assert_int_equal(sock_info_unread(&info), UINT32_MAX - fin);
	}
}

/* The kernel's queue holds one more than the backlog before it is full. */
static void test_accept_queue_full(void **state)
{
	(void)state;
	for (int value = 1; value < TCPSTATE_COUNT; value++) {
		struct sock_info info = {.state = (enum tcpstate)value, .wqueue = 5};
		bool listens = value == TCPSTATE_LISTEN;

		for (info.rqueue = 0; info.rqueue <= 5; info.rqueue++)
			assert_false(sock_info_accept_queue_full(&info));
		assert_int_equal(sock_info_accept_queue_full(&info), listens);
		info.wqueue = 0;
		info.rqueue = 0;
		assert_false(sock_info_accept_queue_full(&info));
		info.rqueue = 1;
		assert_int_equal(sock_info_accept_queue_full(&info), listens);
		info.wqueue = UINT32_MAX;
		info.rqueue = UINT32_MAX;
		assert_false(sock_info_accept_queue_full(&info));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_destroy),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_dump_of_all),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_without_attributes),
		cmocka_unit_test(test_info_of_every_length),
		cmocka_unit_test(test_cgroup_id_of_every_length),
		cmocka_unit_test(test_unknown_attributes),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_impossible_attribute_lengths),
		cmocka_unit_test(test_families_and_states),
		cmocka_unit_test(test_random_answers),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_accept_queue_full),
	};

	return cmocka_run_group_tests_name("diagmsg", tests, NULL, NULL);
}
