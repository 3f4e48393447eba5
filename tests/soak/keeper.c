/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/keeper.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns/check.h"

#define BYTES_AT_A_TIME 200

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_one(int channel, int fd, const struct handed *handed)
{
	union control control = {.bytes = {0}};
	struct iovec iov = {(void *)(uintptr_t)handed, sizeof(*handed)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(channel, &msg, 0) == sizeof(*handed);
}

/* The descriptor, or -1 at the end. */
static int receive_one(int channel, struct handed *ret_handed)
{
	union control control;
	struct iovec iov = {ret_handed, sizeof(*ret_handed)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(channel, &msg, MSG_CMSG_CLOEXEC) != sizeof(*ret_handed))
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static int go_on(int fd, struct handed *handed)
{
	int rc = 0;

	if (handed->sends)
		rc = stream_send(&handed->out, fd, BYTES_AT_A_TIME);
	if (rc >= 0 && handed->reads)
		rc = stream_receive(&handed->in, fd);
	return rc < 0 ? rc : 0;
}

_Noreturn static void keep(int channel)
{
	struct handed handed;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = receive_one(channel, &handed)) >= 0) {
		handed.rc = go_on(fd, &handed);
		if (!send_one(channel, fd, &handed))
			break;
		close(fd);
	}
	_exit(0);
}

struct keeper keeper_start(void)
{
	struct keeper keeper;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	keeper.pid = fork();
	assert_true(keeper.pid >= 0);
	if (keeper.pid == 0) {
		close(ends[0]);
		keep(ends[1]);
	}
	close(ends[1]);
	keeper.fd = ends[0];
	return keeper;
}

void keeper_stop(struct keeper *keeper)
{
	close(keeper->fd);
	waitpid(keeper->pid, NULL, 0);
}

void keeper_hand_over(const struct keeper *keeper, int fd, const struct handed *handed)
{
	assert_true(send_one(keeper->fd, fd, handed));
	close(fd);
}

int keeper_take_back(const struct keeper *keeper, struct handed *ret_handed)
{
	int fd = receive_one(keeper->fd, ret_handed);

	assert_true(fd >= 0);
	return fd;
}
