/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of queuemsg. Requests are read back with libmnl and the kernel's structs; verdicts are
 * carried out on a list of held packets as the kernel does it (net/netfilter/nfnetlink_queue.c).
 */
#include "config.h"

#include "queuemsg.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <string.h>

/* --- requests ----------------------------------------------------------------------------------- */

static struct {
	uint8_t before[16];
	_Alignas(struct nlmsghdr) uint8_t bytes[64 * QUEUEMSG_REQUEST_MAX];
	uint8_t after[16];
} out;

static void prepare(void)
{
	memset(&out, 0xee, sizeof(out));
}

static void check_untouched_from(size_t len)
{
	for (size_t i = 0; i < sizeof(out.before); i++) {
		assert_int_equal(out.before[i], 0xee);
		assert_int_equal(out.after[i], 0xee);
	}
	for (size_t i = len; i < sizeof(out.bytes); i++)
		assert_int_equal(out.bytes[i], 0xee);
}

struct attrs {
	const struct nlattr *of[NFQA_MAX + 1];
	unsigned int n;
};

/* One message of the NFQUEUE subsystem: its headers checked, its attributes by type. */
static struct attrs read_message(const struct nlmsghdr *nlh, uint16_t type, uint16_t queue)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct attrs attrs = {.n = 0};

	assert_int_equal(nlh->nlmsg_type, NFNL_SUBSYS_QUEUE << 8 | type);
	assert_int_equal(nlh->nlmsg_pid, 0);
	assert_int_equal(nfg->nfgen_family, AF_UNSPEC);
	assert_int_equal(nfg->version, NFNETLINK_V0);
	assert_int_equal(ntohs(nfg->res_id), queue);
	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
	{
		assert_in_range(mnl_attr_get_type(attr), 1, NFQA_MAX);
		assert_null(attrs.of[mnl_attr_get_type(attr)]);
		attrs.of[mnl_attr_get_type(attr)] = attr;
		attrs.n++;
	}
	return attrs;
}

/* Copies out a struct of exactly that size. */
static void get(const struct nlattr *attr, void *ret, size_t size)
{
	assert_non_null(attr);
	assert_int_equal(mnl_attr_get_payload_len(attr), size);
	memcpy(ret, mnl_attr_get_payload(attr), size);
}

static uint32_t get_be32(const struct nlattr *attr)
{
	uint32_t value;

	get(attr, &value, sizeof(value));
	return ntohl(value);
}

