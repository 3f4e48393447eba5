/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue against a kernel that holds packets until they have their verdicts, as nfnetlink_queue
 * does, and whose messages come late, cut, in excess or from elsewhere.
 */
#include "config.h"

#include "fakenl.h"
#include "queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
/* Wants the headers above it. */
#include <cmocka.h>

#define NUMBER	     61
#define MAX_HELD     1024
#define FOREIGN_PORT 4711
#define TABLE	     "/proc/thread-self/net/netfilter/nfnetlink_queue"

/* A packet in the kernel's hands, and what became of it. */
struct held {
	uint32_t id;
	uint32_t mark;
	enum { HELD, ACCEPTED, DROPPED } fate;
};

static struct {
	struct queue *queue;
	int refusal;	 /* errno that a request is answered with, 0: silence */
	size_t configs;	 /* requests that were no verdicts */
	uint32_t maxlen; /* as set */
	size_t refused;	 /* verdicts on no held packet */
	struct held held[8 * QUEUE_BATCH_MAX];
	size_t n_held;
	const char *table; /* what the kernel's list of queues says; NULL: there is none */
	struct held_packet packets[QUEUE_BATCH_MAX];
	size_t n;
	struct queue_losses losses;
	uint64_t random;
} k;

FILE *__wrap_fopen(const char *path, const char *mode);

FILE *__wrap_fopen(const char *path, const char *mode)
{
	(void)mode;
	assert_string_equal(path, TABLE);
	if (k.table)
		return fmemopen((void *)(uintptr_t)k.table, strlen(k.table), "r");
	errno = ENOENT;
	return NULL;
}

static uint32_t roll(uint32_t below)
{
	k.random = k.random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(k.random >> 33) % below;
}

/* --- the wire ------------------------------------------------------------------------------------ */

struct bytes {
	size_t len;
	char at[4096] __attribute__((aligned(8)));
};

static void append(struct bytes *b, const void *data, size_t len)
{
	memset(b->at + b->len, 0, NLMSG_ALIGN(len));
	memcpy(b->at + b->len, data, len);
	b->len += NLMSG_ALIGN(len);
}

static void append_attr(struct bytes *b, uint16_t type, const void *data, size_t len)
{
	const struct nlattr attr = {.nla_len = (uint16_t)(sizeof(attr) + len), .nla_type = type};

	append(b, &attr, sizeof(attr));
	append(b, data, len);
}

static void end_message(struct bytes *b)
{
	uint32_t len = (uint32_t)b->len;

	memcpy(b->at, &len, sizeof(len));
}

/* A NFQNL_MSG_PACKET as the kernel writes it, the payload last. */
static struct bytes packet_message(uint32_t id, uint32_t mark, size_t payload_len)
{
	const struct nlmsghdr nlh = {.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET};
	const struct nfgenmsg nfg = {.nfgen_family = AF_INET, .res_id = htons(NUMBER)};
	const struct nfqnl_msg_packet_hdr hdr = {.packet_id = htonl(id), .hook = NF_INET_LOCAL_IN};
	const uint32_t indev = htonl(1), be_mark = htonl(mark);
	static const char payload[3000] = {0x45};
	struct bytes b = {.len = 0};

	append(&b, &nlh, sizeof(nlh));
	append(&b, &nfg, sizeof(nfg));
	append_attr(&b, NFQA_PACKET_HDR, &hdr, 7); /* its size on the wire */
	append_attr(&b, NFQA_IFINDEX_INDEV, &indev, sizeof(indev));
	if (mark)
		append_attr(&b, NFQA_MARK, &be_mark, sizeof(be_mark));
	append_attr(&b, NFQA_PAYLOAD, payload, payload_len);
	end_message(&b);
	return b;
}

static struct bytes error_message(int error)
{
	const struct nlmsghdr nlh = {.nlmsg_type = NLMSG_ERROR};
	const struct nlmsgerr err = {.error = error, .msg = {.nlmsg_len = NLMSG_HDRLEN}};
	struct bytes b = {.len = 0};

	append(&b, &nlh, sizeof(nlh));
	append(&b, &err, sizeof(err));
	end_message(&b);
	return b;
}

