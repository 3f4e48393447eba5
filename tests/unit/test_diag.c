/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag against a kernel that answers late, never, out of order, too much, too little, and in which
 * other processes speak up too. The sockets are the model's; the wire is fakenl's.
 */
#include "config.h"

#include "diag.h"
#include "diagwire.h"
#include "fakenl.h"
#include "model.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define DEADLINE_MS	 200
#define DUMP_DEADLINE_MS 800
#define FOREIGN_PORT	 4711

enum order {
	FORWARD,
	BACKWARD,
	SHUFFLED,
	IN_ONE, /* all answers in one datagram */
};

static struct {
	struct model model;
	struct diag *diag;
	void (*twist)(struct reply *reply);
	enum order order;
	size_t per_piece; /* sockets in one datagram of a dump */
	int dump_error;	  /* instead of a dump */
	bool never_done;  /* a dump has no end */
	int done_error;	  /* that a dump ends with */
	struct diag_request requests[DIAG_BATCH_MAX];
	struct diag_answer answers[DIAG_BATCH_MAX];
	int errors[DIAG_BATCH_MAX];
} k;

/* --- the wire ------------------------------------------------------------------------------------ */

static struct diag_request decode(const struct inet_diag_req_v2 *req)
{
	assert_int_equal(req->sdiag_protocol, IPPROTO_TCP);
	return (struct diag_request){
		.socket = {.src = {diagwire_addr(req->id.idiag_src, req->sdiag_family),
				   req->id.idiag_sport},
			   .dst = {diagwire_addr(req->id.idiag_dst, req->sdiag_family),
				   req->id.idiag_dport},
			   .scope = req->id.idiag_if},
		.cookie = (uint64_t)req->id.idiag_cookie[1] << 32 | req->id.idiag_cookie[0],
		.details = req->idiag_ext & 1 << (INET_DIAG_INFO - 1),
	};
}

static void send_reply(int fd, struct reply *reply)
{
	if (k.twist)
		k.twist(reply);
	if (!reply->lost)
		fakenl_deliver(fd, reply->bytes, reply->len, reply->port_id, reply->delay_ms);
}

/* --- the kernel's side -------------------------------------------------------------------------- */

/* Whether the dump's one condition, a local address and port, holds for a socket. */
static bool selected(const struct sock_info *info, const struct inet_diag_req_v2 *req,
		     const struct nlattr *filter)
{
	const char *payload = (const char *)filter + sizeof(*filter);
	struct inet_diag_hostcond cond;
	__be32 addr[4] = {0};
	struct in6_addr local;

	memcpy(&cond, payload + sizeof(struct inet_diag_bc_op), sizeof(cond));
	memcpy(addr, payload + sizeof(struct inet_diag_bc_op) + sizeof(cond), cond.prefix_len / 8);
	local = diagwire_addr(addr, cond.family);
	return info->state != 0 && (req->idiag_states >> info->state & 1) &&
	       (req->sdiag_family == AF_INET6) == diagwire_is_v6(info) &&
	       info->tuple.src.port == htons((uint16_t)cond.port) &&
	       addr_equal(&info->tuple.src.addr, &local);
}

static void answer_dump(int fd, const struct nlmsghdr *nlh, const struct inet_diag_req_v2 *req)
{
	static struct reply reply;
	const struct nlattr *filter = (const void *)(req + 1);
	size_t in_piece = 0;

	assert_int_equal(nlh->nlmsg_len,
			 NLMSG_HDRLEN + sizeof(*req) + NLMSG_ALIGN(filter->nla_len));
	reply = (struct reply){.seq = nlh->nlmsg_seq};
	if (k.dump_error) {
		reply_append_error(&reply, k.dump_error);
		send_reply(fd, &reply);
		return;
	}
	for (size_t i = 0; i < k.model.n_slots; i++) {
		if (!selected(&k.model.sockets[i], req, filter))
			continue;
		reply_append_info(&reply, &k.model.sockets[i], NLM_F_MULTI);
		if (++in_piece == k.per_piece) {
			send_reply(fd, &reply);
			reply = (struct reply){.seq = nlh->nlmsg_seq, .index = reply.index + 1};
			in_piece = 0;
		}
	}
	if (!k.never_done) {
		reply_append_done(&reply, k.done_error);
	}
	if (reply.len > 0)
		send_reply(fd, &reply);
}

