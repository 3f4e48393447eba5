/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 1. A client connects to our listener, and its connection is accepted.
 * 2. The client closes, the server's end does not: CLOSE_WAIT, and FIN_WAIT_2, which TCP_LINGER2
 *    ends after a second. What was CLOSE_WAIT is a mine now.
 * 3. A second client connects from the port of the first: its SYN meets the old socket.
 * 4. What comes of the SYN, in what time, and what of the old socket: a reset that the kernel makes
 *    ends CLOSE_WAIT with EPIPE (tcp_reset()), SOCK_DESTROY with ECONNABORTED (tcp_abort()).
 * 5. Many connections are aborted, and the resets counted that arrive. Last, since a rule that
 *    limits their rate must not be used up before the collision.
 *
 * Whether bare ACKs pass is seen in the first two steps: without them the connection is not
 * accepted, or the client stays in FIN_WAIT_1. There is no collision then, and little else works.
 */
#include "config.h"

#include "trial.h"
#include "clock.h"
#include "diag.h"
#include "trialsock.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* For what loopback does by itself; a lost segment is sent again by then, after 200 ms or 1 s. */
#define LOOPBACK_MS 1500
/* An ACK may be delayed by 200 ms (TCP_DELACK_MAX); a busy machine takes longer. */
#define ACK_MS 1500
/* FIN_WAIT_2 lasts a second, as TCP_LINGER2 says; at the latest this long, on a busy machine. */
#define FIN_WAIT_2_MS 1500
#define PORT_MS	      3000
#define LOOK_AGAIN_MS 10
/* For all resets together: they arrive before close() returns, unless the machine is busy. */
#define RESETS_MS 1500

struct stage {
	struct trial *trial;
	struct endpoint server, client;
	int listener, occupant, claimant;
};

static int64_t in_ms(int64_t ms)
{
	return clock_ms(CLOCK_MONOTONIC) + ms;
}

static void look_again_later(void)
{
	nanosleep(&(struct timespec){.tv_nsec = LOOK_AGAIN_MS * 1000000}, NULL);
}

/* A connection from a port of the kernel's choice; both ends, or -errno and none. */
static int connect_pair(struct stage *stage, struct endpoint *ret_client, int *ret_client_fd,
			int *ret_server_fd)
{
	int client_fd = trialsock_connect(NULL, &stage->server);
	int server_fd = -1;
	int err;

	if (client_fd < 0)
		return client_fd;
	err = trialsock_connected(client_fd, in_ms(LOOPBACK_MS));
	if (err == -EINPROGRESS)
		err = -ETIMEDOUT;
	else if (err == 0)
		err = trialsock_local(client_fd, ret_client);
	if (err == 0) {
		err = server_fd = trialsock_accept(stage->listener, ret_client, in_ms(ACK_MS));
		/* To the client it is there: the handshake's last part, a bare ACK, is lost. */
		if (err == -ETIMEDOUT)
			stage->trial->ack_lost = true;
	}
	if (err < 0) {
		close(client_fd);
		return err;
	}
	*ret_client_fd = client_fd;
	*ret_server_fd = server_fd;
	return 0;
}

/* Ends the client so that the server's end is left in CLOSE_WAIT. */
static int close_one_side(struct stage *stage, int client_fd)
{
	int err;

	if (shutdown(client_fd, SHUT_WR) < 0)
		return -errno;
	err = trialsock_wait_state(client_fd, TCPSTATE_FIN_WAIT_2, in_ms(ACK_MS));
	if (err == -ETIMEDOUT)
		stage->trial->ack_lost = true;
	if (err == 0)
		err = trialsock_leave_quietly(client_fd);
	return err;
}

static int make_mine(struct stage *stage)
{
	struct trial *trial = stage->trial;
	int client_fd = -1;
	int err;

	trial->step = TRIAL_AT_LISTEN;
	stage->listener = trialsock_listen(!addr_is_v4(&stage->server.addr), &stage->server);
	if (stage->listener < 0)
		return stage->listener;

	trial->step = TRIAL_AT_CONNECT;
	err = connect_pair(stage, &stage->client, &client_fd, &stage->occupant);
	if (err < 0)
		return err;
	trial->syn = (struct tuple){.src = stage->client, .dst = stage->server};

	trial->step = TRIAL_AT_CLOSE;
	err = close_one_side(stage, client_fd);
	close(client_fd);
	if (err == 0)
		err = trialsock_wait_state(stage->occupant, TCPSTATE_CLOSE_WAIT, in_ms(ACK_MS));
	return err;
}

/*
 * Waits until the first client's FIN_WAIT_2 is gone. connect() alone would not tell: from a port
 * that was bound on purpose it may take the place of a FIN_WAIT_2 at once (tcp_twsk_unique()
 * without twp). Without sock_diag its time is waited for.
 */
static void wait_until_gone(const struct stage *stage)
{
	const struct diag_request request = {.socket = stage->trial->syn,
					     .cookie = DIAGMSG_ANY_SOCKET};
	int64_t deadline = in_ms(PORT_MS);
	struct diag_answer answer = {.error = 0};
	struct diag *diag = NULL;

	answer.error = diag_open(&diag);
	while (answer.error != -ENOENT && clock_ms(CLOCK_MONOTONIC) < deadline) {
		look_again_later();
		if (diag)
			diag_lookup(diag, &request, 1, &answer);
		if (answer.error != 0 && answer.error != -ENOENT && diag) {
			diag_close(diag);
			diag = NULL;
		}
		if (!diag && deadline - clock_ms(CLOCK_MONOTONIC) < PORT_MS - FIN_WAIT_2_MS)
			break;
	}
	diag_close(diag);
}