static void deliver(const struct bytes *b)
{
	fakenl_deliver(fakenl_fd(), b->at, b->len, 0, 0);
}

static void deliver_error_message(int error)
{
	const struct bytes b = error_message(error);

	deliver(&b);
}

/* --- the kernel's side -------------------------------------------------------------------------- */

static const struct nlattr *find_attr(const struct nlmsghdr *nlh, uint16_t type)
{
	const char *at = (const char *)nlh + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const char *end = (const char *)nlh + nlh->nlmsg_len;

	while (at < end) {
		const struct nlattr *attr = (const void *)at;

		assert_true(attr->nla_len >= sizeof(*attr) && at + attr->nla_len <= end);
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		at += NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

static uint32_t be32_of(const struct nlattr *attr)
{
	uint32_t value;

	assert_non_null(attr);
	assert_int_equal(attr->nla_len, sizeof(*attr) + sizeof(value));
	memcpy(&value, attr + 1, sizeof(value));
	return ntohl(value);
}

static void configure(const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_flags & NLM_F_ACK) {
		deliver_error_message(0);
		return;
	}
	k.configs++;
	k.maxlen = be32_of(find_attr(nlh, NFQA_CFG_QUEUE_MAXLEN));
	if (k.refusal)
		deliver_error_message(k.refusal);
}

static void give_verdict(struct held *held, uint32_t verdict, const struct nlattr *mark)
{
	held->fate = verdict == NF_DROP ? DROPPED : ACCEPTED;
	if (mark)
		held->mark = be32_of(mark);
}

/* nfqnl_recv_verdict() and nfqnl_recv_verdict_batch(): one id, or all up to it. */
static void take_verdict(const struct nlmsghdr *nlh, bool batch)
{
	const struct nlattr *mark = find_attr(nlh, NFQA_MARK);
	const struct nlattr *attr = find_attr(nlh, NFQA_VERDICT_HDR);
	struct nfqnl_msg_verdict_hdr hdr;
	size_t hit = 0;

	assert_non_null(attr);
	memcpy(&hdr, attr + 1, sizeof(hdr));
	for (size_t i = 0; i < k.n_held; i++) {
		int32_t after = (int32_t)(k.held[i].id - ntohl(hdr.id));

		if (k.held[i].fate != HELD)
			continue;
		if (batch ? after <= 0 : after == 0) {
			give_verdict(&k.held[i], ntohl(hdr.verdict), mark);
			hit++;
		}
	}
	if (hit == 0) {
		k.refused++;
		deliver_error_message(-ENOENT);
	}
}

static void kernel(int fd, const void *buf, size_t len)
{
	const char *bytes = buf;

	(void)fd;
	for (size_t at = 0; at < len;) {
		const struct nlmsghdr *nlh = (const void *)(bytes + at);
		const struct nfgenmsg *nfg = (const void *)(nlh + 1);

		assert_true(at + nlh->nlmsg_len <= len);
		assert_int_equal(nlh->nlmsg_type >> 8, NFNL_SUBSYS_QUEUE);
		assert_int_equal(ntohs(nfg->res_id), NUMBER);
		switch (nlh->nlmsg_type & 0xff) {
		case NFQNL_MSG_CONFIG:
			configure(nlh);
			break;
		case NFQNL_MSG_VERDICT:
			take_verdict(nlh, false);
			break;
		case NFQNL_MSG_VERDICT_BATCH:
			take_verdict(nlh, true);
			break;
		default:
			fail_msg("message type %u", nlh->nlmsg_type);
		}
		at += NLMSG_ALIGN(nlh->nlmsg_len);
	}
}

static void hold(uint32_t id, uint32_t mark)
{
	const struct bytes b = packet_message(id, mark, 60);

	assert_true(k.n_held < sizeof(k.held) / sizeof(k.held[0]));
	k.held[k.n_held++] = (struct held){.id = id, .mark = mark};
	deliver(&b);
}

/* --- what the tests share --------------------------------------------------------------------- */

static int set_up(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	fakenl_reset(kernel);
	return queue_open(NUMBER, MAX_HELD, &k.queue);
}

static int tear_down(void **state)
{
	(void)state;
	queue_close(k.queue);
	assert_int_equal(fakenl_open_sockets(), 0);
	return 0;
}

static void receive(void)
{
	memset(&k.losses, 0x5a, sizeof(k.losses));
	assert_int_equal(queue_receive(k.queue, false, k.packets, &k.n, &k.losses), 0);
}

static void expect_losses(unsigned int overruns, unsigned int missed, unsigned int bad,
			  unsigned int verdict_errors)
{
	assert_int_equal(k.losses.overruns, overruns);
	assert_int_equal(k.losses.missed, missed);
	assert_int_equal(k.losses.bad_messages, bad);
	assert_int_equal(k.losses.verdict_errors, verdict_errors);
}

/* --- opening and stopping ------------------------------------------------------------------------- */

static void binds_with_one_message(void **state)
{
	int value;

	(void)state;
	/* Between two messages the kernel would drop what comes. */
	assert_int_equal(k.configs, 1);
	assert_int_equal(fakenl_count(FAKENL_SENDTO), 1);
	assert_int_equal(k.maxlen, MAX_HELD);
	assert_int_equal(queue_fd(k.queue), fakenl_fd());
	/* Overruns are to be told, and room is made against them. */
	assert_int_equal(fakenl_option(fakenl_fd(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &value), 0);
	assert_int_equal(fakenl_option(fakenl_fd(), SOL_SOCKET, SO_RCVBUFFORCE, &value), 1);
	assert_true(value >= 1024 * MAX_HELD);
	queue_close(NULL);
}

/* Else a higher queue.max_held would only lead to overruns. */
static void the_buffer_has_room_for_all_held(void **state)
{
	struct queue *queue = NULL;
	int value;

	(void)state;
	memset(&k, 0, sizeof(k));
	fakenl_reset(kernel);
	assert_int_equal(queue_open(NUMBER, 65536, &queue), 0);
	assert_int_equal(fakenl_option(fakenl_fd(), SOL_SOCKET, SO_RCVBUFFORCE, &value), 1);
	assert_int_equal(value, 65536 * 1024);
	queue_close(queue);
}

static void opening_fails_cleanly(void **state)
{
	static const enum fakenl_call calls[] = {FAKENL_SOCKET, FAKENL_BIND, FAKENL_SETSOCKOPT,
						 FAKENL_SENDTO, FAKENL_RECV};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct queue *queue = NULL;

		memset(&k, 0, sizeof(k));
		fakenl_reset(kernel);
		fakenl_fail(calls[i], 0, 1, ENOBUFS);
		assert_int_equal(queue_open(NUMBER, MAX_HELD, &queue), -ENOBUFS);
		assert_null(queue);
		assert_int_equal(fakenl_open_sockets(), 0);
	}
}

/* First what a user namespace allows; then the default, as good as it is. */
static void a_smaller_buffer_has_to_do(void **state)
{
	(void)state;
	for (size_t refused = 1; refused <= 2; refused++) {
		struct queue *queue = NULL;
		int value;

		memset(&k, 0, sizeof(k));
		fakenl_reset(kernel);
		fakenl_fail(FAKENL_SETSOCKOPT, 1, refused, EPERM);
		assert_int_equal(queue_open(NUMBER, MAX_HELD, &queue), 0);
		assert_int_equal(fakenl_option(fakenl_fd(), SOL_SOCKET, SO_RCVBUF, &value),
				 refused == 1);
		queue_close(queue);
	}
}

static void a_refusal_is_told(void **state)
{
	static const struct {
		int refusal;
		const char *table;
		int error;
	} cases[] = {
		{-EPERM, NULL, -EPERM},
		{-EPERM, "", -EPERM},
		{-EPERM, "   60   4242     0 2 65531     0     0        0  1\n", -EPERM},
		{-EPERM,
		 "   60   4242     0 2 65531     0     0        0  1\n"
		 "   61   4243     0 2   256     0     0        0  1\n",
		 -EBUSY},
		{-EPERM, "   61 4294963198     0 2   256     0     0        0  1\n", -EBUSY},
		{-EPERM, "nonsense\n\n61\n", -EPERM},
		{-EBUSY, NULL, -EBUSY},
		{-EINVAL, NULL, -EINVAL},
		{-EOPNOTSUPP, NULL, -EOPNOTSUPP},
		/* An ACK that nobody asked for. */
		{0, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue *queue = NULL;

		memset(&k, 0, sizeof(k));
		fakenl_reset(kernel);
		k.refusal = cases[i].refusal;
		k.table = cases[i].table;
		assert_int_equal(queue_open(NUMBER, MAX_HELD, &queue), cases[i].error);
		assert_int_equal(!queue, cases[i].error != 0);
		queue_close(queue);
		assert_int_equal(fakenl_open_sockets(), 0);
	}
}

static struct bytes first_message;

static void deliver_first(int fd, const void *buf, size_t len)
{
	(void)fd;
	(void)buf;
	(void)len;
	deliver(&first_message);
}

/* Packets may come before anybody has looked for a refusal. */
static void a_packet_says_that_the_queue_is_ours(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	fakenl_reset(deliver_first);
	first_message = packet_message(7, 0, 60);
	assert_int_equal(queue_open(NUMBER, MAX_HELD, &k.queue), 0);
	receive();
	assert_int_equal(k.n, 1);
	assert_int_equal(k.packets[0].id, 7);
	queue_close(k.queue);
}

/* What cannot be read as an answer is no leave to go on. */
static void an_answer_that_is_none_fails(void **state)
{
	(void)state;
	for (size_t len = 0; len <= NLMSG_HDRLEN + sizeof(struct nlmsgerr); len++) {
		memset(&k, 0, sizeof(k));
		fakenl_reset(deliver_first);
		/* Whole, it carries no errno either. */
		first_message = error_message(EPERM);
		first_message.len = len;
		assert_int_equal(queue_open(NUMBER, MAX_HELD, &k.queue), -EBADMSG);
		assert_int_equal(fakenl_open_sockets(), 0);
	}
}

static void stopping_lets_packets_pass(void **state)
{
	(void)state;
	assert_int_equal(queue_stop(k.queue), 0);
	assert_int_equal(k.configs, 2);
	assert_int_equal(k.maxlen, 0);
	/* What is held still comes. */
	hold(1, 0);
	receive();
	assert_int_equal(k.n, 1);
	fakenl_fail(FAKENL_SENDTO, 0, 1, ENOBUFS);
	assert_int_equal(queue_stop(k.queue), -ENOBUFS);
}

/* Received or not, below the last id that is known or above it; and nothing is held any more. */
static void letting_go_accepts_whatever_is_held(void **state)
{
	(void)state;
	hold(UINT32_MAX - 1, 0);
	hold(UINT32_MAX, 7);
	receive();
	assert_int_equal(k.n, 2);
	hold(0, 0);
	hold(1000, 0);
	assert_int_equal(queue_let_go(k.queue), 0);
	for (size_t i = 0; i < k.n_held; i++)
		assert_int_equal(k.held[i].fate, ACCEPTED);
	assert_int_equal(k.maxlen, 0);
	assert_int_equal(k.refused, 0);
	/* The marks stay as they are. */
	assert_int_equal(k.held[1].mark, 7);

	assert_int_equal(queue_resume(k.queue), 0);
	assert_int_equal(k.maxlen, MAX_HELD);
	fakenl_fail(FAKENL_SENDTO, 0, 2, ENOMEM);
	assert_int_equal(queue_let_go(k.queue), -ENOMEM);
	assert_int_equal(queue_resume(k.queue), -ENOMEM);
}

/* Before anything was received. */
static void letting_go_of_the_first(void **state)
{
	(void)state;
	hold(1, 0);
	assert_int_equal(queue_let_go(k.queue), 0);
	assert_int_equal(k.held[0].fate, ACCEPTED);
}

static void owners_are_found(void **state)
{
	(void)state;
	k.table = "    0   1111     0 2 65531     0     0        0  1\n"
		  "   61 3735928559     1 2   256     0     0        5  1\n"
		  "   62   3333     0 2   256     0     0        5  1\n";
	assert_int_equal(queue_owner(0), 1111);
	assert_int_equal(queue_owner(61), 3735928559u);
	assert_int_equal(queue_owner(62), 3333);
	assert_int_equal(queue_owner(6), 0);
	assert_int_equal(queue_owner(65535), 0);
	k.table = NULL;
	assert_int_equal(queue_owner(61), 0);
}

/* --- receiving -------------------------------------------------------------------------------------- */

static void every_packet_is_delivered_in_order(void **state)
{
	uint32_t next = 1;

	(void)state;
	for (size_t n = 0; n <= 3 * QUEUE_BATCH_MAX; n += n < 4 ? 1 : 31) {
		size_t seen = 0;

		k.n_held = 0;
		for (size_t i = 0; i < n; i++)
			hold(next + (uint32_t)i, (uint32_t)i);
		do {
			receive();
			expect_losses(0, 0, 0, 0);
			for (size_t i = 0; i < k.n; i++) {
				assert_int_equal(k.packets[i].id, next++);
				assert_int_equal(k.packets[i].mark, seen++);
				assert_int_equal(k.packets[i].ifindex, 1);
				assert_int_equal(k.packets[i].len, 60);
				assert_int_equal(k.packets[i].data[0], 0x45);
			}
		} while (k.n > 0);
		assert_int_equal(seen, n);
	}
	/* Nobody waits in here. */
	assert_int_equal(fakenl_count(FAKENL_POLL), 0);
}

static void other_processes_are_passed_over(void **state)
{
	struct bytes b = packet_message(99, 0, 60);

	(void)state;
	hold(1, 0);
	fakenl_deliver(fakenl_fd(), b.at, b.len, FOREIGN_PORT, 0);
	hold(2, 0);
	receive();
	expect_losses(0, 0, 0, 0);
	assert_int_equal(k.n, 2);
	assert_int_equal(k.packets[0].id, 1);
	assert_int_equal(k.packets[1].id, 2);
}

static void overruns_are_counted_and_survived(void **state)
{
	(void)state;
	fakenl_deliver_error(fakenl_fd(), ENOBUFS);
	hold(1, 0);
	fakenl_deliver_error(fakenl_fd(), ENOBUFS);
	hold(4, 0);
	receive();
	expect_losses(1, 0, 0, 0);
	assert_int_equal(k.n, 1);
	receive();
	expect_losses(1, 2, 0, 0);
	assert_int_equal(k.n, 1);
	assert_int_equal(k.packets[0].id, 4);
	for (int i = 0; i < 1000; i++)
		fakenl_deliver_error(fakenl_fd(), ENOBUFS);
	receive();
	expect_losses(1000, 0, 0, 0);
	assert_int_equal(k.n, 0);
}

/* fakenl fails a test that sleeps when nothing is there. */
static void a_waiting_reader_is_woken(void **state)
{
	struct queue_losses none = {0};

	(void)state;
	assert_int_equal(queue_wake(k.queue), 0);
	assert_int_equal(queue_receive(k.queue, true, k.packets, &k.n, &k.losses), 0);
	assert_int_equal(k.n, 0);
	assert_memory_equal(&k.losses, &none, sizeof(none));
	/* Between packets it is no loss either, and takes no place. */
	hold(1, 0);
	assert_int_equal(queue_wake(k.queue), 0);
	hold(2, 0);
	assert_int_equal(queue_receive(k.queue, true, k.packets, &k.n, &k.losses), 0);
	assert_int_equal(k.n, 2);
	assert_int_equal(k.packets[1].id, 2);
	assert_memory_equal(&k.losses, &none, sizeof(none));
	/* It changes nothing about the queue. */
	assert_int_equal(k.configs, 1);
	fakenl_fail(FAKENL_SENDTO, 0, 1, ENOBUFS);
	assert_int_equal(queue_wake(k.queue), -ENOBUFS);
}

static void interruptions_do_no_harm(void **state)
{
	struct verdict verdict = {.id = 1};

	(void)state;
	hold(1, 0);
	fakenl_fail(FAKENL_RECV, 0, 3, EINTR);
	fakenl_fail(FAKENL_SENDTO, 0, 3, EINTR);
	receive();
	assert_int_equal(k.n, 1);
	assert_int_equal(queue_verdicts(k.queue, &verdict, 1), 0);
	assert_int_equal(k.held[0].fate, ACCEPTED);
}

static void reading_fails(void **state)
{
	size_t n = 77;

	(void)state;
	fakenl_deliver_error(fakenl_fd(), ENOBUFS);
	fakenl_deliver_error(fakenl_fd(), EIO);
	assert_int_equal(queue_receive(k.queue, false, k.packets, &n, &k.losses), -EIO);
	expect_losses(1, 0, 0, 0);
	assert_int_equal(n, 77);
	hold(1, 0);
	receive();
	assert_int_equal(k.n, 1);
}

/* Whatever is missing behind the id: the kernel holds the packet, so it must get its verdict. */
static void a_packet_with_an_id_is_delivered_however_cut(void **state)
{
	const size_t up_to_id =
		NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg)) + sizeof(struct nlattr) + 8;
	const struct bytes whole = packet_message(5, 9, 60);

	(void)state;
	for (size_t cut = 0; cut <= whole.len; cut++) {
		for (int told = 0; told <= 1; told++) {
			struct bytes b = whole;

			b.len = cut;
			if (told && cut >= sizeof(uint32_t))
				end_message(&b);
			deliver(&b);
			receive();
			if (cut < up_to_id - 1) {
				assert_int_equal(k.n, 0);
				assert_int_equal(k.losses.bad_messages, 1);
			} else if (cut >= up_to_id) {
				assert_int_equal(k.n, 1);
				assert_int_equal(k.packets[0].id, 5);
			}
			for (size_t i = 0; i < k.n && k.packets[i].data; i++)
				assert_true(k.packets[i].len <= 60);
		}
	}
	/* Longer than the buffer: the payload is given up, the packet is not. */
	struct bytes b = packet_message(6, 9, 2000);

	deliver(&b);
	receive();
	assert_int_equal(k.n, 1);
	assert_int_equal(k.packets[0].id, 6);
	assert_int_equal(k.packets[0].mark, 9);
	assert_null(k.packets[0].data);
}

