/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/sockdiag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/endpoint.h"
#include "lib/errname.h"

#define ANSWER_SIZE 32768

static const char *const state_names[] = {
	"none",	 "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT_1", "FIN_WAIT_2",   "TIME_WAIT",
	"CLOSE", "CLOSE_WAIT",	"LAST_ACK", "LISTEN",	"CLOSING",    "NEW_SYN_RECV",
};

/* One request of any kind; the union with a netlink header keeps the buffer aligned. */
struct request {
	struct nlmsghdr nlh;
	char body[256];
};

int sockdiag_open(void)
{
	const struct timeval patience = {.tv_sec = 2};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void fill_id(const union endpoint *ep, uint32_t addr[4], uint16_t *port, uint32_t *ifindex)
{
	if (ep->sa.sa_family == AF_INET6) {
		memcpy(addr, &ep->v6.sin6_addr, 16);
		*port = ep->v6.sin6_port;
		if (ep->v6.sin6_scope_id)
			*ifindex = ep->v6.sin6_scope_id;
	} else {
		memcpy(addr, &ep->v4.sin_addr, 4);
		*port = ep->v4.sin_port;
	}
}

struct inet_diag_req_v2 sockdiag_request(const union endpoint *local, const union endpoint *peer)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = (uint8_t)local->sa.sa_family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
		.idiag_states = ~0U,
		.id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
	};

	fill_id(local, req.id.idiag_src, &req.id.idiag_sport, &req.id.idiag_if);
	fill_id(peer, req.id.idiag_dst, &req.id.idiag_dport, &req.id.idiag_if);
	return req;
}

static void append(struct request *req, const void *data, size_t len)
{
	memcpy((char *)req + req->nlh.nlmsg_len, data, len);
	req->nlh.nlmsg_len += (uint32_t)NLMSG_ALIGN(len);
}

static int transmit(int nl, struct request *req, uint16_t type, uint16_t flags)
{
	static uint32_t seq;

	req->nlh.nlmsg_type = type;
	req->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	req->nlh.nlmsg_seq = ++seq;
	return send(nl, req, req->nlh.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int parse_info(const struct nlmsghdr *nlh, struct sockdiag_info *ret_info)
{
	struct sockdiag_info info = {0};
	const struct rtattr *attr;
	size_t len;

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(info.msg)))
		return -EBADMSG;
	memcpy(&info.msg, NLMSG_DATA(nlh), sizeof(info.msg));
	len = nlh->nlmsg_len - NLMSG_LENGTH(sizeof(info.msg));
	attr = (const void *)((const char *)NLMSG_DATA(nlh) + NLMSG_ALIGN(sizeof(info.msg)));
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		size_t size = RTA_PAYLOAD(attr);

		if (attr->rta_type == INET_DIAG_INFO) {
			info.has_tcp = true;
			memcpy(&info.tcp, RTA_DATA(attr),
			       size < sizeof(info.tcp) ? size : sizeof(info.tcp));
		} else if (attr->rta_type == INET_DIAG_CGROUP_ID && size == sizeof(info.cgroup)) {
			memcpy(&info.cgroup, RTA_DATA(attr), size);
		}
	}
	*ret_info = info;
	return 0;
}

/* Receives until the exchange `seq` is over. Stores up to max answers, returns how many came. */
static int receive(int nl, uint32_t seq, bool dump, struct sockdiag_info *ret_infos, size_t max)
{
	static union {
		struct nlmsghdr align;
		char bytes[ANSWER_SIZE];
	} answer;
	size_t count = 0;

	for (;;) {
		ssize_t got = recv(nl, &answer, sizeof(answer), 0);
		size_t len = (size_t)got;

		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (struct nlmsghdr *nlh = &answer.align; NLMSG_OK(nlh, len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			int rc;

			if (nlh->nlmsg_seq != seq)
				continue; /* the tail of an exchange that timed out */
			if (nlh->nlmsg_type == NLMSG_DONE)
				return (int)count;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *err = NLMSG_DATA(nlh);

				return err->error < 0 ? err->error : (int)count;
			}
			if (count < max) {
				rc = parse_info(nlh, &ret_infos[count]);
				if (rc < 0)
					return rc;
			}
			count++;
			if (!dump)
				return (int)count;
		}
	}
}

