/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int netns_link_up(const char *ifname)
{
	struct ifreq ifr = {0};
	int fd, rc = 0;

	if (strlen(ifname) >= sizeof(ifr.ifr_name))
		return -EINVAL;
	strcpy(ifr.ifr_name, ifname);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0) {
		rc = -errno;
		goto out;
	}
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		rc = -errno;
out:
	close(fd);
	return rc;
}

int netns_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	return netns_link_up("lo");
}

static int sysctl_open(const char *name, int flags)
{
	char path[256];
	int fd;

	if (snprintf(path, sizeof(path), "/proc/sys/net/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int netns_sysctl_set(const char *name, const char *value)
{
	int rc = 0, fd = sysctl_open(name, O_WRONLY);

	if (fd < 0)
		return fd;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int netns_sysctl_get(const char *name, char *ret_value, size_t size)
{
	int fd = sysctl_open(name, O_RDONLY);
	ssize_t len;
	int err;

	if (fd < 0)
		return fd;
	len = read(fd, ret_value, size - 1);
	err = errno;
	close(fd);
	if (len < 0)
		return -err;
	ret_value[len] = '\0';
	ret_value[strcspn(ret_value, "\n")] = '\0';
	return 0;
}