static void answer_one(struct reply *reply, const struct nlmsghdr *nlh,
		       const struct inet_diag_req_v2 *req)
{
	struct diag_request request = decode(req);
	struct sock_info info;
	int error;

	if (nlh->nlmsg_type == SOCK_DESTROY) {
		error = model_kill(&k.model, &request.socket, request.cookie, &info);
		/* Success is silent unless one asks for it. */
		if (error < 0 || nlh->nlmsg_flags & NLM_F_ACK)
			reply_append_error(reply, error);
		else
			reply->lost = true;
		return;
	}
	assert_int_equal(nlh->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	error = model_answer(&k.model, &request, &info);
	if (error < 0)
		reply_append_error(reply, error);
	else
		reply_append_info(reply, &info, 0);
}

static void send_in_order(int fd, struct reply *replies, size_t n)
{
	switch (k.order) {
	case FORWARD:
		for (size_t i = 0; i < n; i++)
			send_reply(fd, &replies[i]);
		break;
	case BACKWARD:
		for (size_t i = n; i-- > 0;)
			send_reply(fd, &replies[i]);
		break;
	case SHUFFLED:
		while (n > 0) {
			size_t i = model_random(&k.model, (uint32_t)n--);

			send_reply(fd, &replies[i]);
			replies[i] = replies[n];
		}
		break;
	case IN_ONE:
		for (size_t i = 1; i < n; i++)
			reply_append(&replies[0], replies[i].bytes, replies[i].len);
		send_reply(fd, &replies[0]);
		break;
	}
}

static void kernel(int fd, const void *buf, size_t len)
{
	static struct reply replies[DIAG_BATCH_MAX];
	const char *bytes = buf;
	size_t n = 0;

	for (size_t at = 0; at < len; n++) {
		const struct nlmsghdr *nlh = (const void *)(bytes + at);
		const struct inet_diag_req_v2 *req = (const void *)(nlh + 1);

		assert_true(nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(*req));
		assert_true(at + nlh->nlmsg_len <= len);
		assert_true(nlh->nlmsg_flags & NLM_F_REQUEST);
		at += NLMSG_ALIGN(nlh->nlmsg_len);
		if (nlh->nlmsg_flags & NLM_F_DUMP) {
			answer_dump(fd, nlh, req);
			return;
		}
		replies[n].seq = nlh->nlmsg_seq;
		replies[n].index = n;
		replies[n].port_id = 0;
		replies[n].delay_ms = 0;
		replies[n].lost = false;
		replies[n].len = 0;
		answer_one(&replies[n], nlh, req);
	}
	send_in_order(fd, replies, n);
}

/* --- what the tests share --------------------------------------------------------------------- */

static int set_up(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	k.per_piece = 3;
	model_init(&k.model, 1);
	fakenl_reset(kernel);
	return diag_open(&k.diag);
}

static int tear_down(void **state)
{
	(void)state;
	diag_close(k.diag);
	assert_int_equal(fakenl_open_sockets(), 0);
	return 0;
}

static struct tuple tuple_number(size_t i)
{
	struct in6_addr addr = i % 2 ? in6addr_loopback : addr_from_v4(htonl(INADDR_LOOPBACK));

	return (struct tuple){
		.src = {.addr = addr, .port = htons(80)},
		.dst = {.addr = addr, .port = htons((uint16_t)(40000 + i))},
	};
}

/* n sockets, and a request for each. */
static void fill(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct tuple tuple = tuple_number(i);

		model_add(&k.model, &tuple, TCPSTATE_CLOSE_WAIT);
		k.requests[i] = (struct diag_request){tuple, DIAGMSG_ANY_SOCKET, i % 3 == 0};
	}
}

static const tcpstate_set connected = ~((tcpstate_set)1 << TCPSTATE_LISTEN);

/* Sockets of one client on its source port, to n servers. */
static struct endpoint fill_source(bool v4, size_t n, enum tcpstate state)
{
	struct tuple tuple = {.scope = 0};

	tuple.src.addr = v4 ? addr_from_v4(htonl(INADDR_LOOPBACK)) : in6addr_loopback;
	tuple.src.port = htons(40000);
	tuple.dst.addr = tuple.src.addr;
	for (size_t i = 0; i < n; i++) {
		tuple.dst.port = htons((uint16_t)(9000 + i));
		model_add(&k.model, &tuple, state);
	}
	return tuple.src;
}

static void look_up(size_t n)
{
	memset(k.answers, 0x5a, sizeof(k.answers));
	diag_lookup(k.diag, k.requests, n, k.answers);
}

/* What the model says about request i. */
static void expect_right(size_t i)
{
	struct sock_info info;
	const struct sock_info *got = &k.answers[i].info;

	assert_int_equal(k.answers[i].error, model_answer(&k.model, &k.requests[i], &info));
	if (k.answers[i].error < 0)
		return;
	assert_true(tuple_equal(&got->tuple, &info.tuple));
	assert_int_equal(got->state, info.state);
	assert_int_equal(got->cookie, info.cookie);
	assert_int_equal(got->cgroup_id, info.cgroup_id);
	assert_int_equal(got->inode, info.inode);
	assert_int_equal(got->rqueue, info.rqueue);
	assert_int_equal(got->has_age, info.has_age);
	assert_int_equal(got->age_ms, info.age_ms);
}

static void expect_all_right(size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect_right(i);
}

static void expect_all(size_t n, int error)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(k.answers[i].error, error);
}

/* --- answers ---------------------------------------------------------------------------------------- */

static void every_request_gets_its_answer(void **state)
{
	(void)state;
	for (enum order order = FORWARD; order <= SHUFFLED; order++) {
		for (size_t n = 1; n <= DIAG_BATCH_MAX; n++) {
			model_clear(&k.model);
			fill(n);
			k.order = order;
			look_up(n);
			expect_all_right(n);
			assert_int_equal(fakenl_pending(), 0);
		}
	}
	/* One system call for all questions, and nobody had to wait. */
	assert_int_equal(fakenl_count(FAKENL_SENDTO), 3 * DIAG_BATCH_MAX);
	assert_int_equal(fakenl_count(FAKENL_POLL), 0);
}

static void several_answers_in_one_datagram(void **state)
{
	(void)state;
	fill(5);
	k.order = IN_ONE;
	look_up(5);
	expect_all_right(5);
}

static void the_listener_answers_for_free_tuples(void **state)
{
	const struct endpoint any = {in6addr_any, htons(80)};

	(void)state;
	fill(4);
	model_remove(model_find(&k.model, &k.requests[1].socket));
	model_remove(model_find(&k.model, &k.requests[2].socket));
	look_up(4);
	expect_all_right(4);
	assert_int_equal(k.answers[1].error, -ENOENT);

	model_listen(&k.model, &any, 128);
	look_up(4);
	expect_all_right(4);
	assert_int_equal(k.answers[1].info.state, TCPSTATE_LISTEN);
	assert_int_equal(k.answers[2].info.state, TCPSTATE_LISTEN);
}

static void a_cookie_names_one_socket(void **state)
{
	const struct endpoint any = {in6addr_any, htons(80)};

	(void)state;
	fill(2);
	model_listen(&k.model, &any, 128);
	k.requests[0].cookie = model_find(&k.model, &k.requests[0].socket)->cookie;
	k.requests[1].cookie = k.requests[0].cookie;
	look_up(2);
	assert_int_equal(k.answers[0].error, 0);
	assert_int_equal(k.answers[1].error, -ENOENT);
}

static void a_dual_stack_socket_answers_for_ipv4(void **state)
{
	(void)state;
	fill(1);
	model_find(&k.model, &k.requests[0].socket)->uid = DUAL_STACK_UID;
	look_up(1);
	expect_all_right(1);
	assert_true(addr_is_v4(&k.answers[0].info.tuple.src.addr));
}

/* --- answers to something else ---------------------------------------------------------------------- */

/* Each true answer comes after a forged one that differs in what the test says. */
static void (*forge)(struct reply *reply);