static void refused_verdicts_are_counted(void **state)
{
	(void)state;
	hold(1, 0);
	deliver_error_message(-ENOENT);
	hold(2, 0);
	deliver_error_message(-EINVAL);
	receive();
	expect_losses(0, 0, 0, 2);
	assert_int_equal(k.n, 2);
}

/* When the queue is drained, no packet at all means that none is held any more. */
static void packets_behind_other_messages_are_found(void **state)
{
	const struct bytes b = packet_message(99, 0, 60);

	(void)state;
	for (size_t i = 0; i < 3 * QUEUE_BATCH_MAX; i++)
		deliver_error_message(-ENOENT);
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++)
		fakenl_deliver(fakenl_fd(), b.at, b.len, FOREIGN_PORT, 0);
	hold(1, 0);
	receive();
	assert_int_equal(k.n, 1);
	assert_int_equal(k.packets[0].id, 1);
	expect_losses(0, 0, 0, 3 * QUEUE_BATCH_MAX);
	receive();
	assert_int_equal(k.n, 0);
}

static void scrambled_messages_do_no_harm(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct bytes b = packet_message((uint32_t)round, roll(2), 60);

		for (uint32_t n = 1 + roll(6); n > 0; n--)
			b.at[roll((uint32_t)b.len)] = (char)roll(256);
		b.len = roll(4) ? b.len : roll((uint32_t)b.len + 1);
		deliver(&b);
		receive();
		assert_in_range(k.n, 0, 1);
		if (k.n == 1 && k.packets[0].data)
			assert_true(k.packets[0].len <= 1024);
	}
}

