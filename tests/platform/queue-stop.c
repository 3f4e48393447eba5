/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending without loss: what becomes of held SYNs and of new ones. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/monotime.h"
#include "lib/sockets.h"
#include "scene.h"
#include "testqueue.h"

#define SHORT_MS 500 /* before the first retransmission */
#define HELD	 5

/* Begins to connect and waits until the SYN is held. */
static int hold(int nl, uint32_t *ret_id)
{
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	int fd = must(sock_connect_start(NULL, &dst), "begin to connect");
	struct testqueue_packet packet;

	must(testqueue_receive(nl, 2000, &packet), "receive the SYN");
	*ret_id = packet.id;
	return fd;
}

static void drained(void)
{
	const struct testqueue_config stop = {.parts = TESTQUEUE_MAXLEN, .maxlen = 0};
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	int nl = testqueue_bind(64, NFQA_CFG_F_FAIL_OPEN);
	struct testqueue_packet packet;
	int held, new;
	uint32_t id;

	held = hold(nl, &id);
	must(testqueue_configure(nl, TESTQUEUE, &stop), "set the queue's length to 0");
	new = must(sock_connect_start(NULL, &dst), "begin to connect");
	fact_is("QUEUE_MAXLEN 0 with FAIL_OPEN: a new connect", "OK", "%s",
		errname(sock_connect_finish(new, SHORT_MS)));
	fact_is("  its SYN in the queue", "ETIMEDOUT", "%s",
		errname(testqueue_receive(nl, 0, &packet)));
	must(testqueue_verdict(nl, TESTQUEUE, id, NF_ACCEPT), "give the held SYN its verdict");
	fact_is("  the held SYN after its verdict: connect", "OK", "%s",
		errname(sock_connect_finish(held, SHORT_MS)));
	sock_reset(held);
	sock_reset(new);
	close(nl);
}

/* Without FAIL_OPEN a full queue drops. */
static void full(uint32_t flags, const char *name, const char *want)
{
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	int nl = testqueue_bind(1, flags);
	int held, new;
	uint32_t id;

	held = hold(nl, &id);
	new = must(sock_connect_start(NULL, &dst), "begin to connect");
	fact_is(name, want, "%s", errname(sock_connect_finish(new, SHORT_MS)));
	sock_reset(held);
	sock_reset(new);
	close(nl);
}

static void closed_while_held(void)
{
	int nl = testqueue_bind(64, NFQA_CFG_F_FAIL_OPEN);
	int64_t start;
	uint32_t id;
	int rc, fd = hold(nl, &id);
	double ms;

	start = mono_ns();
	close(nl);
	rc = sock_connect_finish(fd, 5000);
	ms = (double)(mono_ns() - start) / 1e6;
	fact_is("queue closed with a held SYN: connect", "OK", "%s", errname(rc));
	fact_holds(ms > SHORT_MS, "  after ms, for the SYN was dropped", "%.0f", ms);
	sock_reset(fd);
}

/* "3 of 5": how many of the connects are through. */
static void count_through(const char *name, const char *want, const int fd[HELD])
{
	int through = 0;

	for (int i = 0; i < HELD; i++)
		through += sock_state(fd[i]) == TCP_ESTABLISHED;
	fact_is(name, want, "%d of %d", through, HELD);
}

static void batch(void)
{
	int nl = testqueue_bind(64, 0), fd[HELD];
	uint32_t id[HELD];

	for (int i = 0; i < HELD; i++)
		fd[i] = hold(nl, &id[i]);
	must(testqueue_verdict_batch(nl, TESTQUEUE, id[2], NF_ACCEPT), "give a batch verdict");
	must(sock_connect_finish(fd[2], SHORT_MS), "see the third connected");
	count_through("VERDICT_BATCH with the id of the third held SYN: connected", "3 of 5", fd);
	must(testqueue_verdict_batch(nl, TESTQUEUE, id[4], NF_ACCEPT), "give a batch verdict");
	must(sock_connect_finish(fd[4], SHORT_MS), "see the last connected");
	count_through("VERDICT_BATCH with the id of the last: connected", "5 of 5", fd);
	for (int i = 0; i < HELD; i++)
		sock_reset(fd[i]);
	close(nl);
}

int main(void)
{
	int listener;

	fact_begin("queue-stop");
	testqueue_rule(AF_INET);
	listener = scene_listen("127.0.0.1");
	drained();
	full(NFQA_CFG_F_FAIL_OPEN, "queue full, FAIL_OPEN: a new connect", "OK");
	full(0, "queue full, no FAIL_OPEN: a new connect", "EINPROGRESS");
	closed_while_held();
	batch();
	close(listener);
	return fact_end();
}