static void send_forged_first(struct reply *reply)
{
	static struct reply forged;

	forged = *reply;
	/* The state is what would show: idiag_state is the second byte. */
	forged.bytes[NLMSG_HDRLEN + 1] = TCPSTATE_SYN_SENT;
	forge(&forged);
	fakenl_deliver(fakenl_fd(), forged.bytes, forged.len, forged.port_id, 0);
}

static void set_seq(struct reply *reply, uint32_t seq)
{
	memcpy(reply->bytes + offsetof(struct nlmsghdr, nlmsg_seq), &seq, sizeof(seq));
}

static void from_another_process(struct reply *reply)
{
	reply->port_id = FOREIGN_PORT;
}

static void to_an_earlier_request(struct reply *reply)
{
	set_seq(reply, reply->seq - DIAG_BATCH_MAX);
}

static void to_a_later_request(struct reply *reply)
{
	set_seq(reply, reply->seq + DIAG_BATCH_MAX);
}

static void of_another_type(struct reply *reply)
{
	const uint16_t type = NLMSG_NOOP;

	memcpy(reply->bytes + offsetof(struct nlmsghdr, nlmsg_type), &type, sizeof(type));
}

static void forged_answers_are_passed_over(void **state)
{
	static void (*const forgeries[])(struct reply *) = {
		from_another_process,
		to_an_earlier_request,
		to_a_later_request,
		of_another_type,
	};

	(void)state;
	fill(DIAG_BATCH_MAX);
	k.twist = send_forged_first;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		forge = forgeries[i];
		look_up(DIAG_BATCH_MAX);
		expect_all_right(DIAG_BATCH_MAX);
	}
	assert_int_equal(fakenl_count(FAKENL_POLL), 0);
}

static void only_forge(struct reply *reply)
{
	forge(reply);
}

static void forged_answers_alone_are_no_answers(void **state)
{
	(void)state;
	fill(3);
	k.twist = only_forge;
	forge = from_another_process;
	look_up(3);
	expect_all(3, -ETIMEDOUT);
}

static void to_source_port(struct inet_diag_msg *msg)
{
	msg->id.idiag_sport ^= 1;
}

static void to_destination_port(struct inet_diag_msg *msg)
{
	msg->id.idiag_dport ^= 1;
}

static void to_source(struct inet_diag_msg *msg)
{
	msg->id.idiag_src[0] ^= 1;
}

static void to_destination(struct inet_diag_msg *msg)
{
	msg->id.idiag_dst[0] ^= 1;
}

static void to_listener_elsewhere(struct inet_diag_msg *msg)
{
	msg->idiag_state = TCPSTATE_LISTEN;
	msg->id.idiag_sport ^= 1;
}

static void (*change)(struct inet_diag_msg *msg);

static void change_answer(struct reply *reply)
{
	struct inet_diag_msg msg;

	memcpy(&msg, reply->bytes + NLMSG_HDRLEN, sizeof(msg));
	change(&msg);
	memcpy(reply->bytes + NLMSG_HDRLEN, &msg, sizeof(msg));
}

static void an_answer_about_another_socket_is_none(void **state)
{
	static void (*const changes[])(struct inet_diag_msg *) = {
		to_source_port, to_destination_port,   to_source,
		to_destination, to_listener_elsewhere,
	};

	(void)state;
	fill(2);
	k.twist = change_answer;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		change = changes[i];
		look_up(2);
		expect_all(2, -EBADMSG);
	}
	assert_int_equal(fakenl_now_ms(), 10000);
}

static void to_closed(struct inet_diag_msg *msg)
{
	msg->idiag_state = TCPSTATE_CLOSE;
	msg->id.idiag_sport = 0;
}

/* The state is the last thing that changes: the port may be gone before it. */
static void to_closing_down(struct inet_diag_msg *msg)
{
	msg->idiag_state = TCPSTATE_LAST_ACK;
	msg->id.idiag_sport = 0;
}

static void an_answer_about_a_socket_just_closed_is_no_socket(void **state)
{
	(void)state;
	fill(2);
	k.twist = change_answer;
	change = to_closed;
	look_up(2);
	expect_all(2, -ENOENT);
	change = to_closing_down;
	look_up(2);
	expect_all(2, -ENOENT);
}

/* --- time --------------------------------------------------------------------------------------------- */

static unsigned int delay_ms, delay_step_ms;

static void delay(struct reply *reply)
{
	reply->delay_ms = delay_ms + delay_step_ms * (unsigned int)reply->index;
}

static void late_answers_are_waited_for(void **state)
{
	int64_t start = fakenl_now_ms();

	(void)state;
	fill(DIAG_BATCH_MAX);
	k.twist = delay;
	delay_ms = DEADLINE_MS - 1;
	delay_step_ms = 0;
	look_up(DIAG_BATCH_MAX);
	expect_all_right(DIAG_BATCH_MAX);
	assert_int_equal(fakenl_now_ms() - start, DEADLINE_MS - 1);

	start = fakenl_now_ms();
	delay_ms = 0;
	delay_step_ms = 1;
	look_up(DIAG_BATCH_MAX);
	expect_all_right(DIAG_BATCH_MAX);
	assert_int_equal(fakenl_now_ms() - start, DIAG_BATCH_MAX - 1);
}

static void the_deadline_is_one_for_all_answers(void **state)
{
	int64_t start = fakenl_now_ms();

	(void)state;
	fill(DIAG_BATCH_MAX);
	k.twist = delay;
	delay_ms = 1;
	delay_step_ms = 2;
	look_up(DIAG_BATCH_MAX);
	assert_int_equal(fakenl_now_ms() - start, DEADLINE_MS);
	for (size_t i = 0; i < DIAG_BATCH_MAX; i++) {
		if (1 + 2 * i < DEADLINE_MS)
			expect_right(i);
		else
			assert_int_equal(k.answers[i].error, -ETIMEDOUT);
	}
}

static void lose(struct reply *reply)
{
	reply->lost = true;
}

static void lose_every_third(struct reply *reply)
{
	reply->lost = reply->index % 3 == 0;
}