int sockdiag_get(int nl, const struct inet_diag_req_v2 *req, struct sockdiag_info *ret_info)
{
	struct request msg = {.nlh.nlmsg_len = NLMSG_HDRLEN};
	int rc;

	append(&msg, req, sizeof(*req));
	rc = transmit(nl, &msg, SOCK_DIAG_BY_FAMILY, 0);
	if (rc == 0)
		rc = receive(nl, msg.nlh.nlmsg_seq, false, ret_info, 1);
	return rc < 0 ? rc : 0;
}

int sockdiag_destroy(int nl, const struct inet_diag_req_v2 *req)
{
	struct request msg = {.nlh.nlmsg_len = NLMSG_HDRLEN};
	int rc;

	append(&msg, req, sizeof(*req));
	rc = transmit(nl, &msg, SOCK_DESTROY, NLM_F_ACK);
	if (rc == 0)
		rc = receive(nl, msg.nlh.nlmsg_seq, false, NULL, 0);
	return rc < 0 ? rc : 0;
}

/* INET_DIAG_REQ_BYTECODE: one condition on the source, with its address and port. */
static void append_source_filter(struct request *msg, const union endpoint *local)
{
	struct {
		struct rtattr attr;
		struct inet_diag_bc_op op;
		uint8_t cond[sizeof(struct inet_diag_hostcond)]; /* ends in a flexible array */
		uint32_t addr[4];
	} code;
	struct inet_diag_hostcond cond = {.family = (uint8_t)local->sa.sa_family};
	uint32_t ignored;
	uint16_t port;
	size_t addr_len = local->sa.sa_family == AF_INET6 ? 16 : 4;
	size_t op_len = sizeof(code.op) + sizeof(code.cond) + addr_len;

	memset(&code, 0, sizeof(code));
	fill_id(local, code.addr, &port, &ignored);
	code.attr.rta_type = INET_DIAG_REQ_BYTECODE;
	code.attr.rta_len = (uint16_t)RTA_LENGTH(op_len);
	code.op.code = INET_DIAG_BC_S_COND;
	code.op.yes = (uint8_t)op_len; /* behind the last instruction: the socket is accepted */
	code.op.no = (uint16_t)(op_len + 4); /* 4 behind it: refused */
	cond.prefix_len = (uint8_t)(addr_len * 8);
	cond.port = ntohs(port);
	memcpy(code.cond, &cond, sizeof(cond));
	append(msg, &code, code.attr.rta_len);
}

int sockdiag_dump_from(int nl, const struct inet_diag_req_v2 *req, const union endpoint *local,
		       bool legacy, struct sockdiag_info *ret_infos, size_t max)
{
	struct request msg = {.nlh.nlmsg_len = NLMSG_HDRLEN};
	const struct inet_diag_req old = {
		.idiag_family = req->sdiag_family,
		.idiag_ext = req->idiag_ext,
		.idiag_states = req->idiag_states,
	};
	int rc;

	if (legacy)
		append(&msg, &old, sizeof(old));
	else
		append(&msg, req, sizeof(*req));
	append_source_filter(&msg, local);
	rc = transmit(nl, &msg, legacy ? TCPDIAG_GETSOCK : SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	if (rc < 0)
		return rc;
	return receive(nl, msg.nlh.nlmsg_seq, true, ret_infos, max);
}

int sockdiag_state(const union endpoint *local, const union endpoint *peer)
{
	const struct inet_diag_req_v2 req = sockdiag_request(local, peer);
	struct sockdiag_info info;
	int rc, nl = sockdiag_open();

	if (nl < 0)
		return nl;
	rc = sockdiag_get(nl, &req, &info);
	close(nl);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	return info.msg.idiag_state == TCP_LISTEN ? 0 : info.msg.idiag_state;
}

const char *sockdiag_state_name(int state)
{
	if (state < 0)
		return errname(state);
	if ((size_t)state >= sizeof(state_names) / sizeof(state_names[0]))
		return "unknown";
	return state_names[state];
}
