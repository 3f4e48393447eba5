/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SO_KEEPALIVE ends a mine: the probe finds no peer, and the reset that answers it kills the socket. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/monotime.h"
#include "lib/sockets.h"
#include "scene.h"

static void set(int fd, int level, int name, int value)
{
	must(setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0, "set an option");
}

int main(void)
{
	struct pollfd pfd = {0};
	struct mine mine;
	int64_t start;
	int listener;

	fact_begin("keepalive");
	listener = scene_listen("127.0.0.1");
	mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	start = mono_ns();
	set(mine.fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(mine.fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	pfd.fd = mine.fd;
	must(poll(&pfd, 1, 5000) < 0 ? -errno : 0, "poll");
	fact_is("a mine with SO_KEEPALIVE after TCP_KEEPIDLE", "CLOSE", "%s",
		sockdiag_state_name(sock_state(mine.fd)));
	fact("  after ms, TCP_KEEPIDLE being 1 s", "%.0f", (double)(mono_ns() - start) / 1e6);
	fact("  SO_ERROR", "%s", errname(sock_error(mine.fd)));
	close(mine.fd);
	close(listener);
	return fact_end();
}