/* --- ids ---------------------------------------------------------------------------------------------- */

static void gaps_in_the_ids_are_counted(void **state)
{
	static const struct {
		uint32_t id;
		unsigned int missed;
	} steps[] = {
		/* Nobody knows what was before the first. */
		{1000, 0},
		{1001, 0},
		{1003, 1},
		{1004, 0},
		{1104, 99},
		{1105, 0},
		/* Late ones, and what comes after them. */
		{1050, 0},
		{1105, 0},
		{1106, 0},
		{1108, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		hold(steps[i].id, 0);
		receive();
		assert_int_equal(k.n, 1);
		assert_int_equal(k.losses.missed, steps[i].missed);
	}
}

static void ids_wrap_around(void **state)
{
	(void)state;
	hold(UINT32_MAX - 1, 0);
	hold(UINT32_MAX, 0);
	hold(0, 0);
	hold(2, 0);
	receive();
	assert_int_equal(k.n, 4);
	expect_losses(0, 1, 0, 0);
}

/* --- verdicts ------------------------------------------------------------------------------------------ */

static void no_verdicts_send_nothing(void **state)
{
	(void)state;
	assert_int_equal(queue_verdicts(k.queue, NULL, 0), 0);
	assert_int_equal(fakenl_count(FAKENL_SENDTO), 1);
}

static void failing_verdicts_are_told(void **state)
{
	struct verdict verdict = {.id = 1};

	(void)state;
	hold(1, 0);
	receive();
	fakenl_fail(FAKENL_SENDTO, 0, 1, ENOBUFS);
	assert_int_equal(queue_verdicts(k.queue, &verdict, 1), -ENOBUFS);
	assert_int_equal(k.held[0].fate, HELD);
	assert_int_equal(queue_verdicts(k.queue, &verdict, 1), 0);
	assert_int_equal(k.held[0].fate, ACCEPTED);
}

/* Batch after batch of every mixture: each packet gets what was meant for it, and none stays. */
static void every_packet_gets_its_own_verdict(void **state)
{
	uint32_t next = UINT32_MAX - 100000;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		size_t n = 1 + roll(round % 8 ? 6 : QUEUE_BATCH_MAX);
		struct verdict verdicts[QUEUE_BATCH_MAX];

		k.n_held = 0;
		for (size_t i = 0; i < n; i++)
			hold(next++, roll(2) ? roll(1000) : 0);
		/* One more, that this batch does not know of. */
		hold(next, 0);
		receive();
		assert_int_equal(k.n, n == QUEUE_BATCH_MAX ? n : n + 1);
		for (size_t i = 0; i < n; i++)
			verdicts[i] = (struct verdict){
				.id = k.packets[i].id,
				.drop = roll(4) == 0,
				.set_mark = roll(4) == 0,
				.mark = roll(1000),
			};
		assert_int_equal(queue_verdicts(k.queue, verdicts, n), 0);
		assert_int_equal(k.refused, 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(k.held[i].fate, verdicts[i].drop ? DROPPED : ACCEPTED);
			assert_int_equal(k.held[i].mark, verdicts[i].set_mark ? verdicts[i].mark
									      : k.packets[i].mark);
		}
		assert_int_equal(k.held[n].fate, HELD);
		if (n == QUEUE_BATCH_MAX)
			receive();
		next++;
	}
}

