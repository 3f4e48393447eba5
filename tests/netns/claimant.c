/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "claimant.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int claim(const union endpoint *src, const union endpoint *dst, int level, int option)
{
	const int on = 1;
	int fd = socket(dst->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, level, option, &on, sizeof(on)) == 0 &&
	    bind(fd, &src->sa, endpoint_len(src)) == 0 &&
	    (connect(fd, &dst->sa, endpoint_len(dst)) == 0 || errno == EINPROGRESS))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

int claimant_shared(const union endpoint *src, const union endpoint *dst)
{
	return claim(src, dst, SOL_SOCKET, SO_REUSEADDR);
}

int claimant_foreign(const union endpoint *src, const union endpoint *dst)
{
	if (dst->sa.sa_family == AF_INET6)
		return claim(src, dst, IPPROTO_IPV6, IPV6_TRANSPARENT);
	return claim(src, dst, IPPROTO_IP, IP_TRANSPARENT);
}
