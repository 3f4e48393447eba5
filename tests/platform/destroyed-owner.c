/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process sees whose CLOSE_WAIT socket is destroyed. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/sockets.h"
#include "scene.h"

static void destroy(int nl, const struct mine *mine)
{
	struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;
	int rc;

	must(sockdiag_get(nl, &req, &info), "look the mine up");
	memcpy(req.id.idiag_cookie, info.msg.id.idiag_cookie, sizeof(req.id.idiag_cookie));
	rc = sockdiag_destroy(nl, &req);
	if (rc == -EOPNOTSUPP)
		fact_skip("this kernel is built without CONFIG_INET_DIAG_DESTROY");
	must(rc, "destroy the mine");
}

static int poll_events(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	must(poll(&pfd, 1, 0) < 0 ? -errno : 0, "poll");
	return pfd.revents;
}

static int try_write(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void asks_first(int nl, int listener)
{
	struct mine mine = scene_mine_with_data(listener, "127.0.0.1", CLIENT_PORT, "hello");
	char data[16] = "";
	int events;

	fact_is("poll() before", "IN OUT RDHUP", "%s",
		poll_events(mine.fd) == (POLLIN | POLLOUT | POLLRDHUP) ? "IN OUT RDHUP"
								       : "something else");
	destroy(nl, &mine);
	events = poll_events(mine.fd);
	fact_is("poll() after", "IN OUT RDHUP ERR HUP", "%s%s%s%s%s", events & POLLIN ? "IN" : "",
		events & POLLOUT ? " OUT" : "", events & POLLRDHUP ? " RDHUP" : "",
		events & POLLERR ? " ERR" : "", events & POLLHUP ? " HUP" : "");
	fact_is("SO_ERROR", "ECONNABORTED", "%s", errname(sock_error(mine.fd)));
	fact_is("SO_ERROR again", "OK", "%s", errname(sock_error(mine.fd)));
	fact_is("unread bytes that can still be read", "5", "%zd",
		read(mine.fd, data, sizeof(data)));
	fact_is("read() behind them", "0", "%zd", read(mine.fd, data, sizeof(data)));
	fact_is("write()", "EPIPE", "%s", errname(try_write(mine.fd)));
	fact_is("the descriptor", "open", "%s", fcntl(mine.fd, F_GETFD) < 0 ? "closed" : "open");
	fact_is("its state", "CLOSE", "%s", sockdiag_state_name(sock_state(mine.fd)));
	close(mine.fd);
}

static void writes_first(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1);

	destroy(nl, &mine);
	fact_is("write() of an owner that did not ask for SO_ERROR", "ECONNABORTED", "%s",
		errname(try_write(mine.fd)));
	fact_is("its next write()", "EPIPE", "%s", errname(try_write(mine.fd)));
	close(mine.fd);
}

static void reads_first(int nl, int listener)
{
	struct mine mine = scene_mine_with_data(listener, "127.0.0.1", CLIENT_PORT + 2, "hello");
	char data[16];
	ssize_t len;

	destroy(nl, &mine);
	fact_is("bytes read by an owner that did not ask for SO_ERROR", "5", "%zd",
		read(mine.fd, data, sizeof(data)));
	len = read(mine.fd, data, sizeof(data));
	fact("its next read()", "%s",
	     len < 0	? errname(errno)
	     : len == 0 ? "0 (end of file)"
			: "more");
	close(mine.fd);
}

int main(void)
{
	int nl, listener;

	fact_begin("destroyed-owner");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	asks_first(nl, listener);
	writes_first(nl, listener);
	reads_first(nl, listener);
	return fact_end();
}