#define QUEUE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(binds_with_one_message),
		cmocka_unit_test(opening_fails_cleanly),
		cmocka_unit_test(the_buffer_has_room_for_all_held),
		cmocka_unit_test(a_smaller_buffer_has_to_do),
		cmocka_unit_test(a_refusal_is_told),
		cmocka_unit_test(a_packet_says_that_the_queue_is_ours),
		cmocka_unit_test(an_answer_that_is_none_fails),
		QUEUE_TEST(stopping_lets_packets_pass),
		QUEUE_TEST(letting_go_accepts_whatever_is_held),
		QUEUE_TEST(letting_go_of_the_first),
		QUEUE_TEST(owners_are_found),
		QUEUE_TEST(every_packet_is_delivered_in_order),
		QUEUE_TEST(other_processes_are_passed_over),
		QUEUE_TEST(overruns_are_counted_and_survived),
		QUEUE_TEST(a_waiting_reader_is_woken),
		QUEUE_TEST(interruptions_do_no_harm),
		QUEUE_TEST(reading_fails),
		QUEUE_TEST(a_packet_with_an_id_is_delivered_however_cut),
		QUEUE_TEST(refused_verdicts_are_counted),
		QUEUE_TEST(packets_behind_other_messages_are_found),
		QUEUE_TEST(scrambled_messages_do_no_harm),
		QUEUE_TEST(gaps_in_the_ids_are_counted),
		QUEUE_TEST(ids_wrap_around),
		QUEUE_TEST(no_verdicts_send_nothing),
		QUEUE_TEST(failing_verdicts_are_told),
		QUEUE_TEST(every_packet_gets_its_own_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
