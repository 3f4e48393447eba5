/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "testqueue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fact.h"
#include "lib/run.h"

#define COPY_RANGE 128
_Static_assert(sizeof(((struct testqueue_packet *)NULL)->payload) >= COPY_RANGE,
	       "what is copied has its place");

/* How long an acknowledgement or a packet that must be there may take. */
#define ANSWER_MS 2000

/* Room for one message of either direction. */
union buffer {
	struct nlmsghdr align;
	char bytes[8192];
};

int testqueue_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	return fd < 0 ? -errno : fd;
}

static struct nlmsghdr *begin(union buffer *buf, uint16_t type, uint16_t queue, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(queue);
	return nlh;
}

static int transmit(int nl, const struct nlmsghdr *nlh)
{
	return send(nl, nlh, nlh->nlmsg_len, 0) < 0 ? -errno : 0;
}

static ssize_t receive(int nl, union buffer *buf, int timeout_ms)
{
	struct pollfd pfd = {.fd = nl, .events = POLLIN};
	ssize_t len;
	int n = poll(&pfd, 1, timeout_ms);

	if (n == 0)
		return -ETIMEDOUT;
	len = n < 0 ? -1 : recv(nl, buf, sizeof(*buf), 0);
	return len < 0 ? -errno : len;
}

int testqueue_configure(int nl, uint16_t queue, const struct testqueue_config *config)
{
	static uint32_t seq;
	union buffer buf;
	struct nlmsghdr *nlh = begin(&buf, NFQNL_MSG_CONFIG, queue, NLM_F_ACK);
	int rc;

	nlh->nlmsg_seq = ++seq;
	if (config->parts & TESTQUEUE_BIND) {
		const struct nfqnl_msg_config_cmd cmd = {.command = NFQNL_CFG_CMD_BIND};

		mnl_attr_put(nlh, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	}
	if (config->parts & TESTQUEUE_COPY) {
		const struct nfqnl_msg_config_params params = {
			.copy_range = htonl(COPY_RANGE),
			.copy_mode = NFQNL_COPY_PACKET,
		};

		mnl_attr_put(nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
	}
	if (config->parts & TESTQUEUE_MAXLEN)
		mnl_attr_put_u32(nlh, NFQA_CFG_QUEUE_MAXLEN, htonl(config->maxlen));
	if (config->parts & TESTQUEUE_FLAGS) {
		mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(config->flags));
		mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(config->flags));
	}
	rc = transmit(nl, nlh);
	while (rc == 0) {
		ssize_t len = receive(nl, &buf, ANSWER_MS);

		if (len < 0)
			return (int)len;
		/* Packets may come before the acknowledgement; these programs queue none then. */
		if (buf.align.nlmsg_type == NLMSG_ERROR && buf.align.nlmsg_seq == seq)
			return ((const struct nlmsgerr *)NLMSG_DATA(&buf.align))->error;
	}
	return rc;
}

static void take_attribute(const struct nlattr *attr, struct testqueue_packet *packet)
{
	const struct nfqnl_msg_packet_hdr *header;

	switch (mnl_attr_get_type(attr)) {
	case NFQA_PACKET_HDR:
		header = mnl_attr_get_payload(attr);
		packet->id = ntohl(header->packet_id);
		break;
	case NFQA_SKB_INFO:
		packet->skb_info = ntohl(mnl_attr_get_u32(attr));
		break;
	case NFQA_MARK:
		packet->mark = ntohl(mnl_attr_get_u32(attr));
		break;
	case NFQA_PAYLOAD:
		packet->payload_len = mnl_attr_get_payload_len(attr);
		memcpy(packet->payload, mnl_attr_get_payload(attr),
		       packet->payload_len < COPY_RANGE ? packet->payload_len : COPY_RANGE);
		break;
	}
}

int testqueue_receive(int nl, int timeout_ms, struct testqueue_packet *ret_packet)
{
	union buffer buf;
	ssize_t len = receive(nl, &buf, timeout_ms);
	struct testqueue_packet packet = {0};
	const struct nlattr *attr;

	if (len < 0)
		return (int)len;
	if (buf.align.nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return -EBADMSG;
	mnl_attr_for_each(attr, &buf.align, sizeof(struct nfgenmsg)) take_attribute(attr, &packet);
	*ret_packet = packet;
	return 0;
}

static int verdict(int nl, uint16_t queue, uint16_t type, uint32_t id, uint32_t value,
		   const void *packet, size_t len)
{
	const struct nfqnl_msg_verdict_hdr header = {.verdict = htonl(value), .id = htonl(id)};
	union buffer buf;
	struct nlmsghdr *nlh = begin(&buf, type, queue, 0);

	mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(header), &header);
	if (packet)
		mnl_attr_put(nlh, NFQA_PAYLOAD, len, packet);
	return transmit(nl, nlh);
}

int testqueue_verdict(int nl, uint16_t queue, uint32_t id, uint32_t value)
{
	return verdict(nl, queue, NFQNL_MSG_VERDICT, id, value, NULL, 0);
}

int testqueue_replace(int nl, uint16_t queue, uint32_t id, uint32_t value, const void *packet,
		      size_t len)
{
	return verdict(nl, queue, NFQNL_MSG_VERDICT, id, value, packet, len);
}

int testqueue_verdict_batch(int nl, uint16_t queue, uint32_t max_id, uint32_t value)
{
	return verdict(nl, queue, NFQNL_MSG_VERDICT_BATCH, max_id, value, NULL, 0);
}

void testqueue_rule(int family)
{
	need(run_iptables(family, "-t", "mangle", "-A", "INPUT", "-i", "lo", "-p", "tcp", "--syn",
			  "--dport", "8000", "-j", "NFQUEUE", "--queue-num", "61", "--queue-bypass",
			  NULL),
	     "iptables with the NFQUEUE target");
}

int testqueue_bind(uint32_t maxlen, uint32_t flags)
{
	const struct testqueue_config config = {
		.parts = TESTQUEUE_BIND | TESTQUEUE_COPY | TESTQUEUE_MAXLEN | TESTQUEUE_FLAGS,
		.maxlen = maxlen,
		.flags = flags,
	};
	int nl = must(testqueue_open(), "open an nfnetlink socket");

	must(testqueue_configure(nl, TESTQUEUE, &config), "configure the queue");
	return nl;
}