static void test_bind(void **state)
{
	static const struct queue_settings cases[] = {
		{.number = 61, .max_held = 1024, .copy_range = 128},
		{.number = 65535, .max_held = 0x01020304, .copy_range = 0xfffb},
		{.number = 0, .max_held = UINT32_MAX, .copy_range = 0x80000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct nlmsghdr *nlh = (const void *)out.bytes;
		struct nfqnl_msg_config_params params;
		struct nfqnl_msg_config_cmd cmd;
		struct attrs attrs;
		size_t len;

		prepare();
		len = queuemsg_put_bind(out.bytes, 0x12345678, &cases[i]);
		assert_true(len <= QUEUEMSG_REQUEST_MAX);
		check_untouched_from(len);
		assert_int_equal(nlh->nlmsg_len, len);
		assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
		assert_int_equal(nlh->nlmsg_seq, 0x12345678);
		attrs = read_message(nlh, NFQNL_MSG_CONFIG, cases[i].number);
		assert_int_equal(attrs.n, 5);
		get(attrs.of[NFQA_CFG_CMD], &cmd, sizeof(cmd));
		assert_int_equal(cmd.command, NFQNL_CFG_CMD_BIND);
		get(attrs.of[NFQA_CFG_PARAMS], &params, sizeof(params));
		assert_int_equal(params.copy_mode, NFQNL_COPY_PACKET);
		assert_int_equal(ntohl(params.copy_range), cases[i].copy_range);
		assert_int_equal(get_be32(attrs.of[NFQA_CFG_QUEUE_MAXLEN]), cases[i].max_held);
		assert_int_equal(get_be32(attrs.of[NFQA_CFG_FLAGS]),
				 NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO);
		/* Without the mask the kernel refuses the message. */
		assert_int_equal(get_be32(attrs.of[NFQA_CFG_MASK]),
				 NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO);
	}
}

/* Only the length changes: FAIL_OPEN must go on holding, or new packets would be dropped. */
static void test_stop(void **state)
{
	const struct nlmsghdr *nlh = (const void *)out.bytes;
	struct attrs attrs;
	size_t len;

	(void)state;
	prepare();
	len = queuemsg_put_limit(out.bytes, 7, 61, 0);
	assert_true(len <= QUEUEMSG_REQUEST_MAX);
	check_untouched_from(len);
	assert_int_equal(nlh->nlmsg_len, len);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(nlh->nlmsg_seq, 7);
	attrs = read_message(nlh, NFQNL_MSG_CONFIG, 61);
	assert_int_equal(attrs.n, 1);
	assert_int_equal(get_be32(attrs.of[NFQA_CFG_QUEUE_MAXLEN]), 0);
}

static void test_accept_until(void **state)
{
	const struct nlmsghdr *nlh = (const void *)out.bytes;
	struct nfqnl_msg_verdict_hdr hdr;
	struct attrs attrs;
	size_t len;

	(void)state;
	prepare();
	len = queuemsg_put_accept_until(out.bytes, 61, 0x89abcdef);
	assert_true(len <= QUEUEMSG_REQUEST_MAX);
	check_untouched_from(len);
	attrs = read_message(nlh, NFQNL_MSG_VERDICT_BATCH, 61);
	assert_int_equal(attrs.n, 1);
	memcpy(&hdr, mnl_attr_get_payload(attrs.of[NFQA_VERDICT_HDR]), sizeof(hdr));
	assert_int_equal(ntohl(hdr.verdict), NF_ACCEPT);
	assert_int_equal(ntohl(hdr.id), 0x89abcdef);
}

static void test_ping(void **state)
{
	const struct nlmsghdr *nlh = (const void *)out.bytes;
	size_t len;

	(void)state;
	prepare();
	len = queuemsg_put_ping(out.bytes, 7, 61);
	assert_true(len <= QUEUEMSG_REQUEST_MAX);
	check_untouched_from(len);
	assert_int_equal(nlh->nlmsg_len, len);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(nlh->nlmsg_seq, 7);
	assert_int_equal(read_message(nlh, NFQNL_MSG_CONFIG, 61).n, 0);
}

/* --- verdicts ----------------------------------------------------------------------------------- */

#define MAX_HELD 64

/* The kernel's side: packets in the order they came, each with its verdict once it has one. */
struct held {
	uint32_t id;
	uint32_t mark;
	bool gone;
	bool dropped;
	bool stopped; /* past the rules that come after */
	const uint8_t *answer;
	size_t answer_len;
};

struct kernel {
	struct held held[MAX_HELD];
	size_t n;
	unsigned int messages;
	unsigned int batch_messages;
};

static void settle(struct held *held, const struct attrs *attrs)
{
	struct nfqnl_msg_verdict_hdr hdr;

	get(attrs->of[NFQA_VERDICT_HDR], &hdr, sizeof(hdr));
	assert_true(ntohl(hdr.verdict) == NF_ACCEPT || ntohl(hdr.verdict) == NF_DROP ||
		    ntohl(hdr.verdict) == NF_STOP);
	assert_false(held->gone);
	held->gone = true;
	held->dropped = ntohl(hdr.verdict) == NF_DROP;
	held->stopped = ntohl(hdr.verdict) == NF_STOP;
	if (attrs->of[NFQA_MARK])
		held->mark = get_be32(attrs->of[NFQA_MARK]);
	if (attrs->of[NFQA_PAYLOAD]) {
		held->answer = mnl_attr_get_payload(attrs->of[NFQA_PAYLOAD]);
		held->answer_len = mnl_attr_get_payload_len(attrs->of[NFQA_PAYLOAD]);
	}
}

/* nfqnl_recv_verdict() and nfqnl_recv_verdict_batch(); both want something to settle. */
static void receive_verdict(struct kernel *kernel, const struct nlmsghdr *nlh)
{
	bool batch = (nlh->nlmsg_type & 0xff) == NFQNL_MSG_VERDICT_BATCH;
	struct attrs attrs =
		read_message(nlh, batch ? NFQNL_MSG_VERDICT_BATCH : NFQNL_MSG_VERDICT, 61);
	struct nfqnl_msg_verdict_hdr hdr;
	bool settled = false;

	/* No ACK: one answer per verdict would be one too many on the hot path. */
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
	get(attrs.of[NFQA_VERDICT_HDR], &hdr, sizeof(hdr));
	assert_int_equal(attrs.n, attrs.of[NFQA_MARK] || attrs.of[NFQA_PAYLOAD] ? 2 : 1);
	for (size_t i = 0; i < kernel->n; i++) {
		struct held *held = &kernel->held[i];

		if (held->gone)
			continue;
		if (batch && (int32_t)(held->id - ntohl(hdr.id)) > 0)
			break;
		if (batch || held->id == ntohl(hdr.id)) {
			settle(held, &attrs);
			settled = true;
		}
	}
	assert_true(settled);
	kernel->messages++;
	kernel->batch_messages += batch;
}

static void send_verdicts(struct kernel *kernel, const struct verdict *verdicts, size_t n)
{
	const struct nlmsghdr *nlh = (const void *)out.bytes;
	size_t len;
	int left;

	prepare();
	len = queuemsg_put_verdicts(out.bytes, 61, verdicts, n);
	assert_true(len <= n * QUEUEMSG_REQUEST_MAX);
	check_untouched_from(len);
	for (left = (int)len; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		receive_verdict(kernel, nlh);
	assert_int_equal(left, 0);
}

/* Every packet of the batch must have left as its verdict says, every later one must still be held. */
static void check_settled(const struct kernel *kernel, const struct verdict *verdicts, size_t n)
{
	for (size_t i = 0; i < kernel->n; i++) {
		const struct held *held = &kernel->held[i];

		assert_int_equal(held->gone, i < n);
		if (i >= n)
			continue;
		assert_int_equal(held->dropped, verdicts[i].drop);
		assert_int_equal(held->stopped, verdicts[i].answer != NULL);
		assert_int_equal(held->answer_len, verdicts[i].answer_len);
		if (verdicts[i].answer)
			assert_memory_equal(held->answer, verdicts[i].answer, held->answer_len);
		else
			assert_int_equal(held->mark,
					 verdicts[i].set_mark ? verdicts[i].mark : 0xaaaa);
	}
}

/* Packets with the verdicts' ids and, behind them, some that came meanwhile. */
static struct kernel hold(const struct verdict *verdicts, size_t n, size_t later)
{
	struct kernel kernel = {.n = n + later};

	assert_true(kernel.n <= MAX_HELD);
	for (size_t i = 0; i < n; i++)
		kernel.held[i] = (struct held){.id = verdicts[i].id, .mark = 0xaaaa};
	for (size_t i = 0; i < later; i++)
		kernel.held[n + i] =
			(struct held){.id = verdicts[n - 1].id + 1 + (uint32_t)i, .mark = 0xaaaa};
	return kernel;
}

static void check_verdicts(const struct verdict *verdicts, size_t n, unsigned int messages,
			   unsigned int batch_messages)
{
	struct kernel kernel = hold(verdicts, n, 3);

	send_verdicts(&kernel, verdicts, n);
	check_settled(&kernel, verdicts, n);
	assert_int_equal(kernel.messages, messages);
	assert_int_equal(kernel.batch_messages, batch_messages);
}

static const uint8_t an_answer[QUEUEMSG_ANSWER_MAX] = {0x45, 1, 2, [QUEUEMSG_ANSWER_MAX - 1] = 3};

static void test_verdicts(void **state)
{
	const struct verdict plain[] = {{.id = 5}, {.id = 6}, {.id = 7}, {.id = 8}};
	const struct verdict all_dropped[] = {{.id = 5, .drop = true}, {.id = 6, .drop = true}};
	const struct verdict marked[] = {{.id = 5, .set_mark = true, .mark = 0x01020304}};
	const struct verdict zero_mark[] = {{.id = 5, .set_mark = true}};
	const struct verdict answered[] = {{.id = 5, .answer = an_answer, .answer_len = 40},
					   {.id = 6},
					   /* It goes to the claimant: no rule sees a mark on it. */
					   {.id = 7,
					    .set_mark = true,
					    .mark = 3,
					    .answer = an_answer,
					    .answer_len = QUEUEMSG_ANSWER_MAX}};
	const struct verdict mixed[] = {
		{.id = 5}, {.id = 6, .drop = true},
		{.id = 7}, {.id = 8, .set_mark = true, .mark = 0x80000000},
		{.id = 9}, {.id = 10, .drop = true, .set_mark = true, .mark = 1},
	};
	const struct verdict large_ids[] = {
		{.id = 0x7fffffff}, {.id = 0x80000000, .drop = true}, {.id = 0x80000001}};
	const struct verdict around[] = {
		{.id = UINT32_MAX - 1}, {.id = UINT32_MAX}, {.id = 0}, {.id = 1, .drop = true}};

	(void)state;
	check_verdicts(plain, 1, 1, 1);
	check_verdicts(plain, 4, 1, 1);
	check_verdicts(all_dropped, 2, 2, 0);
	check_verdicts(marked, 1, 1, 0);
	check_verdicts(zero_mark, 1, 1, 0);
	check_verdicts(answered, 3, 3, 1);
	check_verdicts(mixed, 6, 4, 1);
	check_verdicts(large_ids, 3, 2, 1);
	check_verdicts(around, 4, 2, 1);
}

static void test_no_verdicts(void **state)
{
	(void)state;
	prepare();
	assert_int_equal(queuemsg_put_verdicts(out.bytes, 61, NULL, 0), 0);
	check_untouched_from(0);
}

static void test_random_verdicts(void **state)
{
	const unsigned int rounds = unit_rounds(20000);
	struct unit_random random = {.state = 4};

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		size_t n = 1 + unit_random_below(&random, MAX_HELD - 3);
		struct verdict verdicts[MAX_HELD];
		uint32_t id = round % 2 ? unit_random(&random) : UINT32_MAX - 8;
		unsigned int exceptions = 0;

		for (size_t i = 0; i < n; i++) {
			uint32_t chance = unit_random_below(&random, 8);

			verdicts[i] = (struct verdict){
				.id = id++,
				.drop = chance == 0,
				.set_mark = chance == 1,
				.mark = unit_random(&random),
			};
			if (chance == 2) {
				verdicts[i].answer = an_answer;
				verdicts[i].answer_len =
					1 + unit_random_below(&random, QUEUEMSG_ANSWER_MAX);
			}
			exceptions += chance < 3;
		}
		check_verdicts(verdicts, n, exceptions + (exceptions < n), exceptions < n);
	}
}

/* --- packets ------------------------------------------------------------------------------------ */

static struct {
	_Alignas(struct nlmsghdr) uint8_t bytes[1024];
	size_t len;
} msg;

static void put_message(uint16_t type)
{
	const struct nfgenmsg nfg = {.nfgen_family = AF_INET, .res_id = htons(61)};
	struct nlmsghdr *nlh;

	memset(&msg, 0, sizeof(msg));
	nlh = mnl_nlmsg_put_header(msg.bytes);
	nlh->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(nfg)), &nfg, sizeof(nfg));
	msg.len = nlh->nlmsg_len;
}