static void no_answer_is_a_timeout(void **state)
{
	int64_t start = fakenl_now_ms();

	(void)state;
	fill(DIAG_BATCH_MAX);
	k.twist = lose;
	look_up(DIAG_BATCH_MAX);
	expect_all(DIAG_BATCH_MAX, -ETIMEDOUT);
	assert_int_equal(fakenl_now_ms() - start, DEADLINE_MS);

	k.twist = lose_every_third;
	look_up(DIAG_BATCH_MAX);
	for (size_t i = 0; i < DIAG_BATCH_MAX; i++) {
		if (i % 3)
			expect_right(i);
		else
			assert_int_equal(k.answers[i].error, -ETIMEDOUT);
	}
	assert_int_equal(fakenl_now_ms() - start, 2 * DEADLINE_MS);
}

/*
 * The number of the next request stands behind the descriptor; sending 2^32 requests is the other
 * way to its wrap-around.
 */
static uint32_t *seq_of(struct diag *diag)
{
	int fd;

	memcpy(&fd, diag, sizeof(fd));
	assert_int_equal(fd, fakenl_fd());
	return (uint32_t *)(void *)diag + 1;
}

/* The answers of a request that was given up must not be taken for those of the next. */
static void stale_answers_are_never_taken(void **state)
{
	static const uint32_t seqs[] = {
		1, 1000, UINT32_MAX - DIAG_BATCH_MAX, UINT32_MAX - 64, UINT32_MAX, 0};

	(void)state;
	for (size_t s = 0; s < sizeof(seqs) / sizeof(seqs[0]); s++) {
		model_clear(&k.model);
		fill(DIAG_BATCH_MAX);
		*seq_of(k.diag) = seqs[s];
		k.twist = delay;
		delay_ms = DEADLINE_MS + 1;
		delay_step_ms = 0;
		look_up(DIAG_BATCH_MAX);
		expect_all(DIAG_BATCH_MAX, -ETIMEDOUT);
		assert_int_equal(fakenl_pending(), DIAG_BATCH_MAX);

		/* The same tuples by now belong to other sockets. */
		model_clear(&k.model);
		fill(DIAG_BATCH_MAX);
		delay_ms = 2;
		look_up(DIAG_BATCH_MAX);
		expect_all_right(DIAG_BATCH_MAX);
		assert_int_equal(fakenl_pending(), 0);
	}
	assert_int_equal(*seq_of(k.diag), 2 * DIAG_BATCH_MAX);
}

/* --- failures of the socket ------------------------------------------------------------------------------ */

static void sending_fails(void **state)
{
	static const int errors[] = {EPERM, ENOBUFS, ENOMEM, EAGAIN, ECONNREFUSED, EMSGSIZE};

	(void)state;
	fill(3);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fakenl_fail(FAKENL_SENDTO, 0, 1, errors[i]);
		look_up(3);
		expect_all(3, -errors[i]);
	}
	assert_int_equal(fakenl_now_ms(), 10000);
	assert_int_equal(fakenl_count(FAKENL_RECV), 0);
}

static void interruptions_do_no_harm(void **state)
{
	(void)state;
	fill(DIAG_BATCH_MAX);
	fakenl_fail(FAKENL_SENDTO, 0, 3, EINTR);
	fakenl_fail(FAKENL_RECV, 1, 3, EINTR);
	fakenl_fail(FAKENL_POLL, 0, 3, EINTR);
	k.twist = delay;
	delay_ms = 5;
	delay_step_ms = 0;
	look_up(DIAG_BATCH_MAX);
	expect_all_right(DIAG_BATCH_MAX);
}

static void reading_fails(void **state)
{
	(void)state;
	fill(20);
	/* The first read brings 16. */
	fakenl_fail(FAKENL_RECV, 1, 1, EBADF);
	look_up(20);
	expect_all_right(16);
	for (size_t i = 16; i < 20; i++)
		assert_int_equal(k.answers[i].error, -EBADF);

	k.twist = lose;
	fakenl_fail(FAKENL_POLL, 0, 1, ENOMEM);
	look_up(20);
	expect_all(20, -ENOMEM);
	/* The four that came after EBADF were for the requests of that time. */
	k.twist = NULL;
	look_up(20);
	expect_all_right(20);
}

static void overrun_in_the_middle(struct reply *reply)
{
	if (reply->index == 10)
		fakenl_deliver_error(fakenl_fd(), ENOBUFS);
	reply->lost = reply->index >= 10 && reply->index < 15;
}

/* What came before and after the overrun counts; for what was lost nobody waits. */
static void an_overrun_costs_only_what_was_lost(void **state)
{
	(void)state;
	fill(40);
	k.twist = overrun_in_the_middle;
	look_up(40);
	for (size_t i = 0; i < 40; i++) {
		if (i >= 10 && i < 15)
			assert_int_equal(k.answers[i].error, -ENOBUFS);
		else
			expect_right(i);
	}
	assert_int_equal(fakenl_now_ms(), 10000);
}

/* Something to read at every moment, and nothing of it for us. */
static void a_flood_does_not_outlast_the_deadline(void **state)
{
	static struct reply flood;
	struct endpoint local;
	struct sock_info info;
	int64_t start;
	size_t count;

	(void)state;
	fill(2);
	reply_append_error(&flood, -ENOENT);
	fakenl_flood(fakenl_fd(), flood.bytes, flood.len, FOREIGN_PORT);
	k.twist = lose;
	fakenl_set_read_time(1);
	start = fakenl_now_ms();
	look_up(2);
	expect_all(2, -ETIMEDOUT);
	assert_in_range(fakenl_now_ms() - start, DEADLINE_MS, DEADLINE_MS + 2);

	local = fill_source(true, 1, TCPSTATE_SYN_SENT);
	start = fakenl_now_ms();
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), -ETIMEDOUT);
	assert_in_range(fakenl_now_ms() - start, DUMP_DEADLINE_MS, DUMP_DEADLINE_MS + 2);
}

