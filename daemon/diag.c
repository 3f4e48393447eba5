/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel handles every request of one sendmsg() before that call returns and queues one
 * answer for each (net/core/sock_diag.c, netlink_rcv_skb()), so the answers are normally there at
 * once. The deadline is for the day they are not: a SYN is held meanwhile.
 *
 * Sequence numbers are never reused within 2^32 requests, so an answer that comes after its
 * deadline matches nothing and is dropped.
 */
#include "config.h"

#include "diag.h"
#include "clock.h"
#include "diagsock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

/* An answer with every attribute of 6.18 takes about 500 bytes. */
#define ANSWER_SIZE 1024
#define RECV_BATCH  16
/* A client whose SYN is held this long has not yet sent it again (RFC 6298: 1 s). */
#define DEADLINE_MS	 200
#define DUMP_DEADLINE_MS 800

struct diag {
	int fd;
	uint32_t seq; /* of the next request */
	char requests[DIAG_BATCH_MAX * DIAGMSG_REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	union {
		char answers[RECV_BATCH][ANSWER_SIZE];
		char dump[DIAGSOCK_DUMP_SIZE];
	} in __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* Called for each answer to request number index; payload is NULL for an ACK or an error. */
typedef void answer_fn(void *ctx, size_t index, int error, const void *payload, size_t len);

int diag_open(struct diag **ret_diag)
{
	struct diag *diag = calloc(1, sizeof(*diag));

	if (!diag)
		return -ENOMEM;
	diag->fd = diagsock_open();
	if (diag->fd < 0) {
		int err = diag->fd;

		free(diag);
		return err;
	}
	diag->seq = 1;
	*ret_diag = diag;
	return 0;
}

void diag_close(struct diag *diag)
{
	if (!diag)
		return;
	close(diag->fd);
	free(diag);
}

/* Leaves a half-read dump behind: the kernel refuses another one on that socket (EBUSY). */
static void replace_socket(struct diag *diag)
{
	int fd = diagsock_open();

	if (fd < 0)
		return; /* the old one still serves look-ups */
	close(diag->fd);
	diag->fd = fd;
}

/* Every message of one datagram that answers one of the n requests from first_seq on. */
static size_t take_datagram(const char *buf, size_t len, uint32_t first_seq, size_t n,
			    answer_fn *answer, void *ctx)
{
	struct diagsock_cursor c = {buf, len};
	struct diagsock_message message;
	size_t answered = 0;

	while (diagsock_next(&c, &message)) {
		uint32_t index = message.seq - first_seq;

		if (index >= n)
			continue; /* late: its deadline has passed */
		/* A socket with many TCP-MD5 keys has a long answer; nobody is kept waiting. */
		if (message.cut)
			answer(ctx, index, -EMSGSIZE, NULL, 0);
		else if (message.type == NLMSG_ERROR)
			answer(ctx, index, diagsock_error(&message), NULL, 0);
		else if (message.type == SOCK_DIAG_BY_FAMILY)
			answer(ctx, index, 0, message.payload, message.len);
		else
			continue;
		answered++;
	}
	return answered;
}

/*
 * What to do after a read that failed: 0, read on, or a negative errno, give up. ENOBUFS says that
 * answers were lost; those before it are still to be read, so it is kept in lost for the end.
 */
static int after_failed_read(struct diag *diag, int err, int64_t deadline, int *lost)
{
	switch (err) {
	case -EINTR:
		return 0;
	case -ENOBUFS:
		*lost = err;
		return 0;
	case -EAGAIN:
		return *lost ? *lost : diagsock_wait(diag->fd, deadline);
	}
	return err;
}

/*
 * Reads until n answers are there. -ETIMEDOUT or the errno of reading: then some requests stay
 * unanswered.
 */
static int receive_answers(struct diag *diag, uint32_t first_seq, size_t n, answer_fn *answer,
			   void *ctx)
{
	int64_t deadline = clock_ms(CLOCK_MONOTONIC) + DEADLINE_MS;
	struct mmsghdr msgs[RECV_BATCH];
	struct sockaddr_nl from[RECV_BATCH];
	struct iovec iov[RECV_BATCH];
	size_t answered = 0;
	int lost = 0;

	while (answered < n) {
		size_t want = n - answered < RECV_BATCH ? n - answered : RECV_BATCH;
		size_t before = answered;
		int got;

		for (size_t i = 0; i < want; i++) {
			iov[i] = (struct iovec){diag->in.answers[i], ANSWER_SIZE};
			msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
							       .msg_namelen = sizeof(from[i]),
							       .msg_iov = &iov[i],
							       .msg_iovlen = 1}};
		}
		got = recvmmsg(diag->fd, msgs, (unsigned int)want, MSG_DONTWAIT, NULL);
		if (got < 0) {
			int err = after_failed_read(diag, -errno, deadline, &lost);

			if (err < 0)
				return err;
		}
		for (int i = 0; i < got; i++) {
			/* Only the kernel has port id 0. */
			if (from[i].nl_pid == 0)
				answered += take_datagram(diag->in.answers[i], msgs[i].msg_len,
							  first_seq, n, answer, ctx);
		}
		/* Other messages without end must not hold the SYNs. */
		if (answered == before && clock_ms(CLOCK_MONOTONIC) > deadline)
			return lost ? lost : -ETIMEDOUT;
	}
	return 0;
}

