/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "trialsock.h"
#include "clock.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* More than one trial has at a time; strangers that come along may fill it, and are closed. */
#define BACKLOG 32
/* TCP_INFO cannot be waited for. */
#define LOOK_AGAIN_MS 2

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t to_address(const struct endpoint *ep, union address *ret_address)
{
	if (addr_is_v4(&ep->addr)) {
		ret_address->v4 = (struct sockaddr_in){.sin_family = AF_INET,
						       .sin_port = ep->port,
						       .sin_addr.s_addr = addr_to_v4(&ep->addr)};
		return sizeof(ret_address->v4);
	}
	ret_address->v6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = ep->port, .sin6_addr = ep->addr};
	return sizeof(ret_address->v6);
}

static struct endpoint from_address(const union address *address)
{
	if (address->sa.sa_family == AF_INET)
		return (struct endpoint){addr_from_v4(address->v4.sin_addr.s_addr),
					 address->v4.sin_port};
	return (struct endpoint){address->v6.sin6_addr, address->v6.sin6_port};
}

/* A reset at close(): the peer, and the port, are free at once. */
static int end_with_reset(int fd, bool reset)
{
	const struct linger linger = {.l_onoff = reset};

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0 ? -errno : 0;
}

/* With SO_REUSEADDR, so that the port of a connection that was can be bound again. */
static int new_socket(const struct endpoint *at)
{
	int family = addr_is_v4(&at->addr) ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int trialsock_local(int fd, struct endpoint *ret_local)
{
	union address address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.sa, &len) < 0)
		return -errno;
	*ret_local = from_address(&address);
	return 0;
}

int trialsock_listen(bool v6, struct endpoint *ret_at)
{
	const struct endpoint at = {
		.addr = v6 ? in6addr_loopback : addr_from_v4(htonl(INADDR_LOOPBACK)), .port = 0};
	union address address;
	socklen_t len = to_address(&at, &address);
	int fd = new_socket(&at);
	int err;

	if (fd < 0)
		return fd;
	if (bind(fd, &address.sa, len) < 0 || listen(fd, BACKLOG) < 0)
		err = -errno;
	else
		err = trialsock_local(fd, ret_at);
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

int trialsock_connect(const struct endpoint *from, const struct endpoint *to)
{
	union address address;
	int fd = new_socket(to);
	socklen_t len;
	int err;

	if (fd < 0)
		return fd;
	err = end_with_reset(fd, true);
	if (err == 0 && from) {
		len = to_address(from, &address);
		err = bind(fd, &address.sa, len) < 0 ? -errno : 0;
	}
	if (err == 0) {
		len = to_address(to, &address);
		/* A refusal is an answer too: SO_ERROR keeps it for trialsock_connected(). */
		if (connect(fd, &address.sa, len) < 0 && errno != EINPROGRESS)
			err = -errno;
	}
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* 0 once one of the events, an error or a hang-up is there; -ETIMEDOUT. */
static int wait_event(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int64_t left = deadline - clock_ms(CLOCK_MONOTONIC);

	do {
		if (poll(&pfd, 1, left > 0 ? (int)left : 0) > 0)
			return 0;
		left = deadline - clock_ms(CLOCK_MONOTONIC);
	} while (left > 0);
	return -ETIMEDOUT;
}

int trialsock_error(int fd)
{
	socklen_t len = sizeof(int);
	int error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

int trialsock_connected(int fd, int64_t deadline_ms)
{
	if (wait_event(fd, POLLOUT, deadline_ms) < 0)
		return -EINPROGRESS;
	return trialsock_error(fd);
}

int trialsock_accept(int listener, const struct endpoint *client, int64_t deadline_ms)
{
	while (wait_event(listener, POLLIN, deadline_ms) == 0) {
		union address address;
		socklen_t len = sizeof(address);
		int fd = accept4(listener, &address.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct endpoint peer;
		int err;

		if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			return -errno;
		if (fd < 0)
			continue;
		peer = from_address(&address);
		err = end_with_reset(fd, true);
		if (err == 0 && endpoint_equal(&peer, client))
			return fd;
		close(fd);
	}
	return -ETIMEDOUT;
}

int trialsock_close_with_fin(int fd)
{
	return end_with_reset(fd, false);
}

int trialsock_leave_quietly(int fd)
{
	const int seconds = 1; /* 0 would mean tcp_fin_timeout, less than 0 a reset */

	if (setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)) < 0)
		return -errno;
	return trialsock_close_with_fin(fd);
}

static bool has_state(int fd, enum tcpstate state)
{
	struct tcp_info info = {.tcpi_state = 0};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == state;
}

int trialsock_wait_state(int fd, enum tcpstate state, int64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000};

	while (!has_state(fd, state)) {
		if (clock_ms(CLOCK_MONOTONIC) > deadline_ms)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int trialsock_wait_reset(int fd, int64_t deadline_ms)
{
	/* No events asked for: an error or a hang-up is always told. */
	return wait_event(fd, 0, deadline_ms);
}

int trialsock_raise_loopback(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0) {
		err = -errno;
	} else {
		ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
		if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
			err = -errno;
	}
	close(fd);
	return err;
}