static void overruns_without_end_do_not_either(void **state)
{
	int64_t start = fakenl_now_ms();

	(void)state;
	fill(2);
	fakenl_set_read_time(1);
	fakenl_fail(FAKENL_RECV, 0, FAKENL_FOR_EVER, ENOBUFS);
	look_up(2);
	expect_all(2, -ENOBUFS);
	assert_in_range(fakenl_now_ms() - start, DEADLINE_MS, DEADLINE_MS + 2);
}

/* Whoever was kept from running for a while still finds the answers that came in time. */
static void a_slow_reader_loses_nothing(void **state)
{
	(void)state;
	fill(DIAG_BATCH_MAX);
	fakenl_set_read_time(DEADLINE_MS / 2 + 1);
	look_up(DIAG_BATCH_MAX);
	expect_all_right(DIAG_BATCH_MAX);
}

/* --- answers that cannot be read ----------------------------------------------------------------------------- */

static int told_error;

static void tell_error(struct reply *reply)
{
	reply->len = 0;
	reply_append_error(reply, told_error);
}

static void errors_are_handed_on(void **state)
{
	static const int errors[] = {-ENOENT, -EPERM, -EINVAL, -ENOMEM, -EOPNOTSUPP, -EBUSY};

	(void)state;
	fill(2);
	k.twist = tell_error;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		told_error = errors[i];
		look_up(2);
		expect_all(2, errors[i]);
	}
	/* An ACK is no answer to a question, nor is what is no errno. */
	for (told_error = 0; told_error <= 2; told_error++) {
		look_up(2);
		expect_all(2, -EBADMSG);
		diag_destroy(k.diag, k.requests, 2, k.errors);
		assert_int_equal(k.errors[0], told_error == 0 ? 0 : -EBADMSG);
	}
}

static size_t cut;

static void cut_message(struct reply *reply)
{
	uint32_t len = (uint32_t)cut;

	reply->len = cut;
	memcpy(reply->bytes, &len, sizeof(len));
}

static void cut_error(struct reply *reply)
{
	tell_error(reply);
	cut_message(reply);
}

static void short_messages_are_no_answers(void **state)
{
	const size_t whole = NLMSG_HDRLEN + sizeof(struct inet_diag_msg);

	(void)state;
	fill(1);
	k.requests[0].details = true;
	k.twist = cut_message;
	for (cut = NLMSG_HDRLEN; cut < whole; cut++) {
		look_up(1);
		expect_all(1, -EBADMSG);
	}
	/* From here on it depends on where it was cut, but what is told is true. */
	for (; cut < whole + 12 + 4 + sizeof(struct tcp_info); cut++) {
		look_up(1);
		if (k.answers[0].error == 0)
			assert_int_equal(k.answers[0].info.inode, 1000);
		else
			assert_int_equal(k.answers[0].error, -EBADMSG);
	}
	told_error = -ENOENT;
	for (cut = NLMSG_HDRLEN; cut < NLMSG_HDRLEN + sizeof(int); cut++) {
		/* What is left in the buffer would make the errno whole again. */
		k.twist = tell_error;
		look_up(1);
		expect_all(1, -ENOENT);
		k.twist = cut_error;
		look_up(1);
		expect_all(1, -EBADMSG);
	}
	assert_int_equal(fakenl_now_ms(), 10000);
}

static void cut_datagram(struct reply *reply)
{
	if (cut < reply->len)
		reply->len = cut;
}

/* Too short for a header: nobody knows what it answers. With one, nobody waits for the rest. */
static void cut_answers_are_known_at_once(void **state)
{
	(void)state;
	fill(2);
	k.twist = cut_datagram;
	for (cut = 0; cut < NLMSG_HDRLEN; cut++) {
		look_up(2);
		expect_all(2, -ETIMEDOUT);
	}
	int64_t start = fakenl_now_ms();

	for (; cut < NLMSG_HDRLEN + sizeof(struct inet_diag_msg); cut++) {
		look_up(2);
		expect_all(2, -EMSGSIZE);
	}
	assert_int_equal(fakenl_now_ms(), start);
}

/* As the answer about a socket with 200 TCP-MD5 keys. */
static void bloat_first(struct reply *reply)
{
	static const char keys[20000];
	uint32_t len;

	if (reply->index > 0)
		return;
	reply_append_attr(reply, 18, keys, sizeof(keys));
	len = (uint32_t)reply->len;
	memcpy(reply->bytes, &len, sizeof(len));
}

static void an_answer_that_is_too_long_delays_nobody(void **state)
{
	(void)state;
	fill(3);
	k.twist = bloat_first;
	look_up(3);
	assert_int_equal(k.answers[0].error, -EMSGSIZE);
	expect_right(1);
	expect_right(2);
	assert_int_equal(fakenl_now_ms(), 10000);
}

static uint32_t length;

static void set_length(struct reply *reply)
{
	memcpy(reply->bytes, &length, sizeof(length));
}

/* Lengths that are none, on the message of a look-up and on one of a dump. */
static void absurd_lengths_do_no_harm(void **state)
{
	static const uint32_t lengths[] = {0,	       1,	   15,	      0x7fffffff,
					   0x80000000, 0xfffffffc, 0xffffffff};
	struct endpoint local;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct sock_info info;
		size_t count;

		length = lengths[i];
		k.twist = set_length;
		fill(1);
		look_up(1);
		expect_all(1, length < NLMSG_HDRLEN ? -ETIMEDOUT : -EMSGSIZE);
		model_clear(&k.model);
		local = fill_source(false, 2, TCPSTATE_SYN_SENT);
		assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count),
				 length < NLMSG_HDRLEN ? -ETIMEDOUT : -EBADMSG);
		model_clear(&k.model);
	}
}

/* Bytes that are anything: no crash (the sanitizers look), no hang, an error or an answer for each. */
static void scramble(struct reply *reply)
{
	for (uint32_t n = 1 + model_random(&k.model, 8); n > 0; n--)
		reply->bytes[model_random(&k.model, (uint32_t)reply->len)] =
			(char)model_random(&k.model, 256);
	if (model_random(&k.model, 4) == 0)
		reply->len = model_random(&k.model, (uint32_t)reply->len + 1);
}

