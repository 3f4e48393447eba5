/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binding a queue: what one message can do, and what happens to SYNs when it takes several. */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/sockets.h"
#include "scene.h"
#include "testqueue.h"

/* Long enough for loopback, shorter than the first retransmission of a SYN (1 s). */
#define SHORT_MS 500

static const char *connect_within(int timeout_ms)
{
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	int fd = sock_connect(NULL, &dst, timeout_ms);

	if (fd < 0)
		return errname(fd);
	sock_reset(fd);
	return "OK";
}

static void one_message(void)
{
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	const struct testqueue_config bind_only = {.parts = TESTQUEUE_BIND};
	int second, fd, nl = testqueue_bind(64, NFQA_CFG_F_FAIL_OPEN);
	struct testqueue_packet packet;

	fact("BIND, PARAMS, MAXLEN and FLAGS in one message", "OK");
	fd = must(sock_connect_start(NULL, &dst), "begin to connect");
	must(testqueue_receive(nl, 2000, &packet), "receive the SYN");
	fact_holds(packet.payload_len >= 40, "bytes of the SYN in the queue", "%u",
		   packet.payload_len);
	fact_is("the client of a held SYN", "SYN_SENT", "%s", sockdiag_state_name(sock_state(fd)));
	must(testqueue_verdict(nl, TESTQUEUE, packet.id, NF_ACCEPT), "give a verdict");
	fact_is("connect after ACCEPT", "OK", "%s", errname(sock_connect_finish(fd, SHORT_MS)));
	sock_reset(fd);

	second = must(testqueue_open(), "open a second nfnetlink socket");
	fact_is("a second binder", "EPERM", "%s",
		errname(testqueue_configure(second, TESTQUEUE, &bind_only)));
	close(second);
	close(nl);
}

/* Between BIND and PARAMS the queue copies nothing, and does not bypass either. */
static void bound_without_copy_mode(void)
{
	const struct testqueue_config bind_only = {.parts = TESTQUEUE_BIND};
	int nl = must(testqueue_open(), "open an nfnetlink socket");

	must(testqueue_configure(nl, TESTQUEUE, &bind_only), "bind the queue");
	fact_is("SYN between a BIND message and its PARAMS, in spite of bypass: connect",
		"EINPROGRESS", "%s", connect_within(SHORT_MS));
	close(nl);
}

int main(void)
{
	int listener;

	fact_begin("queue-config");
	testqueue_rule(AF_INET);
	listener = scene_listen("127.0.0.1");
	fact_is("nobody bound, bypass: connect", "OK", "%s", connect_within(SHORT_MS));
	one_message();
	fact_is("unbound again: connect", "OK", "%s", connect_within(SHORT_MS));
	bound_without_copy_mode();
	close(listener);
	return fact_end();
}
