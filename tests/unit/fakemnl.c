/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "fakemnl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
/* Wants the headers above it. */
#include <cmocka.h>

#define FD	1000
#define PORT_ID 77

struct fakemnl fakemnl;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid);
int __wrap_mnl_socket_close(struct mnl_socket *nl);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl);
unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *nl);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t len);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

/* Never looked into. */
static char the_socket;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	assert_int_equal(bus, fakemnl.bus);
	assert_int_equal(flags, SOCK_CLOEXEC);
	if (fakemnl.no_socket) {
		errno = EMFILE;
		return NULL;
	}
	fakemnl.opened++;
	return (struct mnl_socket *)&the_socket;
}

int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl;
	(void)pid;
	assert_int_equal(groups, 0);
	errno = EADDRINUSE;
	return fakemnl.no_bind ? -1 : 0;
}

int __wrap_mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	fakemnl.closed++;
	return 0;
}

int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return FD;
}

unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *nl)
{
	(void)nl;
	return PORT_ID;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)value;
	assert_int_equal(fd, FD);
	/* A SYN is held meanwhile: no wait without an end. */
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_RCVTIMEO);
	assert_int_equal(len, sizeof(struct timeval));
	errno = ENOMEM;
	return fakemnl.no_deadline ? -1 : 0;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t len)
{
	(void)nl;
	if (fakemnl.send_error) {
		errno = fakemnl.send_error;
		return -1;
	}
	assert_true(len <= sizeof(fakemnl.requests[0]));
	if (fakemnl.n_requests == FAKEMNL_REQUESTS) {
		memmove(&fakemnl.requests[0], &fakemnl.requests[1],
			(FAKEMNL_REQUESTS - 1) * sizeof(fakemnl.requests[0]));
		fakemnl.n_requests--;
	}
	memcpy(fakemnl.requests[fakemnl.n_requests++].bytes, req, len);
	return (ssize_t)len;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	struct nlmsghdr *nlh = buf;

	(void)nl;
	if (fakemnl.n_read == fakemnl.n_answers) {
		errno = EAGAIN; /* SO_RCVTIMEO has passed */
		return -1;
	}
	assert_true(size >= sizeof(fakemnl.answers[0]));
	memcpy(buf, fakemnl.answers[fakemnl.n_read++].bytes, sizeof(fakemnl.answers[0]));
	nlh->nlmsg_pid = PORT_ID;
	nlh->nlmsg_seq += fakemnl_request(fakemnl.n_requests - 1)->nlmsg_seq;
	return (ssize_t)nlh->nlmsg_len;
}

void fakemnl_reset(int bus)
{
	fakemnl = (struct fakemnl){.bus = bus};
}

struct nlmsghdr *fakemnl_answer(uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *nlh;

	assert_true(fakemnl.n_answers < FAKEMNL_ANSWERS);
	nlh = mnl_nlmsg_put_header(fakemnl.answers[fakemnl.n_answers++].bytes);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	return nlh;
}

void fakemnl_answer_error(int error)
{
	struct nlmsghdr *nlh = fakemnl_answer(NLMSG_ERROR, 0, 0);
	struct nlmsgerr *err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));

	err->error = error;
	err->msg.nlmsg_len = NLMSG_HDRLEN;
}

void fakemnl_forget(void)
{
	fakemnl.n_answers = fakemnl.n_read = fakemnl.n_requests = 0;
	fakemnl.send_error = 0;
}

const struct nlmsghdr *fakemnl_request(size_t i)
{
	assert_true(i < fakemnl.n_requests);
	return (const void *)fakemnl.requests[i].bytes;
}
