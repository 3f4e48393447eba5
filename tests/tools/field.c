/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch goes through each step together, so that the delayed acknowledgement of a FIN (some
 * milliseconds) is waited for once per batch and not once per mine. That the mines exist is then
 * asked of the kernel, one exact lookup each: only a server that leaks turns a FIN into a mine.
 */
#include "config.h"

#include "field.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mine.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"

/* For what loopback does by itself; longer than one lost SYN and its retransmission. */
#define STEP_MS 3000

#define MAX_BATCH 1024

/* Other people's backlogs begin at 128, the old default of net.core.somaxconn. */
#define FOREIGN_BATCH 64

struct batch {
	int fd[MAX_BATCH]; /* -1: has failed */
	size_t count;
	struct field_result *result;
};

size_t field_batch(bool own_listener)
{
	char somaxconn[16];
	int n;

	if (!own_listener)
		return FOREIGN_BATCH;
	if (netns_sysctl_get("core/somaxconn", somaxconn, sizeof(somaxconn)) < 0)
		return FOREIGN_BATCH;
	n = atoi(somaxconn);
	return n < 1 ? 1 : n > MAX_BATCH ? MAX_BATCH : (size_t)n;
}

void field_note_failure(struct field_result *result, const char *what, int err, size_t count)
{
	for (size_t i = 0; i < FIELD_REASONS; i++) {
		if (!result->failed[i].what) {
			result->failed[i].what = what;
			result->failed[i].err = abs(err);
		}
		if (strcmp(result->failed[i].what, what) == 0 &&
		    result->failed[i].err == abs(err)) {
			result->failed[i].count += count;
			return;
		}
	}
}

/* Removes client number i from the batch if rc says that the step has failed. */
static void check_step(struct batch *batch, size_t i, int rc, const char *what)
{
	if (rc >= 0)
		return;
	/* When our own patience ended, `what` says it all. */
	if (rc == -EINPROGRESS || rc == -ETIMEDOUT)
		rc = 0;
	field_note_failure(batch->result, what, rc, 1);
	if (batch->fd[i] >= 0)
		sock_reset(batch->fd[i]);
	batch->fd[i] = -1;
}

static void connect_all(const struct field_plan *plan, size_t from, struct batch *batch)
{
	int64_t deadline = mono_ns() + (int64_t)STEP_MS * 1000000;

	for (size_t i = 0; i < batch->count; i++) {
		size_t place = plan->order[from + i];
		union endpoint src = sources_at(&plan->sources, place / plan->ports.count,
						plan->ports.list[place % plan->ports.count]);

		batch->fd[i] = sock_connect_start(&src, &plan->server);
		check_step(batch, i, batch->fd[i], "cannot begin to connect");
	}
	for (size_t i = 0; i < batch->count; i++) {
		int rc;

		if (batch->fd[i] < 0)
			continue;
		rc = sock_connect_finish(batch->fd[i], mono_ms_left(deadline));
		check_step(batch, i, rc,
			   rc == -EINPROGRESS
				   ? "no answer to the SYN within 3 s (accept queue full?)"
				   : "cannot connect");
	}
}

static bool armed(void *arg)
{
	return mine_is_armed(*(int *)arg);
}

static void arm_all(struct batch *batch)
{
	int64_t deadline = mono_ns() + (int64_t)STEP_MS * 1000000;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->fd[i] >= 0)
			check_step(batch, i, mine_arm(batch->fd[i]), "cannot send the FIN");
	for (size_t i = 0; i < batch->count; i++)
		if (batch->fd[i] >= 0)
			check_step(batch, i,
				   wait_until(armed, &batch->fd[i], mono_ms_left(deadline)),
				   "no acknowledgement of the FIN within 3 s (accept queue full?)");
}

static void vanish_all(const struct field_plan *plan, struct batch *batch, union endpoint *clients)
{
	for (size_t i = 0; i < batch->count; i++) {
		union endpoint client;
		int rc;

		if (batch->fd[i] < 0)
			continue;
		rc = endpoint_local(batch->fd[i], &client);
		if (rc == 0)
			rc = plan->honest ? close(batch->fd[i]) : mine_vanish(batch->fd[i]);
		check_step(batch, i, rc, "cannot make the client vanish");
		if (rc == 0)
			clients[i] = client;
	}
}