/* The answer must be about the socket that was asked for, or about a listener on its port. */
static bool answers_question(const struct sock_info *info, const struct tuple *socket)
{
	if (info->state == TCPSTATE_LISTEN)
		return info->tuple.src.port == socket->src.port;
	return endpoint_equal(&info->tuple.src, &socket->src) &&
	       endpoint_equal(&info->tuple.dst, &socket->dst);
}

/*
 * A socket that the kernel found, and that was closed before the answer was written: it has given
 * its local port back already (inet_put_port()), which no socket on a tuple has.
 */
static bool is_gone(const struct sock_info *info)
{
	return info->tuple.src.port == 0;
}

struct lookup {
	const struct diag_request *requests;
	struct diag_answer *answers;
};

static void take_lookup(void *ctx, size_t index, int error, const void *payload, size_t len)
{
	struct lookup *lookup = ctx;
	struct diag_answer *answer = &lookup->answers[index];

	if (error == 0)
		error = payload ? diagmsg_parse(payload, len, &answer->info) : -EBADMSG;
	if (error == 0 && is_gone(&answer->info))
		error = -ENOENT;
	if (error == 0 && !answers_question(&answer->info, &lookup->requests[index].socket))
		error = -EBADMSG;
	answer->error = error;
}

void diag_lookup(struct diag *diag, const struct diag_request *requests, size_t n,
		 struct diag_answer *ret_answers)
{
	struct lookup ctx = {requests, ret_answers};
	uint32_t first_seq = diag->seq;
	size_t len = 0;
	int err;

	for (size_t i = 0; i < n; i++) {
		ret_answers[i].error = -EINPROGRESS;
		len += diagmsg_put_lookup(diag->requests + len, diag->seq++, &requests[i].socket,
					  requests[i].cookie, requests[i].details);
	}
	err = diagsock_send(diag->fd, diag->requests, len);
	if (err == 0)
		err = receive_answers(diag, first_seq, n, take_lookup, &ctx);
	for (size_t i = 0; i < n; i++) {
		if (ret_answers[i].error == -EINPROGRESS)
			ret_answers[i].error = err < 0 ? err : -EBADMSG;
	}
}

static void take_ack(void *ctx, size_t index, int error, const void *payload, size_t len)
{
	int *errors = ctx;

	(void)len;
	errors[index] = payload ? -EBADMSG : error;
}

void diag_destroy(struct diag *diag, const struct diag_request *requests, size_t n, int *ret_errors)
{
	uint32_t first_seq = diag->seq;
	size_t len = 0;
	int err;

	for (size_t i = 0; i < n; i++) {
		ret_errors[i] = -EINPROGRESS;
		len += diagmsg_put_destroy(diag->requests + len, diag->seq++, &requests[i].socket,
					   requests[i].cookie);
	}
	err = diagsock_send(diag->fd, diag->requests, len);
	if (err == 0)
		err = receive_answers(diag, first_seq, n, take_ack, ret_errors);
	for (size_t i = 0; i < n; i++) {
		if (ret_errors[i] == -EINPROGRESS)
			ret_errors[i] = err < 0 ? err : -EBADMSG;
	}
}

int diag_probe_destroy(struct diag *diag)
{
	/* Port 0 is never bound, so the look-up behind the destroy finds nothing. */
	struct diag_request request = {
		.socket = {.src = {.addr = addr_from_v4(htonl(INADDR_LOOPBACK))},
			   .dst = {.addr = addr_from_v4(htonl(INADDR_LOOPBACK))}},
		.cookie = 0,
	};
	int err;

	diag_destroy(diag, &request, 1, &err);
	return err == -ENOENT ? 0 : err;
}

struct dump {
	struct sock_info *infos;
	size_t max;
	size_t count;
};

static int keep(void *ctx, const struct sock_info *info)
{
	struct dump *dump = ctx;

	if (dump->count < dump->max)
		dump->infos[dump->count] = *info;
	dump->count++;
	return 0;
}

static int dump_family(struct diag *diag, struct dump *dump, int family,
		       const struct endpoint *local, tcpstate_set states, int64_t deadline)
{
	uint32_t seq = diag->seq++;
	size_t len = diagmsg_put_dump(diag->requests, seq, family, local, states, false);
	int done = diagsock_send(diag->fd, diag->requests, len);
	bool changed = false;

	while (done == 0) {
		done = diagsock_read_dump(diag->fd, diag->in.dump, seq, deadline, keep, dump,
					  &changed);
		if (changed)
			return -EINTR;
	}
	return done < 0 ? done : 0;
}

bool diag_destroys_closed(void)
{
	unsigned int version, level;
	struct utsname kernel;

	return uname(&kernel) == 0 && sscanf(kernel.release, "%u.%u", &version, &level) == 2 &&
	       (version > 6 || (version == 6 && level >= 11));
}

int diag_sockets_on(struct diag *diag, const struct endpoint *local, tcpstate_set states,
		    struct sock_info *ret_infos, size_t max, size_t *ret_count)
{
	int64_t deadline = clock_ms(CLOCK_MONOTONIC) + DUMP_DEADLINE_MS;
	struct dump dump = {.infos = ret_infos, .max = max};
	int err = 0;

	/* A dump holds the sockets of one family; an IPv6 socket may carry an IPv4 connection. */
	if (addr_is_v4(&local->addr))
		err = dump_family(diag, &dump, AF_INET, local, states, deadline);
	if (err == 0)
		err = dump_family(diag, &dump, AF_INET6, local, states, deadline);
	if (err < 0) {
		replace_socket(diag);
		return err;
	}
	*ret_count = dump.count;
	return 0;
}