static void scrambled_answers_do_no_harm(void **state)
{
	const unsigned int rounds = unit_rounds(20000);

	(void)state;
	fill(8);
	k.twist = scramble;
	for (unsigned int round = 0; round < rounds; round++) {
		int64_t start = fakenl_now_ms();

		look_up(8);
		assert_true(fakenl_now_ms() - start <= DEADLINE_MS);
		for (size_t i = 0; i < 8; i++)
			assert_int_not_equal(k.answers[i].error, -EINPROGRESS);
	}
}

/* --- chance -------------------------------------------------------------------------------------------- */

static void mistreat(struct reply *reply)
{
	static struct reply forged;

	switch (model_random(&k.model, 40)) {
	case 0:
		reply->lost = true;
		break;
	case 1:
		reply->delay_ms = model_random(&k.model, 3 * DEADLINE_MS);
		break;
	case 2:
		fakenl_deliver_error(fakenl_fd(), ENOBUFS);
		break;
	case 3:
		forged = *reply;
		from_another_process(&forged);
		fakenl_deliver(fakenl_fd(), forged.bytes, forged.len, forged.port_id, 0);
		break;
	case 4:
		forged = *reply;
		set_seq(&forged, reply->seq + DIAG_BATCH_MAX + model_random(&k.model, 1000));
		fakenl_deliver(fakenl_fd(), forged.bytes, forged.len, 0, 0);
		break;
	}
}

/* Whatever happens: an answer is the true one, or it is an error; and no later than the deadline. */
static void no_answer_is_ever_mistaken(void **state)
{
	const unsigned int rounds = unit_rounds(3000);
	size_t right = 0, timed_out = 0, lost = 0;

	(void)state;
	k.twist = mistreat;
	k.order = SHUFFLED;
	*seq_of(k.diag) = UINT32_MAX - 20000;
	for (unsigned int round = 0; round < rounds; round++) {
		size_t n =
			1 + model_random(&k.model, model_random(&k.model, 2) ? 4 : DIAG_BATCH_MAX);
		int64_t start = fakenl_now_ms();

		/* New cookies on the same tuples. */
		model_clear(&k.model);
		fill(n);
		look_up(n);
		assert_true(fakenl_now_ms() - start <= DEADLINE_MS);
		for (size_t i = 0; i < n; i++) {
			switch (k.answers[i].error) {
			case -ETIMEDOUT:
				timed_out++;
				break;
			case -ENOBUFS:
				lost++;
				break;
			default:
				expect_right(i);
				right++;
				break;
			}
		}
	}
	assert_true(right > 3 * rounds && timed_out > rounds / 30 && lost > rounds / 30);
}

/* --- destroy --------------------------------------------------------------------------------------------- */

static void destroy_takes_the_named_socket(void **state)
{
	(void)state;
	fill(DIAG_BATCH_MAX);
	for (size_t i = 0; i < DIAG_BATCH_MAX; i++)
		k.requests[i].cookie = model_find(&k.model, &k.requests[i].socket)->cookie;
	k.order = SHUFFLED;
	diag_destroy(k.diag, k.requests, DIAG_BATCH_MAX - 1, k.errors);
	for (size_t i = 0; i < DIAG_BATCH_MAX; i++)
		assert_int_equal(!model_find(&k.model, &k.requests[i].socket),
				 i < DIAG_BATCH_MAX - 1);
	for (size_t i = 0; i < DIAG_BATCH_MAX - 1; i++)
		assert_int_equal(k.errors[i], 0);
	assert_int_equal(fakenl_pending(), 0);
}

/* The tuple is free by now, or somebody else's: neither the listener nor the other is meant. */
static void destroy_spares_the_listener_and_the_next(void **state)
{
	const struct endpoint any = {in6addr_any, htons(80)};
	const struct sock_info *listener;

	(void)state;
	listener = model_listen(&k.model, &any, 128);
	fill(2);
	for (size_t i = 0; i < 2; i++)
		k.requests[i].cookie = model_find(&k.model, &k.requests[i].socket)->cookie;
	model_remove(model_find(&k.model, &k.requests[0].socket));
	model_find(&k.model, &k.requests[1].socket)->cookie = 999999;
	diag_destroy(k.diag, k.requests, 2, k.errors);
	assert_int_equal(k.errors[0], -ENOENT);
	assert_int_equal(k.errors[1], -ENOENT);
	assert_int_equal(listener->state, TCPSTATE_LISTEN);
	assert_non_null(model_find(&k.model, &k.requests[1].socket));
}

static void answer_with_a_socket(struct reply *reply)
{
	reply->len = 0;
	reply_append_info(reply, &k.model.sockets[0], 0);
}

static void destroys_that_fail(void **state)
{
	static const int errors[] = {-EPERM, -EOPNOTSUPP, -ENOENT, -EINVAL};

	(void)state;
	fill(2);
	k.twist = tell_error;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		told_error = errors[i];
		diag_destroy(k.diag, k.requests, 2, k.errors);
		assert_int_equal(k.errors[0], errors[i]);
		assert_int_equal(k.errors[1], errors[i]);
	}
	fill(2);
	k.twist = lose;
	diag_destroy(k.diag, k.requests, 2, k.errors);
	assert_int_equal(k.errors[0], -ETIMEDOUT);
	fill(2);
	k.twist = answer_with_a_socket;
	diag_destroy(k.diag, k.requests, 2, k.errors);
	assert_int_equal(k.errors[0], -EBADMSG);
	fakenl_fail(FAKENL_SENDTO, 0, 1, ENOBUFS);
	diag_destroy(k.diag, k.requests, 2, k.errors);
	assert_int_equal(k.errors[1], -ENOBUFS);
}

static void the_probe_hits_nobody(void **state)
{
	const struct endpoint any = {in6addr_any, htons(80)};

	(void)state;
	fill(DIAG_BATCH_MAX);
	model_listen(&k.model, &any, 128);
	assert_int_equal(diag_probe_destroy(k.diag), 0);
	look_up(DIAG_BATCH_MAX);
	expect_all_right(DIAG_BATCH_MAX);

	k.twist = tell_error;
	told_error = -EPERM;
	assert_int_equal(diag_probe_destroy(k.diag), -EPERM);
	told_error = -EOPNOTSUPP;
	assert_int_equal(diag_probe_destroy(k.diag), -EOPNOTSUPP);
}

