/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/endpoint.h"

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int sock_listen(const union endpoint *at, int backlog, bool v6only)
{
	int rc, fd = socket(at->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0 && at->sa.sa_family == AF_INET6)
		rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
	if (rc == 0 && (bind(fd, &at->sa, endpoint_len(at)) < 0 || listen(fd, backlog) < 0))
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int sock_accept(int listener, int timeout_ms)
{
	struct pollfd pfd = {.fd = listener, .events = POLLIN};
	int fd, n = poll(&pfd, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sock_connect_start(const union endpoint *src, const union endpoint *dst)
{
	int rc = 0, fd = socket(dst->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (src) {
		/* Otherwise bind() would choose a port with no regard to the destination. */
		if (endpoint_port(src) == 0)
			rc = set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		if (rc == 0 && bind(fd, &src->sa, endpoint_len(src)) < 0)
			rc = -errno;
	}
	if (rc == 0 && connect(fd, &dst->sa, endpoint_len(dst)) < 0 && errno != EINPROGRESS)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int sock_connect_finish(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	int n = poll(&pfd, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -EINPROGRESS;
	return -sock_error(fd);
}

int sock_connect(const union endpoint *src, const union endpoint *dst, int timeout_ms)
{
	int rc, fd = sock_connect_start(src, dst);

	if (fd < 0)
		return fd;
	rc = sock_connect_finish(fd, timeout_ms);
	if (rc == 0 && fcntl(fd, F_SETFL, 0) < 0)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

void sock_reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

int sock_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ? -errno : info.tcpi_state;
}

int sock_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}