/* An acknowledged FIN means that the connection is in the accept queue: nothing comes late. */
static int accept_all(int listener)
{
	for (;;)
		if (accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0 && errno != ECONNABORTED)
			return errno == EAGAIN ? 0 : -errno;
}

/* The lookup of the socket between two ends: 0, -ENOENT also for a listener, a negative errno. */
static int find(int nl, const union endpoint *local, const union endpoint *peer, int *ret_state)
{
	const struct inet_diag_req_v2 req = sockdiag_request(local, peer);
	struct sockdiag_info info;
	int rc = sockdiag_get(nl, &req, &info);

	if (rc == 0 && info.msg.idiag_state == TCP_LISTEN)
		rc = -ENOENT;
	if (rc == 0)
		*ret_state = info.msg.idiag_state;
	return rc;
}

struct waiting {
	int nl;
	const union endpoint *client, *server;
};

static bool client_gone(void *arg)
{
	const struct waiting *waiting = arg;
	int state;

	return find(waiting->nl, waiting->client, waiting->server, &state) == -ENOENT;
}

/* FIN_WAIT_2 lasts tcp_fin_timeout and a little more, for the kernel's timers are coarse. */
static void wait_for_expiry(const struct field_plan *plan, int nl, union endpoint *clients,
			    size_t count, struct field_result *result)
{
	int64_t deadline;
	char seconds[16] = "60";

	netns_sysctl_get("ipv4/tcp_fin_timeout", seconds, sizeof(seconds));
	deadline = mono_ns() + (atoi(seconds) * INT64_C(1250) + STEP_MS) * 1000000;
	for (size_t i = 0; i < count; i++) {
		struct waiting waiting = {nl, &clients[i], &plan->server};

		if (clients[i].sa.sa_family == 0)
			continue;
		if (wait_until(client_gone, &waiting, mono_ms_left(deadline)) < 0) {
			field_note_failure(result,
					   "the client is still there after tcp_fin_timeout", 0, 1);
			clients[i].sa.sa_family = 0;
		}
	}
}

static int check_mines(const struct field_plan *plan, int nl, union endpoint *clients, size_t count,
		       struct field_result *result)
{
	for (size_t i = 0; i < count; i++) {
		int rc, state = 0;

		if (clients[i].sa.sa_family == 0)
			continue;
		rc = find(nl, &plan->server, &clients[i], &state);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		if (rc == 0 && state == TCP_CLOSE_WAIT) {
			result->planted++;
			continue;
		}
		field_note_failure(result,
				   "the server does not leak: its side is not in CLOSE_WAIT", 0, 1);
		clients[i].sa.sa_family = 0;
	}
	return 0;
}

int field_plant(const struct field_plan *plan, size_t from, size_t to, int listener,
		union endpoint *clients, struct field_result *ret_result)
{
	size_t step = field_batch(listener >= 0);
	struct batch batch = {.result = ret_result};
	int rc = 0, nl = sockdiag_open();

	if (nl < 0)
		return nl;
	memset(ret_result, 0, sizeof(*ret_result));
	memset(&clients[from], 0, (to - from) * sizeof(*clients));
	for (size_t at = from; at < to && rc == 0; at += batch.count) {
		batch.count = to - at < step ? to - at : step;
		connect_all(plan, at, &batch);
		arm_all(&batch);
		vanish_all(plan, &batch, &clients[at]);
		if (listener >= 0)
			rc = accept_all(listener);
	}
	if (rc == 0 && plan->honest)
		wait_for_expiry(plan, nl, &clients[from], to - from, ret_result);
	if (rc == 0)
		rc = check_mines(plan, nl, &clients[from], to - from, ret_result);
	close(nl);
	return rc;
}

long field_count_mines(const struct field_plan *plan, const union endpoint *clients, size_t count)
{
	long mines = 0;
	int nl = sockdiag_open();

	if (nl < 0)
		return nl;
	for (size_t i = 0; i < count; i++) {
		int state;

		if (clients[i].sa.sa_family != 0 &&
		    find(nl, &plan->server, &clients[i], &state) == 0 && state == TCP_CLOSE_WAIT)
			mines++;
	}
	close(nl);
	return mines;
}