/* --- dumps ------------------------------------------------------------------------------------------------- */

static void sockets_on_a_source_are_counted(void **state)
{
	(void)state;
	for (int v4 = 0; v4 <= 1; v4++) {
		for (size_t n = 0; n <= 10; n++) {
			struct sock_info infos[4] = {{.state = 0}};
			struct endpoint other, local;
			size_t count = 99;

			model_clear(&k.model);
			other = fill_source(!v4, 2, TCPSTATE_SYN_SENT);
			local = fill_source(v4, n, TCPSTATE_SYN_SENT);
			assert_int_equal(other.port, local.port);
			fill_source(v4, 1, TCPSTATE_LISTEN);
			assert_int_equal(
				diag_sockets_on(k.diag, &local, connected, infos, 4, &count), 0);
			assert_int_equal(count, n);
			for (size_t i = 0; i < 4; i++)
				assert_int_equal(infos[i].state, i < n ? TCPSTATE_SYN_SENT : 0);
		}
	}
	assert_int_equal(fakenl_open_sockets(), 1);
}

static void ipv4_in_ipv6_sockets_counts_too(void **state)
{
	struct endpoint local = fill_source(true, 2, TCPSTATE_SYN_SENT);
	struct sock_info info;
	size_t count;

	(void)state;
	k.model.sockets[1].uid = DUAL_STACK_UID;
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 2);
	k.model.sockets[0].uid = DUAL_STACK_UID;
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 2);
	model_remove(&k.model.sockets[0]);
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 1);
	assert_true(addr_is_v4(&info.tuple.src.addr));
}

static void interrupt_dump(struct reply *reply)
{
	uint16_t flags = NLM_F_MULTI | NLM_F_DUMP_INTR;

	if (reply->index == 1)
		memcpy(reply->bytes + offsetof(struct nlmsghdr, nlmsg_flags), &flags,
		       sizeof(flags));
}

static void spoil_dump(struct reply *reply)
{
	if (reply->index == 1)
		reply->bytes[NLMSG_HDRLEN] = 99; /* no such family */
}

static void overrun_dump(struct reply *reply)
{
	if (reply->index == 1)
		fakenl_deliver_error(fakenl_fd(), ENOBUFS);
}

static void bloat_dump(struct reply *reply)
{
	if (reply->index == 1)
		reply->len = 32769;
}

static void lose_dump(struct reply *reply)
{
	reply->lost = reply->index == 2;
}

static void end_with_error(struct reply *reply)
{
	if (reply->index == 1)
		tell_error(reply);
}

static void stop_short(struct reply *reply)
{
	if (reply->index == 1) {
		tell_error(reply);
		cut = NLMSG_HDRLEN + 2;
		cut_message(reply);
	}
}

static void expect_dump_fails(int error)
{
	struct sock_info info;
	size_t count = 99;
	struct endpoint local;

	model_clear(&k.model);
	local = fill_source(false, 8, TCPSTATE_SYN_SENT);
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), error);
	assert_int_equal(count, 99);
	/* A new socket, and the old one closed: what is left of the dump is gone with it. */
	assert_int_equal(fakenl_open_sockets(), 1);
	assert_int_equal(fakenl_pending(), 0);

	k.twist = NULL;
	k.dump_error = 0;
	k.done_error = 0;
	k.never_done = false;
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 8);
}

static void a_failed_dump_says_nothing(void **state)
{
	static const struct {
		void (*twist)(struct reply *);
		int told, error;
	} cases[] = {
		{interrupt_dump, 0, -EINTR},   {spoil_dump, 0, -EBADMSG},
		{overrun_dump, 0, -ENOBUFS},   {bloat_dump, 0, -EBADMSG},
		{lose_dump, 0, -ETIMEDOUT},    {end_with_error, -ENOMEM, -ENOMEM},
		{end_with_error, 0, -EBADMSG}, {stop_short, -ENOMEM, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		k.twist = cases[i].twist;
		told_error = cases[i].told;
		expect_dump_fails(cases[i].error);
	}
	k.dump_error = -EBUSY;
	expect_dump_fails(-EBUSY);
	k.done_error = -EMSGSIZE;
	expect_dump_fails(-EMSGSIZE);
	k.never_done = true;
	expect_dump_fails(-ETIMEDOUT);
}

static void a_dump_has_a_deadline(void **state)
{
	int64_t start = fakenl_now_ms();
	struct endpoint local = fill_source(true, 1, TCPSTATE_SYN_SENT);
	struct sock_info info;
	size_t count;

	(void)state;
	/* One for both families. */
	k.twist = delay;
	delay_ms = 500;
	delay_step_ms = 0;
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), -ETIMEDOUT);
	assert_int_equal(fakenl_now_ms() - start, DUMP_DEADLINE_MS);
	delay_ms = 300;
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 1);
}

static void dumps_are_interrupted(void **state)
{
	struct endpoint local = fill_source(false, 7, TCPSTATE_SYN_SENT);
	struct sock_info info;
	size_t count;

	(void)state;
	fakenl_fail(FAKENL_SENDTO, 0, 2, EINTR);
	fakenl_fail(FAKENL_RECV, 1, 3, EINTR);
	fakenl_fail(FAKENL_POLL, 0, 2, EINTR);
	k.twist = delay;
	delay_ms = 10;
	delay_step_ms = 10;
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 7);
}

static void sending_a_dump_fails(void **state)
{
	struct endpoint local = fill_source(false, 1, TCPSTATE_SYN_SENT);
	struct sock_info info;
	size_t count;

	(void)state;
	fakenl_fail(FAKENL_SENDTO, 0, 1, ENOBUFS);
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), -ENOBUFS);
	fakenl_fail(FAKENL_RECV, 0, 1, EIO);
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), -EIO);
}

