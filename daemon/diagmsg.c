/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "diagmsg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>

/* Newer than the headers of some distributions we build on (linux/inet_diag.h, 5.8). */
#define ATTR_CGROUP_ID 21
/* The attribute that the age is in. */
#define DETAILS (1 << (INET_DIAG_INFO - 1))

static struct nlmsghdr *put_header(void *buf, uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	return nlh;
}

static void put_addr(__be32 out[4], const struct in6_addr *addr, bool v4)
{
	if (v4)
		out[0] = addr_to_v4(addr);
	else
		memcpy(out, addr, sizeof(*addr));
}

/*
 * The family follows the question: an IPv4 connection is asked for as AF_INET even where a
 * dual-stack socket carries it, since that is how the kernel hashes it.
 */
static struct inet_diag_req_v2 *put_request(struct nlmsghdr *nlh, const struct tuple *socket,
					    uint64_t cookie)
{
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	bool v4 = addr_is_v4(&socket->src.addr);

	req->sdiag_family = v4 ? AF_INET : AF_INET6;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = UINT32_MAX; /* not looked at in an exact lookup */
	req->id.idiag_sport = socket->src.port;
	req->id.idiag_dport = socket->dst.port;
	put_addr(req->id.idiag_src, &socket->src.addr, v4);
	put_addr(req->id.idiag_dst, &socket->dst.addr, v4);
	req->id.idiag_if = socket->scope;
	req->id.idiag_cookie[0] = (uint32_t)cookie;
	req->id.idiag_cookie[1] = (uint32_t)(cookie >> 32);
	return req;
}

size_t diagmsg_put_lookup(void *buf, uint32_t seq, const struct tuple *socket, uint64_t cookie,
			  bool details)
{
	struct nlmsghdr *nlh = put_header(buf, SOCK_DIAG_BY_FAMILY, 0, seq);
	struct inet_diag_req_v2 *req = put_request(nlh, socket, cookie);

	if (details)
		req->idiag_ext = DETAILS;
	return nlh->nlmsg_len;
}

size_t diagmsg_put_destroy(void *buf, uint32_t seq, const struct tuple *socket, uint64_t cookie)
{
	struct nlmsghdr *nlh = put_header(buf, SOCK_DESTROY, NLM_F_ACK, seq);

	put_request(nlh, socket, cookie);
	return nlh->nlmsg_len;
}

/* One instruction: accept where the local address and port match, else fall off the end. */
static void put_filter(struct nlmsghdr *nlh, const struct endpoint *local)
{
	bool v4 = addr_is_v4(&local->addr);
	size_t addr_len = v4 ? 4 : 16;
	const struct inet_diag_hostcond cond = {
		.family = v4 ? AF_INET : AF_INET6,
		.prefix_len = v4 ? 32 : 128,
		.port = ntohs(local->port),
	};
	const size_t len = sizeof(struct inet_diag_bc_op) + sizeof(cond) + addr_len;
	const struct inet_diag_bc_op op = {
		.code = INET_DIAG_BC_S_COND,
		.yes = (unsigned char)len,
		.no = (unsigned short)(len + sizeof(op)),
	};
	unsigned char code[sizeof(op) + sizeof(cond) + 16];

	memcpy(code, &op, sizeof(op));
	memcpy(code + sizeof(op), &cond, sizeof(cond));
	memcpy(code + sizeof(op) + sizeof(cond), local->addr.s6_addr + 16 - addr_len, addr_len);
	mnl_attr_put(nlh, INET_DIAG_REQ_BYTECODE, len, code);
}

size_t diagmsg_put_dump(void *buf, uint32_t seq, int family, const struct endpoint *local,
			tcpstate_set states, bool details)
{
	struct nlmsghdr *nlh = put_header(buf, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, seq);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	req->sdiag_family = (uint8_t)family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = states;
	if (details)
		req->idiag_ext = DETAILS;
	if (local)
		put_filter(nlh, local);
	return nlh->nlmsg_len;
}

static int parse_id(const struct inet_diag_msg *msg, struct tuple *tuple)
{
	const struct inet_diag_sockid *id = &msg->id;

	switch (msg->idiag_family) {
	case AF_INET:
		tuple->src.addr = addr_from_v4(id->idiag_src[0]);
		tuple->dst.addr = addr_from_v4(id->idiag_dst[0]);
		break;
	case AF_INET6:
		memcpy(&tuple->src.addr, id->idiag_src, sizeof(tuple->src.addr));
		memcpy(&tuple->dst.addr, id->idiag_dst, sizeof(tuple->dst.addr));
		break;
	default:
		return -EBADMSG;
	}
	tuple->src.port = id->idiag_sport;
	tuple->dst.port = id->idiag_dport;
	tuple->scope = tuple_linklocal(tuple) ? id->idiag_if : 0;
	return 0;
}

static int parse_attr(const struct nlattr *attr, struct sock_info *info)
{
	const size_t age_at = offsetof(struct tcp_info, tcpi_last_ack_recv);
	const char *payload = mnl_attr_get_payload(attr);
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case INET_DIAG_INFO:
		if (len < age_at + sizeof(info->age_ms))
			return -EBADMSG;
		memcpy(&info->age_ms, payload + age_at, sizeof(info->age_ms));
		info->has_age = true;
		break;
	case ATTR_CGROUP_ID:
		if (len != sizeof(info->cgroup_id))
			return -EBADMSG;
		memcpy(&info->cgroup_id, payload, sizeof(info->cgroup_id));
		break;
	}
	return 0;
}

int diagmsg_parse(const void *payload, size_t len, struct sock_info *ret_info)
{
	struct sock_info info = {.has_age = false};
	struct inet_diag_msg msg;

	if (len < sizeof(msg))
		return -EBADMSG;
	memcpy(&msg, payload, sizeof(msg));
	if (msg.idiag_state == 0 || msg.idiag_state >= TCPSTATE_COUNT)
		return -EBADMSG;
	if (parse_id(&msg, &info.tuple) < 0)
		return -EBADMSG;

	const struct nlattr *attr = (const void *)((const char *)payload + sizeof(msg));
	const char *end = (const char *)payload + len;

	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr)) {
		if (parse_attr(attr, &info) < 0)
			return -EBADMSG;
	}
	/* It ends inside an attribute, which may have been the one that mattered. */
	if ((const char *)attr < end)
		return -EBADMSG;

	info.state = (enum tcpstate)msg.idiag_state;
	info.cookie = (uint64_t)msg.id.idiag_cookie[1] << 32 | msg.id.idiag_cookie[0];
	info.rqueue = msg.idiag_rqueue;
	info.wqueue = msg.idiag_wqueue;
	info.inode = msg.idiag_inode;
	info.ifindex = msg.id.idiag_if;
	info.uid = msg.idiag_uid;
	*ret_info = info;
	return 0;
}

uint32_t sock_info_unread(const struct sock_info *info)
{
	if (info->rqueue > 0 && tcpstate_in(info->state, TCPSTATE_SET_FIN_RECEIVED))
		return info->rqueue - 1;
	return info->rqueue;
}

bool sock_info_accept_queue_full(const struct sock_info *info)
{
	return info->state == TCPSTATE_LISTEN && info->rqueue > info->wqueue;
}
