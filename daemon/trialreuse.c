/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With a single port to draw, connect() either draws that one or fails with EADDRNOTAVAIL. The
 * client that has closed leaves it in FIN_WAIT_2, for tcp_fin_timeout: the server does not close.
 */
#include "config.h"

#include "trialreuse.h"
#include "clock.h"
#include "trialsock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TW_REUSE   "/proc/sys/net/ipv4/tcp_tw_reuse"
#define PORT_RANGE "/proc/sys/net/ipv4/ip_local_port_range"
/* The namespace is ours alone: any port will do, but the listener's. */
#define PORT 40000

/* For what loopback does by itself; an acknowledgement may be delayed. */
#define LOOPBACK_MS   1500
#define LOOK_AGAIN_MS 50

struct setting {
	char text[16];
};

static int read_setting(const char *path, struct setting *ret_setting)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, ret_setting->text, sizeof(ret_setting->text) - 1);
	close(fd);
	if (len <= 0)
		return -EIO;
	ret_setting->text[len] = '\0';
	return 0;
}

static int write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* A connection that the client has closed, and the server has not; the server's end stays open. */
static int half_close(int listener, const struct endpoint *server)
{
	int client_fd = trialsock_connect(NULL, server);
	int64_t deadline = clock_ms(CLOCK_MONOTONIC) + LOOPBACK_MS;
	struct endpoint client;
	int err;

	if (client_fd < 0)
		return client_fd;
	if ((err = trialsock_connected(client_fd, deadline)) == 0 &&
	    (err = trialsock_local(client_fd, &client)) == 0 &&
	    (err = trialsock_accept(listener, &client, deadline)) >= 0 &&
	    (err = trialsock_close_with_fin(client_fd)) == 0) {
		shutdown(client_fd, SHUT_WR);
		err = trialsock_wait_state(client_fd, TCPSTATE_FIN_WAIT_2, deadline);
	}
	close(client_fd);
	return err;
}

static void try_again(const struct endpoint *server, struct trialreuse *reuse)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000};
	int64_t start = clock_ms(CLOCK_MONOTONIC);
	int64_t now;
	int fd;

	do {
		fd = trialsock_connect(NULL, server);
		now = clock_ms(CLOCK_MONOTONIC);
		if (fd == -EADDRNOTAVAIL)
			nanosleep(&pause, NULL);
	} while (fd == -EADDRNOTAVAIL && now < start + TRIALREUSE_PATIENCE_MS);
	reuse->reused = fd >= 0;
	reuse->after_ms = (uint32_t)(now - start);
	if (fd >= 0)
		close(fd);
	else if (fd != -EADDRNOTAVAIL)
		reuse->error = fd;
}

static int body(void *arg, int out)
{
	const struct setting *tw_reuse = arg;
	struct trialreuse reuse = {.error = 0};
	struct endpoint server;
	char range[16];
	int listener;

	snprintf(range, sizeof(range), "%d %d", PORT, PORT);
	if ((reuse.error = trialsock_raise_loopback()) == 0 &&
	    (reuse.error = listener = trialsock_listen(false, &server)) >= 0 &&
	    (reuse.error = write_setting(TW_REUSE, tw_reuse->text)) == 0 &&
	    (reuse.error = write_setting(PORT_RANGE, range)) == 0 &&
	    (reuse.error = half_close(listener, &server)) == 0)
		try_again(&server, &reuse);
	return write(out, &reuse, sizeof(reuse)) == (ssize_t)sizeof(reuse) ? 0 : 1;
}

int trialreuse_start(struct child *ret_child)
{
	struct setting tw_reuse;
	int err = read_setting(TW_REUSE, &tw_reuse);

	if (err == 0)
		err = child_start(body, &tw_reuse, CLONE_NEWNET, ret_child);
	if (err == -EPERM)
		err = child_start(body, &tw_reuse, CLONE_NEWUSER | CLONE_NEWNET, ret_child);
	return err;
}

int trialreuse_finish(struct child *child, int64_t deadline_ms, struct trialreuse *ret_reuse)
{
	struct trialreuse reuse;
	size_t len;
	int status = child_finish(child, deadline_ms, &reuse, sizeof(reuse), &len);

	if (status < 0)
		return status;
	if (status > 0 || len != sizeof(reuse))
		return -EIO;
	*ret_reuse = reuse;
	return 0;
}