/* Pieces of another dump, or of another process, before each true one. */
static void pieces_of_others_are_passed_over(void **state)
{
	static void (*const forgeries[])(struct reply *) = {
		from_another_process, to_an_earlier_request, to_a_later_request};
	struct endpoint local = fill_source(false, 7, TCPSTATE_ESTABLISHED);
	struct sock_info infos[8];
	size_t count;

	(void)state;
	k.twist = send_forged_first;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		forge = forgeries[i];
		/* In one piece: the header that is forged is the first one's. */
		k.per_piece = 1;
		assert_int_equal(diag_sockets_on(k.diag, &local, connected, infos, 8, &count), 0);
		assert_int_equal(count, 7);
		for (size_t n = 0; n < 7; n++)
			assert_int_equal(infos[n].state, TCPSTATE_ESTABLISHED);
	}
}

/* Descriptors have run out: the old socket still answers look-ups, and dumps later on. */
static void without_a_new_socket_the_old_one_serves_on(void **state)
{
	struct endpoint local;
	struct sock_info info;
	size_t count;

	(void)state;
	fakenl_fail(FAKENL_SOCKET, 0, 1, EMFILE);
	k.never_done = true;
	local = fill_source(false, 4, TCPSTATE_SYN_SENT);
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), -ETIMEDOUT);
	model_clear(&k.model);
	fill(8);
	look_up(8);
	expect_all_right(8);
	k.never_done = false;
	local = fill_source(false, 4, TCPSTATE_SYN_SENT);
	assert_int_equal(diag_sockets_on(k.diag, &local, connected, &info, 1, &count), 0);
	assert_int_equal(count, 4);
}

/* --- opening ---------------------------------------------------------------------------------------------- */

static void opening_fails_cleanly(void **state)
{
	struct diag *diag = NULL;
	int value;

	(void)state;
	fakenl_reset(kernel);
	fakenl_fail(FAKENL_SOCKET, 0, 1, EMFILE);
	assert_int_equal(diag_open(&diag), -EMFILE);
	fakenl_fail(FAKENL_BIND, 0, 1, EADDRINUSE);
	assert_int_equal(diag_open(&diag), -EADDRINUSE);
	assert_null(diag);
	assert_int_equal(fakenl_open_sockets(), 0);

	/* Without the capability the buffer stays small. */
	fakenl_fail(FAKENL_SETSOCKOPT, 0, 1, EPERM);
	assert_int_equal(diag_open(&diag), 0);
	diag_close(diag);
	assert_int_equal(diag_open(&diag), 0);
	assert_int_equal(fakenl_option(fakenl_fd(), SOL_SOCKET, SO_RCVBUFFORCE, &value), 1);
	assert_true(value >= 1024 * DIAG_BATCH_MAX);
	/* Overruns are to be told. */
	assert_int_equal(fakenl_option(fakenl_fd(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &value), 0);
	diag_close(diag);
	diag_close(NULL);
	assert_int_equal(fakenl_open_sockets(), 0);
}

/* What uname() answers; NULL: it fails. */
static const char *kernel_release;

int __wrap_uname(struct utsname *kernel);

int __wrap_uname(struct utsname *kernel)
{
	if (!kernel_release)
		return -1;
	snprintf(kernel->release, sizeof(kernel->release), "%s", kernel_release);
	return 0;
}

static void closed_sockets_depend_on_the_kernel(void **state)
{
	static const struct {
		const char *release;
		bool destroyed;
	} kernels[] = {
		{"5.10.0-46-amd64", false},
		{"6.6.100", false},
		{"6.10.14", false},
		{"6.11.0-rc6", true},
		{"6.18.44", true},
		{"7.0.0", true},
		{"10.1", true},
		{"4.19.11", false},
		{"Linux", false},
		{"", false},
		{NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		kernel_release = kernels[i].release;
		assert_int_equal(diag_destroys_closed(), kernels[i].destroyed);
	}
}

#define DIAG_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIAG_TEST(every_request_gets_its_answer),
		DIAG_TEST(several_answers_in_one_datagram),
		DIAG_TEST(the_listener_answers_for_free_tuples),
		DIAG_TEST(a_cookie_names_one_socket),
		DIAG_TEST(a_dual_stack_socket_answers_for_ipv4),
		DIAG_TEST(forged_answers_are_passed_over),
		DIAG_TEST(forged_answers_alone_are_no_answers),
		DIAG_TEST(an_answer_about_another_socket_is_none),
		DIAG_TEST(an_answer_about_a_socket_just_closed_is_no_socket),
		DIAG_TEST(late_answers_are_waited_for),
		DIAG_TEST(the_deadline_is_one_for_all_answers),
		DIAG_TEST(no_answer_is_a_timeout),
		DIAG_TEST(stale_answers_are_never_taken),
		DIAG_TEST(sending_fails),
		DIAG_TEST(interruptions_do_no_harm),
		DIAG_TEST(reading_fails),
		DIAG_TEST(an_overrun_costs_only_what_was_lost),
		DIAG_TEST(a_flood_does_not_outlast_the_deadline),
		DIAG_TEST(overruns_without_end_do_not_either),
		DIAG_TEST(a_slow_reader_loses_nothing),
		DIAG_TEST(errors_are_handed_on),
		DIAG_TEST(short_messages_are_no_answers),
		DIAG_TEST(cut_answers_are_known_at_once),
		DIAG_TEST(an_answer_that_is_too_long_delays_nobody),
		DIAG_TEST(absurd_lengths_do_no_harm),
		DIAG_TEST(scrambled_answers_do_no_harm),
		DIAG_TEST(no_answer_is_ever_mistaken),
		DIAG_TEST(destroy_takes_the_named_socket),
		DIAG_TEST(destroy_spares_the_listener_and_the_next),
		DIAG_TEST(destroys_that_fail),
		DIAG_TEST(the_probe_hits_nobody),
		DIAG_TEST(sockets_on_a_source_are_counted),
		DIAG_TEST(ipv4_in_ipv6_sockets_counts_too),
		DIAG_TEST(a_failed_dump_says_nothing),
		DIAG_TEST(a_dump_has_a_deadline),
		DIAG_TEST(dumps_are_interrupted),
		DIAG_TEST(sending_a_dump_fails),
		DIAG_TEST(pieces_of_others_are_passed_over),
		DIAG_TEST(without_a_new_socket_the_old_one_serves_on),
		cmocka_unit_test(closed_sockets_depend_on_the_kernel),
		cmocka_unit_test(opening_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
