/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several sock_diag requests in one send(): each is answered, in order, and sees those before it. */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "scene.h"

#define REQUESTS 5

struct request {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 body;
};

static struct request make(uint32_t seq, uint16_t type, const struct inet_diag_req_v2 *body)
{
	return (struct request){
		.nlh = {.nlmsg_len = sizeof(struct request),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | (type == SOCK_DESTROY ? NLM_F_ACK : 0),
			.nlmsg_seq = seq},
		.body = *body,
	};
}

/* "1:CLOSE_WAIT 2:ENOENT ..." in the order of arrival. */
static void collect(int nl, char *text, size_t size)
{
	static union {
		struct nlmsghdr align;
		char bytes[8192];
	} answer;
	size_t used = 0;
	int answers = 0;

	while (answers < REQUESTS && used < size) {
		ssize_t got = recv(nl, &answer, sizeof(answer), 0);
		size_t len = (size_t)got;

		must(got < 0 ? -errno : 0, "receive an answer");
		for (struct nlmsghdr *nlh = &answer.align; NLMSG_OK(nlh, len);
		     nlh = NLMSG_NEXT(nlh, len), answers++) {
			const struct nlmsgerr *err = NLMSG_DATA(nlh);
			const struct inet_diag_msg *msg = NLMSG_DATA(nlh);

			used += (size_t)snprintf(text + used, size - used, "%s%u:%s",
						 answers ? " " : "", nlh->nlmsg_seq,
						 nlh->nlmsg_type == NLMSG_ERROR
							 ? errname(err->error)
							 : sockdiag_state_name(msg->idiag_state));
		}
	}
}

int main(void)
{
	struct inet_diag_req_v2 first, second, nothing, destroy;
	union endpoint nowhere;
	struct mine a, b;
	struct sockdiag_info info;
	char text[256] = "";
	int nl, listener;

	fact_begin("diag-pipeline");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	a = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	b = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1);
	nowhere = scene_endpoint("127.0.0.1", SERVER_PORT + 1);
	first = sockdiag_request(&a.server, &a.client);
	second = sockdiag_request(&b.server, &b.client);
	nothing = sockdiag_request(&nowhere, &a.client);
	destroy = first;
	must(sockdiag_get(nl, &first, &info), "look the mine up");
	memcpy(destroy.id.idiag_cookie, info.msg.id.idiag_cookie, 8);

	const struct request batch[REQUESTS] = {
		make(1, SOCK_DIAG_BY_FAMILY, &first),  make(2, SOCK_DIAG_BY_FAMILY, &nothing),
		make(3, SOCK_DESTROY, &destroy),       make(4, SOCK_DIAG_BY_FAMILY, &first),
		make(5, SOCK_DIAG_BY_FAMILY, &second),
	};
	must(send(nl, batch, sizeof(batch), 0) < 0 ? -errno : 0, "send the requests");
	collect(nl, text, sizeof(text));
	fact_is("answers to: lookup, lookup of nothing, destroy of 1, lookup of 1, lookup",
		"1:CLOSE_WAIT 2:ENOENT 3:OK 4:LISTEN 5:CLOSE_WAIT", "%s", text);
	close(a.fd);
	close(b.fd);
	close(listener);
	return fact_end();
}
