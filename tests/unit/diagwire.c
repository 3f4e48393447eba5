/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "diagwire.h"
#include "unit.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define CGROUP_ID_ATTR 21

void reply_append(struct reply *reply, const void *bytes, size_t len)
{
	assert_true(reply->len + NLMSG_ALIGN(len) <= sizeof(reply->bytes));
	memset(reply->bytes + reply->len, 0, NLMSG_ALIGN(len));
	memcpy(reply->bytes + reply->len, bytes, len);
	reply->len += NLMSG_ALIGN(len);
}

void reply_append_attr(struct reply *reply, uint16_t type, const void *bytes, size_t len)
{
	const struct nlattr attr = {.nla_len = (uint16_t)(sizeof(attr) + len), .nla_type = type};

	reply_append(reply, &attr, sizeof(attr));
	reply_append(reply, bytes, len);
}

size_t reply_begin_message(struct reply *reply, uint16_t type, uint16_t flags)
{
	const struct nlmsghdr nlh = {
		.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = reply->seq};
	size_t start = reply->len;

	reply_append(reply, &nlh, sizeof(nlh));
	return start;
}

void reply_end_message(struct reply *reply, size_t start)
{
	uint32_t len = (uint32_t)(reply->len - start);

	memcpy(reply->bytes + start, &len, sizeof(len)); /* nlmsg_len comes first */
}

void reply_append_error(struct reply *reply, int error)
{
	const struct nlmsgerr err = {.error = error, .msg = {.nlmsg_len = NLMSG_HDRLEN}};
	size_t start = reply_begin_message(reply, NLMSG_ERROR, 0);

	reply_append(reply, &err, sizeof(err));
	reply_end_message(reply, start);
}

void reply_append_done(struct reply *reply, int error)
{
	size_t start = reply_begin_message(reply, NLMSG_DONE, NLM_F_MULTI);

	reply_append(reply, &error, sizeof(error));
	reply_end_message(reply, start);
}

bool diagwire_is_v6(const struct sock_info *info)
{
	return !addr_is_v4(&info->tuple.src.addr) || info->uid == DUAL_STACK_UID;
}

struct in6_addr diagwire_addr(const __be32 in[4], int family)
{
	struct in6_addr addr;

	if (family == AF_INET)
		return addr_from_v4(in[0]);
	memcpy(&addr, in, sizeof(addr));
	return addr;
}

static void put_addr(__be32 out[4], const struct in6_addr *addr, bool v4)
{
	in_addr_t short_addr = v4 ? addr_to_v4(addr) : 0;

	if (v4)
		memcpy(out, &short_addr, sizeof(short_addr));
	else
		memcpy(out, addr, sizeof(*addr));
}

void reply_append_info(struct reply *reply, const struct sock_info *info, uint16_t flags)
{
	bool v4 = !diagwire_is_v6(info);
	struct inet_diag_msg msg = {
		.idiag_family = v4 ? AF_INET : AF_INET6,
		.idiag_state = (uint8_t)info->state,
		.id = {.idiag_sport = info->tuple.src.port,
		       .idiag_dport = info->tuple.dst.port,
		       .idiag_if = info->tuple.scope,
		       .idiag_cookie = {(uint32_t)info->cookie, (uint32_t)(info->cookie >> 32)}},
		.idiag_rqueue = info->rqueue,
		.idiag_wqueue = info->wqueue,
		.idiag_uid = info->uid,
		.idiag_inode = info->inode,
	};
	const struct tcp_info details = {.tcpi_last_ack_recv = info->age_ms};
	size_t start = reply_begin_message(reply, SOCK_DIAG_BY_FAMILY, flags);

	put_addr(msg.id.idiag_src, &info->tuple.src.addr, v4);
	put_addr(msg.id.idiag_dst, &info->tuple.dst.addr, v4);
	reply_append(reply, &msg, sizeof(msg));
	reply_append_attr(reply, CGROUP_ID_ATTR, &info->cgroup_id, sizeof(info->cgroup_id));
	if (info->has_age)
		reply_append_attr(reply, INET_DIAG_INFO, &details, sizeof(details));
	reply_end_message(reply, start);
}
