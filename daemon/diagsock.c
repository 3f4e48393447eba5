/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "diagsock.h"
#include "clock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for a batch of answers at their true size in the kernel, with a margin. */
#define RECV_BUFFER (1024 * 1024)

int diagsock_open(void)
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

int diagsock_send(int fd, const void *buf, size_t len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(fd, buf, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int diagsock_wait(int fd, int64_t deadline_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int64_t left = deadline_ms - clock_ms(CLOCK_MONOTONIC);
	int n;

	if (left <= 0)
		return -ETIMEDOUT;
	n = poll(&pfd, 1, (int)left);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* libmnl's own mnl_nlmsg_ok() takes a length of 2^31 or more for a negative one, which fits. */
bool diagsock_next(struct diagsock_cursor *c, struct diagsock_message *ret_message)
{
	const struct nlmsghdr *nlh = (const void *)c->at;
	size_t step;

	if (c->left < NLMSG_HDRLEN || nlh->nlmsg_len < NLMSG_HDRLEN)
		return false;
	*ret_message = (struct diagsock_message){
		.type = nlh->nlmsg_type,
		.flags = nlh->nlmsg_flags,
		.seq = nlh->nlmsg_seq,
		.cut = nlh->nlmsg_len > c->left,
	};
	if (ret_message->cut) {
		c->left = 0;
		return true;
	}
	ret_message->payload = c->at + NLMSG_HDRLEN;
	ret_message->len = nlh->nlmsg_len - NLMSG_HDRLEN;
	step = NLMSG_ALIGN(nlh->nlmsg_len);
	if (step > c->left)
		step = c->left;
	c->at += step;
	c->left -= step;
	return true;
}

int diagsock_error(const struct diagsock_message *message)
{
	int error;

	if (message->len < sizeof(error))
		return -EBADMSG;
	memcpy(&error, message->payload, sizeof(error));
	return error > 0 ? -EBADMSG : error;
}

/* 1: the dump is complete, 0: more to come, or a negative errno. */
static int take_dump(const void *buf, size_t len, uint32_t seq, diagsock_each_fn *each, void *ctx,
		     bool *ret_changed)
{
	struct diagsock_cursor c = {buf, len};
	struct diagsock_message message;

	while (diagsock_next(&c, &message)) {
		struct sock_info info;
		int err;

		if (message.seq != seq)
			continue; /* the rest of a dump whose deadline has passed */
		if (message.flags & NLM_F_DUMP_INTR)
			*ret_changed = true;
		switch (message.type) {
		case NLMSG_DONE:
			/* The errno, if the dump has failed on the way (netlink_dump_done()). */
			err = diagsock_error(&message);
			return err == 0 ? 1 : err;
		case NLMSG_ERROR:
			err = diagsock_error(&message);
			return err == 0 ? -EBADMSG : err;
		case SOCK_DIAG_BY_FAMILY:
			err = diagmsg_parse(message.payload, message.len, &info);
			if (err == 0)
				err = each(ctx, &info);
			if (err < 0)
				return err;
			break;
		}
	}
	return 0;
}

/*
 * ENOBUFS is an error like any other here: what was lost may have been anything, the end of the
 * dump among it.
 */
int diagsock_read_dump(int fd, void *buf, uint32_t seq, int64_t deadline_ms, diagsock_each_fn *each,
		       void *ctx, bool *ret_changed)
{
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	ssize_t got = recvfrom(fd, buf, DIAGSOCK_DUMP_SIZE, MSG_DONTWAIT | MSG_TRUNC,
			       (struct sockaddr *)&from, &from_len);
	int done = 0;

	if (got < 0 && errno == EAGAIN)
		return diagsock_wait(fd, deadline_ms);
	if (got < 0 && errno != EINTR)
		return -errno;
	if (got > DIAGSOCK_DUMP_SIZE)
		return -EBADMSG;
	/* Only the kernel has port id 0. */
	if (got > 0 && from.nl_pid == 0)
		done = take_dump(buf, (size_t)got, seq, each, ctx, ret_changed);
	/* Other messages without end must not keep the caller for ever. */
	if (done == 0 && clock_ms(CLOCK_MONOTONIC) > deadline_ms)
		return -ETIMEDOUT;
	return done;
}