/* Returns where the attribute ends, without what fills it up to the next. */
static size_t put_attr(uint16_t type, size_t len, const void *data)
{
	struct nlmsghdr *nlh = (void *)msg.bytes;
	size_t end = nlh->nlmsg_len + MNL_ATTR_HDRLEN + len;

	mnl_attr_put(nlh, type, len, data);
	msg.len = nlh->nlmsg_len;
	return end;
}

static size_t put_be32(uint16_t type, uint32_t value)
{
	value = htonl(value);
	return put_attr(type, sizeof(value), &value);
}

static size_t put_packet_hdr(uint32_t id)
{
	const struct nfqnl_msg_packet_hdr hdr = {
		.packet_id = htonl(id), .hw_protocol = htons(0x0800), .hook = NF_INET_LOCAL_IN};

	return put_attr(NFQA_PACKET_HDR, sizeof(hdr), &hdr);
}

static void put_packet_message(void)
{
	put_message(NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET);
}

/* Reads the message where it ends at an unreadable page and from the heap. */
static int parse(size_t len, struct held_packet *ret_packet)
{
	const struct held_packet untouched = {.id = 0xeeee, .len = 0xeeee};
	struct held_packet again = untouched;
	const uint8_t *edge = unit_edge(msg.bytes, len, 4);
	uint8_t *copy = unit_heap(msg.bytes, len);
	int err;

	*ret_packet = untouched;
	err = queuemsg_parse(edge, len, ret_packet);
	assert_int_equal(queuemsg_parse(copy, len, &again), err);
	if (err) {
		assert_int_equal(err, -EBADMSG);
		assert_int_equal(ret_packet->id, untouched.id);
		assert_int_equal(ret_packet->len, untouched.len);
		assert_null(ret_packet->data);
	} else if (ret_packet->data) {
		assert_true(ret_packet->data >= edge);
		assert_true(ret_packet->len <= len - (size_t)(ret_packet->data - edge));
		assert_ptr_equal(again.data - copy, ret_packet->data - edge);
	} else {
		assert_int_equal(ret_packet->len, 0);
	}
	free(copy);
	return err;
}

