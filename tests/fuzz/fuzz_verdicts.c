/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdicts of a batch, and a kernel that carries out the messages made of them. Four bytes are
 * the first id, which may be about to wrap; then a byte for each verdict: the lowest two bits say
 * which, the others how many ids were given out in between to packets that are gone by now.
 */
#include "config.h"

#include "fuzz.h"
#include "queue.h"
#include "queuemsg.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>

const char fuzz_target[] = "verdicts";

#define QUEUE_NUMBER 61

/* One packet in the kernel's list, in the order of ids. */
struct held {
	uint32_t id;
	bool done;
	struct verdict got;
};

static size_t read_verdicts(struct fuzz_bytes *bytes, struct verdict *verdicts)
{
	static const uint8_t answer[QUEUEMSG_ANSWER_MAX] = {0x45};
	uint32_t id = fuzz_u32(bytes);
	size_t n = 0;

	while (bytes->left > 0 && n < QUEUE_BATCH_MAX) {
		uint8_t b = fuzz_byte(bytes);

		id += 1 + (b >> 2);
		verdicts[n++] = (struct verdict){
			.id = id, .drop = b & 1, .set_mark = b & 2, .mark = b & 2 ? id ^ b : 0};
		if (b == 0xff) {
			verdicts[n - 1].answer = answer;
			verdicts[n - 1].answer_len = 1 + id % QUEUEMSG_ANSWER_MAX;
		}
	}
	return n;
}

static bool same(const struct verdict *a, const struct verdict *b)
{
	if (a->id != b->id || a->answer_len != b->answer_len)
		return false;
	if (a->answer_len > 0)
		return memcmp(a->answer, b->answer, a->answer_len) == 0;
	return a->drop == b->drop && a->set_mark == b->set_mark &&
	       (!a->set_mark || a->mark == b->mark);
}

static void give(struct held *held, struct verdict verdict)
{
	FUZZ_CHECK(!held->done);
	held->done = true;
	verdict.id = held->id;
	held->got = verdict;
}

/* nfqnl_recv_verdict() and nfqnl_recv_verdict_batch(). */
static void carry_out(struct held *held, size_t n, unsigned int type, const struct verdict *verdict)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (type == NFQNL_MSG_VERDICT_BATCH) {
			if ((int32_t)(held[i].id - verdict->id) > 0)
				break;
			found = true;
			if (!held[i].done)
				give(&held[i], *verdict);
		} else if (held[i].id == verdict->id) {
			found = true;
			give(&held[i], *verdict);
		}
	}
	FUZZ_CHECK(found);
}

/* One attribute; returns the bytes it takes with its padding. */
static size_t read_attr(const uint8_t *at, size_t left, struct verdict *verdict, bool *has_id,
			bool *stops)
{
	struct nfqnl_msg_verdict_hdr hdr;
	struct nlattr attr;
	uint32_t mark;

	FUZZ_CHECK(left >= sizeof(attr));
	memcpy(&attr, at, sizeof(attr));
	FUZZ_CHECK(attr.nla_len >= sizeof(attr) && attr.nla_len <= left);
	switch (attr.nla_type & NLA_TYPE_MASK) {
	case NFQA_VERDICT_HDR:
		FUZZ_CHECK(attr.nla_len == NLA_HDRLEN + sizeof(hdr));
		memcpy(&hdr, at + NLA_HDRLEN, sizeof(hdr));
		verdict->id = ntohl(hdr.id);
		verdict->drop = ntohl(hdr.verdict) == NF_DROP;
		*stops = ntohl(hdr.verdict) == NF_STOP;
		FUZZ_CHECK(verdict->drop || *stops || ntohl(hdr.verdict) == NF_ACCEPT);
		*has_id = true;
		break;
	case NFQA_MARK:
		FUZZ_CHECK(attr.nla_len == NLA_HDRLEN + sizeof(mark));
		memcpy(&mark, at + NLA_HDRLEN, sizeof(mark));
		verdict->set_mark = true;
		verdict->mark = ntohl(mark);
		break;
	case NFQA_PAYLOAD:
		verdict->answer = at + NLA_HDRLEN;
		verdict->answer_len = attr.nla_len - NLA_HDRLEN;
		break;
	default:
		FUZZ_CHECK(!"an attribute that a verdict does not have");
	}
	return NLA_ALIGN(attr.nla_len);
}

/* One message; returns its length. */
static size_t read_message(const uint8_t *at, size_t left, struct held *held, size_t n)
{
	struct verdict verdict = {.id = 0};
	struct nfgenmsg gen;
	struct nlmsghdr nlh;
	size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(gen));
	bool has_id = false, stops = false;

	FUZZ_CHECK(left >= offset);
	memcpy(&nlh, at, sizeof(nlh));
	memcpy(&gen, at + NLMSG_HDRLEN, sizeof(gen));
	FUZZ_CHECK(nlh.nlmsg_len <= left && nlh.nlmsg_len <= QUEUEMSG_REQUEST_MAX);
	FUZZ_CHECK(NFNL_SUBSYS_ID(nlh.nlmsg_type) == NFNL_SUBSYS_QUEUE);
	FUZZ_CHECK(ntohs(gen.res_id) == QUEUE_NUMBER);
	while (offset < nlh.nlmsg_len)
		offset += read_attr(at + offset, nlh.nlmsg_len - offset, &verdict, &has_id, &stops);
	FUZZ_CHECK(has_id && stops == (verdict.answer != NULL));
	carry_out(held, n, NFNL_MSG_TYPE(nlh.nlmsg_type), &verdict);
	return nlh.nlmsg_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(struct nlmsghdr) uint8_t messages[QUEUE_BATCH_MAX * QUEUEMSG_REQUEST_MAX];
	struct fuzz_bytes bytes = {data, size};
	struct verdict verdicts[QUEUE_BATCH_MAX];
	struct held held[QUEUE_BATCH_MAX];
	size_t n = read_verdicts(&bytes, verdicts);
	size_t len = queuemsg_put_verdicts(messages, QUEUE_NUMBER, verdicts, n);

	FUZZ_CHECK(len <= n * QUEUEMSG_REQUEST_MAX);
	for (size_t i = 0; i < n; i++)
		held[i] = (struct held){.id = verdicts[i].id};
	for (size_t offset = 0; offset < len;)
		offset += read_message(messages + offset, len - offset, held, n);
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK(held[i].done && same(&held[i].got, &verdicts[i]));
	return 0;
}