/* Another process may have been given the port (EADDRINUSE): it may give it back soon. */
static int collide(struct stage *stage, uint64_t *ret_start_us)
{
	int64_t deadline = in_ms(PORT_MS);
	int fd;

	stage->trial->step = TRIAL_AT_PORT;
	wait_until_gone(stage);
	if (trialsock_wait_state(stage->occupant, TCPSTATE_CLOSE_WAIT, 0) < 0)
		return -ECONNRESET; /* somebody has ended it meanwhile */
	for (;;) {
		*ret_start_us = clock_us(CLOCK_MONOTONIC);
		fd = stage->claimant = trialsock_connect(&stage->client, &stage->server);
		if (fd != -EADDRNOTAVAIL && fd != -EADDRINUSE)
			break;
		if (clock_ms(CLOCK_MONOTONIC) > deadline)
			break;
		look_again_later();
	}
	return fd < 0 ? fd : 0;
}

static enum trial_end end_of(int err)
{
	switch (err) {
	case 0:
		return TRIAL_CONNECTED;
	case -ECONNREFUSED:
		return TRIAL_REFUSED;
	case -EINPROGRESS:
		return TRIAL_HANGS;
	}
	return TRIAL_ERROR;
}

static enum trial_occupant fate_of(int occupant)
{
	if (trialsock_wait_state(occupant, TCPSTATE_CLOSE_WAIT, 0) == 0)
		return TRIAL_STAYS;
	switch (trialsock_error(occupant)) {
	case -EPIPE:
	case -ECONNRESET:
		return TRIAL_RESET;
	case -ECONNABORTED:
		return TRIAL_DESTROYED;
	}
	return TRIAL_LOST;
}

static void observe(struct stage *stage, uint64_t start_us)
{
	struct trial *trial = stage->trial;
	int err;

	trial->step = TRIAL_AT_COLLISION;
	err = trialsock_connected(stage->claimant, in_ms(TRIAL_PATIENCE_MS));
	trial->us = (uint32_t)(clock_us(CLOCK_MONOTONIC) - start_us);
	trial->end = end_of(err);
	trial->error = trial->end == TRIAL_ERROR ? err : 0;
	trial->occupant = fate_of(stage->occupant);
}

/* Aborts TRIAL_RESETS connections at once. */
static void send_resets(struct stage *stage)
{
	int servers[TRIAL_RESETS], clients[TRIAL_RESETS];
	struct endpoint client;
	int64_t deadline;
	uint32_t n = 0;

	while (n < TRIAL_RESETS && connect_pair(stage, &client, &clients[n], &servers[n]) == 0)
		n++;
	for (uint32_t i = 0; i < n; i++)
		close(clients[i]);
	deadline = in_ms(RESETS_MS);
	for (uint32_t i = 0; i < n; i++) {
		if (trialsock_wait_reset(servers[i], deadline) == 0)
			stage->trial->resets_arrived++;
		close(servers[i]);
	}
	stage->trial->resets_sent = n;
}

static void perform(struct stage *stage)
{
	uint64_t start_us = 0;
	int err = make_mine(stage);

	if (err == 0)
		err = collide(stage, &start_us);
	if (err < 0)
		stage->trial->error = err;
	else
		observe(stage, start_us);
	if (stage->trial->step > TRIAL_AT_CONNECT && !stage->trial->ack_lost)
		send_resets(stage);
	if (stage->claimant >= 0)
		close(stage->claimant);
	if (stage->occupant >= 0)
		close(stage->occupant);
	if (stage->listener >= 0)
		close(stage->listener);
}

struct order {
	enum trial_place place;
	bool v6;
};

static int body(void *arg, int out)
{
	const struct order *order = arg;
	struct trial trial = {.step = TRIAL_IN_NAMESPACE};
	struct stage stage = {.trial = &trial, .listener = -1, .occupant = -1, .claimant = -1};

	stage.server.addr = order->v6 ? in6addr_loopback : addr_from_v4(htonl(INADDR_LOOPBACK));
	if (order->place == TRIAL_IN_OWN_NAMESPACE)
		trial.error = trialsock_raise_loopback();
	if (trial.error == 0)
		perform(&stage);
	return write(out, &trial, sizeof(trial)) == (ssize_t)sizeof(trial) ? 0 : 1;
}

int trial_start(enum trial_place place, bool v6, struct child *ret_child)
{
	struct order order = {.place = place, .v6 = v6};
	int err;

	if (place == TRIAL_HERE)
		return child_start(body, &order, 0, ret_child);
	err = child_start(body, &order, CLONE_NEWNET, ret_child);
	if (err == -EPERM)
		err = child_start(body, &order, CLONE_NEWUSER | CLONE_NEWNET, ret_child);
	return err;
}

int trial_finish(struct child *child, int64_t deadline_ms, struct trial *ret_trial)
{
	struct trial trial;
	size_t len;
	int status = child_finish(child, deadline_ms, &trial, sizeof(trial), &len);

	if (status < 0)
		return status;
	if (status > 0 || len != sizeof(trial))
		return -EIO;
	*ret_trial = trial;
	return 0;
}