static const uint8_t payload[] = "the bytes of a packet, 33 of them";

static void test_parse(void **state)
{
	struct held_packet packet;

	(void)state;
	put_packet_message();
	put_packet_hdr(0x01020304);
	put_be32(NFQA_IFINDEX_INDEV, 0x05060708);
	put_be32(NFQA_IFINDEX_OUTDEV, 99);
	put_be32(NFQA_MARK, 0x090a0b0c);
	put_be32(NFQA_CAP_LEN, 99);
	put_be32(NFQA_SKB_INFO, NFQA_SKB_CSUM_NOTVERIFIED);
	put_attr(NFQA_PAYLOAD, sizeof(payload), payload);
	assert_int_equal(parse(msg.len, &packet), 0);
	assert_int_equal(packet.id, 0x01020304);
	assert_int_equal(packet.ifindex, 0x05060708);
	assert_int_equal(packet.mark, 0x090a0b0c);
	assert_true(packet.verify_checksum);
	assert_int_equal(packet.len, sizeof(payload));
	assert_memory_equal(packet.data, payload, sizeof(payload));
}

/* Id 0 is an id like others; what is not told is empty. */
static void test_parse_bare(void **state)
{
	struct held_packet packet;

	(void)state;
	put_packet_message();
	put_packet_hdr(0);
	assert_int_equal(parse(msg.len, &packet), 0);
	assert_int_equal(packet.id, 0);
	assert_int_equal(packet.ifindex, 0);
	assert_int_equal(packet.mark, 0);
	assert_false(packet.verify_checksum);
	assert_null(packet.data);
	assert_int_equal(packet.len, 0);
}

