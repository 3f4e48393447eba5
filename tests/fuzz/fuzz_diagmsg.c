/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The payload of an answer of sock_diag. What was read from it is written down and read again. */
#include "config.h"

#include "diagmsg.h"
#include "fuzz.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

const char fuzz_target[] = "diagmsg";

/* Longer than any answer of the kernel. */
#define PAYLOAD_MAX    4096
#define ATTR_CGROUP_ID 21 /* INET_DIAG_CGROUP_ID, in newer headers */

/* The kernel's side, as far as diagmsg_parse() looks at it. */
struct answer {
	struct inet_diag_msg msg;
	struct nlattr cgroup_header;
	uint8_t cgroup_id[sizeof(uint64_t)];
	struct nlattr info_header;
	struct tcp_info info;
};

static size_t write_answer(const struct sock_info *info, struct answer *ret_answer)
{
	bool v4 = addr_is_v4(&info->tuple.src.addr) && addr_is_v4(&info->tuple.dst.addr);
	struct inet_diag_sockid *id = &ret_answer->msg.id;

	memset(ret_answer, 0, sizeof(*ret_answer));
	ret_answer->msg = (struct inet_diag_msg){
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
	memcpy(id->idiag_src, info->tuple.src.addr.s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
	memcpy(id->idiag_dst, info->tuple.dst.addr.s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
	ret_answer->cgroup_header =
		(struct nlattr){.nla_type = ATTR_CGROUP_ID,
				.nla_len = sizeof(struct nlattr) + sizeof(ret_answer->cgroup_id)};
	memcpy(ret_answer->cgroup_id, &info->cgroup_id, sizeof(ret_answer->cgroup_id));
	ret_answer->info_header =
		(struct nlattr){.nla_type = INET_DIAG_INFO,
				.nla_len = sizeof(struct nlattr) + sizeof(ret_answer->info)};
	ret_answer->info.tcpi_last_ack_recv = info->age_ms;
	return info->has_age ? sizeof(*ret_answer) : offsetof(struct answer, info_header);
}

static bool same(const struct sock_info *a, const struct sock_info *b)
{
	return tuple_equal(&a->tuple, &b->tuple) && a->tuple.scope == b->tuple.scope &&
	       a->state == b->state && a->cookie == b->cookie && a->cgroup_id == b->cgroup_id &&
	       a->age_ms == b->age_ms && a->rqueue == b->rqueue && a->wqueue == b->wqueue &&
	       a->inode == b->inode && a->uid == b->uid && a->has_age == b->has_age;
}

/* The cookie's place in a request, behind both headers. */
static uint64_t cookie_of(const uint8_t *request)
{
	uint32_t halves[2];

	memcpy(halves, request + NLMSG_HDRLEN + offsetof(struct inet_diag_req_v2, id.idiag_cookie),
	       sizeof(halves));
	return (uint64_t)halves[1] << 32 | halves[0];
}

static void check_request(const uint8_t *request, size_t len)
{
	struct nlmsghdr nlh;

	FUZZ_CHECK(len <= DIAGMSG_REQUEST_MAX && len % NLMSG_ALIGNTO == 0);
	memcpy(&nlh, request, sizeof(nlh));
	FUZZ_CHECK(nlh.nlmsg_len == len);
	FUZZ_CHECK(nlh.nlmsg_flags & NLM_F_REQUEST);
}

/* What the daemon would ask about such a socket, and how it would destroy it. */
static void check_requests(const struct sock_info *info)
{
	_Alignas(struct nlmsghdr) uint8_t request[DIAGMSG_REQUEST_MAX];
	const int family = addr_is_v4(&info->tuple.src.addr) ? AF_INET : AF_INET6;

	check_request(request, diagmsg_put_lookup(request, 1, &info->tuple, info->cookie, true));
	FUZZ_CHECK(cookie_of(request) == info->cookie);
	check_request(request, diagmsg_put_destroy(request, 2, &info->tuple, info->cookie));
	FUZZ_CHECK(cookie_of(request) == info->cookie);
	check_request(request, diagmsg_put_dump(request, 3, family, &info->tuple.src,
						TCPSTATE_SET_ALL, true));
	check_request(request, diagmsg_put_dump(request, 4, family, NULL, TCPSTATE_SET_ALL, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sock_info untouched, info, again;
	struct answer answer;

	if (size > PAYLOAD_MAX)
		return 0;
	memset(&untouched, 0xa5, sizeof(untouched));
	info = untouched;
	if (diagmsg_parse(data, size, &info) < 0) {
		FUZZ_CHECK(memcmp(&info, &untouched, sizeof(info)) == 0);
		return 0;
	}
	FUZZ_CHECK(size >= sizeof(struct inet_diag_msg));
	FUZZ_CHECK(info.state > 0 && info.state < TCPSTATE_COUNT);
	FUZZ_CHECK(sock_info_unread(&info) <= info.rqueue);
	FUZZ_CHECK(!sock_info_accept_queue_full(&info) || info.state == TCPSTATE_LISTEN);

	FUZZ_CHECK(diagmsg_parse(&answer, write_answer(&info, &answer), &again) == 0);
	FUZZ_CHECK(same(&info, &again));
	check_requests(&info);
	return 0;
}
