/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "queuemsg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>
#include <sys/socket.h>
/* Wants the netfilter headers above it. */
#include <libnetfilter_queue/libnetfilter_queue.h>

size_t queuemsg_put_bind(void *buf, uint32_t seq, const struct queue_settings *settings)
{
	/*
	 * FAIL_OPEN: a full queue lets packets pass. GSO: the kernel need not compute the checksum
	 * of each packet just to show it to us.
	 */
	const uint32_t flags = NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO;
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, settings->number);

	nlh->nlmsg_seq = seq;
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, (int)settings->copy_range);
	nfq_nlmsg_cfg_put_qmaxlen(nlh, settings->max_held);
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(flags));
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(flags));
	return nlh->nlmsg_len;
}

size_t queuemsg_put_limit(void *buf, uint32_t seq, uint16_t number, uint32_t max_held)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, number);

	nlh->nlmsg_seq = seq;
	nfq_nlmsg_cfg_put_qmaxlen(nlh, max_held);
	return nlh->nlmsg_len;
}

size_t queuemsg_put_ping(void *buf, uint32_t seq, uint16_t number)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, number);

	nlh->nlmsg_seq = seq;
	nlh->nlmsg_flags |= NLM_F_ACK;
	return nlh->nlmsg_len;
}

static size_t put_verdict(void *buf, int type, uint16_t number, const struct verdict *v)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, type, number);

	if (v->answer) {
		nfq_nlmsg_verdict_put(nlh, (int)v->id, NF_STOP);
		nfq_nlmsg_verdict_put_pkt(nlh, v->answer, (uint32_t)v->answer_len);
		return nlh->nlmsg_len;
	}
	nfq_nlmsg_verdict_put(nlh, (int)v->id, v->drop ? NF_DROP : NF_ACCEPT);
	if (v->set_mark)
		nfq_nlmsg_verdict_put_mark(nlh, v->mark);
	return nlh->nlmsg_len;
}

size_t queuemsg_put_accept_until(void *buf, uint16_t number, uint32_t id)
{
	const struct verdict accept = {.id = id};

	return put_verdict(buf, NFQNL_MSG_VERDICT_BATCH, number, &accept);
}

size_t queuemsg_put_verdicts(void *buf, uint16_t number, const struct verdict *verdicts, size_t n)
{
	char *out = buf;
	const struct verdict *last_plain = NULL;

	for (size_t i = 0; i < n; i++) {
		if (verdicts[i].drop || verdicts[i].set_mark || verdicts[i].answer)
			out += put_verdict(out, NFQNL_MSG_VERDICT, number, &verdicts[i]);
		else
			last_plain = &verdicts[i];
	}
	/* Covers every id up to its own that has no verdict yet (nfqnl_recv_verdict_batch()). */
	if (last_plain)
		out += put_verdict(out, NFQNL_MSG_VERDICT_BATCH, number, last_plain);
	return (size_t)(out - (char *)buf);
}

static uint32_t get_be32(const struct nlattr *attr)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return 0;
	return ntohl(mnl_attr_get_u32(attr));
}

int queuemsg_parse(const void *msg, size_t len, struct held_packet *ret_packet)
{
	const size_t headers = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct nfgenmsg));
	const struct nlmsghdr *nlh = msg;
	struct held_packet packet = {.data = NULL};
	struct nfqnl_msg_packet_hdr hdr;
	uint32_t skb_info = 0;
	bool has_id = false;

	if (len < headers || nlh->nlmsg_len < headers ||
	    nlh->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return -EBADMSG;
	if (len > nlh->nlmsg_len)
		len = nlh->nlmsg_len;

	const struct nlattr *attr = (const void *)((const char *)msg + headers);
	const char *end = (const char *)msg + len;

	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr)) {
		switch (mnl_attr_get_type(attr)) {
		case NFQA_PACKET_HDR:
			if (mnl_attr_get_payload_len(attr) < sizeof(hdr))
				break;
			memcpy(&hdr, mnl_attr_get_payload(attr), sizeof(hdr));
			packet.id = ntohl(hdr.packet_id);
			has_id = true;
			break;
		case NFQA_IFINDEX_INDEV:
			packet.ifindex = get_be32(attr);
			break;
		case NFQA_MARK:
			packet.mark = get_be32(attr);
			break;
		case NFQA_SKB_INFO:
			skb_info = get_be32(attr);
			break;
		case NFQA_PAYLOAD:
			packet.data = mnl_attr_get_payload(attr);
			packet.len = mnl_attr_get_payload_len(attr);
			break;
		}
	}
	if (!has_id)
		return -EBADMSG;
	packet.verify_checksum = skb_info & NFQA_SKB_CSUM_NOTVERIFIED;
	*ret_packet = packet;
	return 0;
}