static void test_checksum_flags(void **state)
{
	struct held_packet packet;

	(void)state;
	for (uint32_t flags = 0; flags < 16; flags++) {
		put_packet_message();
		put_packet_hdr(1);
		put_be32(NFQA_SKB_INFO, flags);
		assert_int_equal(parse(msg.len, &packet), 0);
		assert_int_equal(packet.verify_checksum, (flags & NFQA_SKB_CSUM_NOTVERIFIED) != 0);
	}
}

/* Another subsystem's or another message, among them the ACKs and errors of our own requests. */
static void test_other_messages(void **state)
{
	struct held_packet packet;

	(void)state;
	for (unsigned int type = 0; type <= UINT16_MAX; type++) {
		put_message((uint16_t)type);
		put_packet_hdr(1);
		assert_int_equal(parse(msg.len, &packet),
				 type == (NFNL_SUBSYS_QUEUE << 8) ? 0 : -EBADMSG);
	}
}

static void test_without_an_id(void **state)
{
	const uint8_t bytes[16] = {0, 0, 0, 9};
	struct held_packet packet;

	(void)state;
	put_packet_message();
	assert_int_equal(parse(msg.len, &packet), -EBADMSG);
	put_be32(NFQA_MARK, 1);
	put_attr(NFQA_PAYLOAD, sizeof(payload), payload);
	assert_int_equal(parse(msg.len, &packet), -EBADMSG);
	/* Headers of every length; a longer one than ours is a newer kernel's. */
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		put_packet_message();
		put_attr(NFQA_PACKET_HDR, len, bytes);
		assert_int_equal(parse(msg.len, &packet), len < 7 ? -EBADMSG : 0);
		if (len >= 7)
			assert_int_equal(packet.id, 9);
	}
}

