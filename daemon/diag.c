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

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * An answer with every attribute of 6.18 takes about 500 bytes; the kernel sends a dump in pieces
 * as large as the buffer it is read with, at most 32 KiB (netlink_dump()).
 */
#define ANSWER_SIZE 1024
#define RECV_BATCH  16
#define DUMP_SIZE   32768
/* Room for DIAG_BATCH_MAX answers at their true size in the kernel, with a margin. */
#define RECV_BUFFER (1024 * 1024)
/* A client whose SYN is held this long has not yet sent it again (RFC 6298: 1 s). */
#define DEADLINE_MS	 200
#define DUMP_DEADLINE_MS 800

struct diag {
	int fd;
	uint32_t seq; /* of the next request */
	char requests[DIAG_BATCH_MAX * DIAGMSG_REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	union {
		char answers[RECV_BATCH][ANSWER_SIZE];
		char dump[DUMP_SIZE];
	} in __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* Called for each answer to request number index; payload is NULL for an ACK or an error. */
typedef void answer_fn(void *ctx, size_t index, int error, const void *payload, size_t len);

static int open_socket(void)
{
	const struct sockaddr_nl local = {.nl_family = AF_NETLINK};
	const int size = RECV_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	/* Without CAP_NET_ADMIN the default size has to do: large batches may then lose answers. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

int diag_open(struct diag **ret_diag)
{
	struct diag *diag = calloc(1, sizeof(*diag));

	if (!diag)
		return -ENOMEM;
	diag->fd = open_socket();
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
	int fd = open_socket();

	if (fd < 0)
		return; /* the old one still serves look-ups */
	close(diag->fd);
	diag->fd = fd;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int send_requests(struct diag *diag, const void *buf, size_t len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(diag->fd, buf, len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* 0 once something can be read, -ETIMEDOUT at the deadline. */
static int wait_readable(struct diag *diag, int64_t deadline)
{
	struct pollfd pfd = {.fd = diag->fd, .events = POLLIN};
	int64_t left = deadline - now_ms();
	int n;

	if (left <= 0)
		return -ETIMEDOUT;
	n = poll(&pfd, 1, (int)left);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* What is left of a datagram. */
struct cursor {
	const char *at;
	size_t left;
};

struct message {
	const struct nlmsghdr *nlh;
	const void *payload;
	size_t len; /* of the payload */
	bool cut;   /* the message is longer than the buffer was; its payload is empty */
};

/*
 * The next message of a datagram; false behind the last. libmnl's own mnl_nlmsg_ok() takes a length
 * of 2^31 or more for a negative one, which fits everywhere.
 */
static bool next_message(struct cursor *c, struct message *ret_message)
{
	const struct nlmsghdr *nlh = (const void *)c->at;
	size_t step;

	if (c->left < NLMSG_HDRLEN || nlh->nlmsg_len < NLMSG_HDRLEN)
		return false;
	if (nlh->nlmsg_len > c->left) {
		c->left = 0;
		*ret_message = (struct message){.nlh = nlh, .cut = true};
		return true;
	}
	*ret_message = (struct message){
		.nlh = nlh, .payload = c->at + NLMSG_HDRLEN, .len = nlh->nlmsg_len - NLMSG_HDRLEN};
	step = NLMSG_ALIGN(nlh->nlmsg_len);
	if (step > c->left)
		step = c->left;
	c->at += step;
	c->left -= step;
	return true;
}

/* The negative errno in a NLMSG_ERROR or NLMSG_DONE message, 0 for an ACK or a dump's good end. */
static int message_error(const struct message *message)
{
	int error;

	if (message->len < sizeof(error))
		return -EBADMSG;
	memcpy(&error, message->payload, sizeof(error));
	return error > 0 ? -EBADMSG : error;
}

/* Every message of one datagram that answers one of the n requests from first_seq on. */
static size_t take_datagram(const char *buf, size_t len, uint32_t first_seq, size_t n,
			    answer_fn *answer, void *ctx)
{
	struct cursor c = {buf, len};
	struct message message;
	size_t answered = 0;

	while (next_message(&c, &message)) {
		uint32_t index = message.nlh->nlmsg_seq - first_seq;

		if (index >= n)
			continue; /* late: its deadline has passed */
		/* A socket with many TCP-MD5 keys has a long answer; nobody is kept waiting for it. */
		if (message.cut)
			answer(ctx, index, -EMSGSIZE, NULL, 0);
		else if (message.nlh->nlmsg_type == NLMSG_ERROR)
			answer(ctx, index, message_error(&message), NULL, 0);
		else if (message.nlh->nlmsg_type == SOCK_DIAG_BY_FAMILY)
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
		return *lost ? *lost : wait_readable(diag, deadline);
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
	int64_t deadline = now_ms() + DEADLINE_MS;
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
		if (answered == before && now_ms() > deadline)
			return lost ? lost : -ETIMEDOUT;
	}
	return 0;
}

/* The answer must be about the socket that was asked for, or about a listener on its port. */
static bool answers_question(const struct sock_info *info, const struct tuple *socket)
{
	if (info->state == TCPSTATE_LISTEN)
		return info->tuple.src.port == socket->src.port;
	return info->tuple.src.port == socket->src.port &&
	       info->tuple.dst.port == socket->dst.port &&
	       addr_equal(&info->tuple.src.addr, &socket->src.addr) &&
	       addr_equal(&info->tuple.dst.addr, &socket->dst.addr);
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
	err = send_requests(diag, diag->requests, len);
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
	err = send_requests(diag, diag->requests, len);
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
	uint32_t seq;
	struct sock_info *infos;
	size_t max;
	size_t count;
};

/* 1: the dump is complete, 0: more to come, or a negative errno. */
static int take_dump(struct dump *dump, const char *buf, size_t len)
{
	struct cursor c = {buf, len};
	struct message message;

	while (next_message(&c, &message)) {
		struct sock_info info;
		int err;

		if (message.nlh->nlmsg_seq != dump->seq)
			continue; /* the rest of a dump whose deadline has passed */
		if (message.nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EINTR;
		switch (message.nlh->nlmsg_type) {
		case NLMSG_DONE:
			/* A dump that fails on the way ends with its errno (netlink_dump_done()). */
			err = message_error(&message);
			return err == 0 ? 1 : err;
		case NLMSG_ERROR:
			err = message_error(&message);
			return err == 0 ? -EBADMSG : err;
		case SOCK_DIAG_BY_FAMILY:
			if (diagmsg_parse(message.payload, message.len, &info) < 0)
				return -EBADMSG;
			if (dump->count < dump->max)
				dump->infos[dump->count] = info;
			dump->count++;
			break;
		}
	}
	return 0;
}

static int dump_family(struct diag *diag, struct dump *dump, int family,
		       const struct endpoint *local, tcpstate_set states, int64_t deadline)
{
	int done;

	dump->seq = diag->seq++;
	done = send_requests(diag, diag->requests,
			     diagmsg_put_dump(diag->requests, dump->seq, family, local, states));
	while (done == 0) {
		struct sockaddr_nl from;
		socklen_t from_len = sizeof(from);
		ssize_t got = recvfrom(diag->fd, diag->in.dump, DUMP_SIZE, MSG_DONTWAIT | MSG_TRUNC,
				       (struct sockaddr *)&from, &from_len);

		if (got < 0 && errno == EAGAIN)
			done = wait_readable(diag, deadline);
		else if (got < 0 && errno != EINTR)
			done = -errno;
		else if (got > DUMP_SIZE)
			done = -EBADMSG;
		else if (got > 0 && from.nl_pid == 0)
			done = take_dump(dump, diag->in.dump, (size_t)got);
		if (done == 0 && now_ms() > deadline)
			done = -ETIMEDOUT;
	}
	return done < 0 ? done : 0;
}

int diag_sockets_on(struct diag *diag, const struct endpoint *local, tcpstate_set states,
		    struct sock_info *ret_infos, size_t max, size_t *ret_count)
{
	int64_t deadline = now_ms() + DUMP_DEADLINE_MS;
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