static void test_short_attributes(void **state)
{
	const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
	struct held_packet packet;

	(void)state;
	for (size_t len = 0; len <= sizeof(ones); len++) {
		uint32_t value = len < 4 ? 0 : UINT32_MAX;

		put_packet_message();
		put_attr(NFQA_IFINDEX_INDEV, len, ones);
		put_attr(NFQA_MARK, len, ones);
		put_attr(NFQA_SKB_INFO, len, ones);
		put_packet_hdr(9);
		assert_int_equal(parse(msg.len, &packet), 0);
		assert_int_equal(packet.id, 9);
		assert_int_equal(packet.ifindex, value);
		assert_int_equal(packet.mark, value);
		assert_int_equal(packet.verify_checksum, value != 0);
	}
}

/* A packet whose id has come gets a verdict, however little of the rest has come with it. */
static void test_truncated_at_every_length(void **state)
{
	size_t hdr_end, indev_end, mark_end, info_end, payload_end;

	(void)state;
	put_packet_message();
	hdr_end = put_packet_hdr(9);
	indev_end = put_be32(NFQA_IFINDEX_INDEV, 1);
	mark_end = put_be32(NFQA_MARK, 2);
	info_end = put_be32(NFQA_SKB_INFO, NFQA_SKB_CSUM_NOTVERIFIED);
	payload_end = put_attr(NFQA_PAYLOAD, sizeof(payload), payload);

	/* Once as a datagram cut short, once as a message that says it is shorter. */
	for (size_t len = 0; len < 2 * msg.len; len++) {
		struct nlmsghdr *nlh = (void *)msg.bytes;
		size_t cut = len % msg.len;
		bool says_so = len >= msg.len;
		struct held_packet packet;
		int err;

		nlh->nlmsg_len = (uint32_t)(says_so ? cut : msg.len);
		err = parse(says_so ? msg.len : cut, &packet);
		assert_int_equal(err, cut < hdr_end ? -EBADMSG : 0);
		if (err)
			continue;
		assert_int_equal(packet.id, 9);
		assert_int_equal(packet.ifindex, cut >= indev_end ? 1 : 0);
		assert_int_equal(packet.mark, cut >= mark_end ? 2 : 0);
		assert_int_equal(packet.verify_checksum, cut >= info_end);
		assert_int_equal(packet.data != NULL, cut >= payload_end);
		assert_int_equal(packet.len, cut >= payload_end ? sizeof(payload) : 0);
	}
}

/* A message that claims more than came is read as far as it came. */
static void test_claims_too_much(void **state)
{
	struct nlmsghdr *nlh = (void *)msg.bytes;
	struct held_packet packet;

	(void)state;
	put_packet_message();
	put_packet_hdr(9);
	put_attr(NFQA_PAYLOAD, sizeof(payload), payload);
	for (unsigned int shift = 0; shift < 32; shift++) {
		nlh->nlmsg_len = (uint32_t)msg.len | UINT32_C(1) << shift;
		if (nlh->nlmsg_len < msg.len)
			continue;
		assert_int_equal(parse(msg.len, &packet), 0);
		assert_int_equal(packet.id, 9);
		assert_int_equal(packet.len, sizeof(payload));
	}
	nlh->nlmsg_len = UINT32_MAX;
	assert_int_equal(parse(msg.len, &packet), 0);
	assert_int_equal(packet.len, sizeof(payload));
}

static void test_impossible_attribute_lengths(void **state)
{
	struct held_packet packet;
	size_t at;

	(void)state;
	put_packet_message();
	put_packet_hdr(9);
	at = msg.len;
	put_attr(NFQA_PAYLOAD, sizeof(payload), payload);

	struct nlattr *attr = (void *)(msg.bytes + at);

	for (unsigned int nla_len = 0; nla_len <= UINT16_MAX; nla_len++) {
		bool fits = nla_len >= MNL_ATTR_HDRLEN && nla_len <= msg.len - at;

		attr->nla_len = (uint16_t)nla_len;
		assert_int_equal(parse(msg.len, &packet), 0);
		assert_int_equal(packet.id, 9);
		/* Shorter ones leave text behind that may read as further attributes, but no payload. */
		if (!fits)
			assert_null(packet.data);
		else
			assert_int_equal(packet.len, nla_len - MNL_ATTR_HDRLEN);
		if (nla_len > 128)
			nla_len += 97;
	}
}

static void test_random_messages(void **state)
{
	const unsigned int rounds = unit_rounds(100000);
	struct unit_random random = {.state = 5};
	unsigned int taken = 0;

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		unsigned int changes = unit_random_below(&random, 4);
		struct held_packet packet;

		put_packet_message();
		put_packet_hdr(unit_random(&random));
		put_be32(NFQA_MARK, unit_random(&random));
		put_attr(NFQA_PAYLOAD, sizeof(payload), payload);
		while (changes--)
			msg.bytes[unit_random_below(&random, (uint32_t)msg.len)] =
				(uint8_t)unit_random(&random);
		if (parse(unit_random_below(&random, 4)
				  ? msg.len
				  : unit_random_below(&random, (uint32_t)msg.len),
			  &packet) == 0)
			taken++;
	}
	assert_in_range(taken, rounds / 10, rounds / 10 * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_accept_until),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_no_verdicts),
		cmocka_unit_test(test_random_verdicts),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_bare),
		cmocka_unit_test(test_checksum_flags),
		cmocka_unit_test(test_other_messages),
		cmocka_unit_test(test_without_an_id),
		cmocka_unit_test(test_short_attributes),
		cmocka_unit_test(test_truncated_at_every_length),
		cmocka_unit_test(test_claims_too_much),
		cmocka_unit_test(test_impossible_attribute_lengths),
		cmocka_unit_test(test_random_messages),
	};

	return cmocka_run_group_tests_name("queuemsg", tests, NULL, NULL);
}
