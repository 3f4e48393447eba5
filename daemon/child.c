/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone() with a function, and without CLONE_VM, is a fork() that ends when the function returns,
 * and makes the namespaces on the way.
 */
#include "config.h"

#include "child.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* For what is small and calls the C library; each child has a copy of its own. */
#define STACK_SIZE (256 * 1024)

struct start {
	child_body *body;
	void *arg;
	pid_t parent;
	int out;
};

static int run(void *arg)
{
	const struct start *start = arg;

	/* The parent may have ended before the signal was asked for. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != start->parent)
		return 1;
	return start->body(start->arg, start->out);
}

int child_start(child_body *body, void *arg, int namespaces, struct child *ret_child)
{
	static _Alignas(16) char stack[STACK_SIZE];
	struct start start = {.body = body, .arg = arg, .parent = getpid()};
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	start.out = ends[1];
	pid = clone(run, stack + sizeof(stack), namespaces | SIGCHLD, &start);
	if (pid < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	close(ends[1]);
	*ret_child = (struct child){.pid = pid, .out = ends[0]};
	return 0;
}

/* Whether there is something to read, or the end, before the deadline. */
static bool wait_readable(int fd, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int64_t left;

	while ((left = deadline - clock_ms(CLOCK_MONOTONIC)) > 0) {
		if (poll(&pfd, 1, (int)left) > 0)
			return true;
	}
	return false;
}

int child_finish(struct child *child, int64_t deadline_ms, void *buf, size_t size, size_t *ret_len)
{
	bool late = false;
	char surplus[512];
	size_t len = 0;
	int status;

	for (;;) {
		ssize_t got;

		late = !wait_readable(child->out, deadline_ms);
		if (late)
			break;
		/* What there is no room for is taken too, so that the child can go on. */
		got = len < size ? read(child->out, (char *)buf + len, size - len)
				 : read(child->out, surplus, sizeof(surplus));
		if (got <= 0)
			break;
		if (len < size)
			len += (size_t)got;
	}
	*ret_len = len;
	close(child->out);
	if (late)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (late)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
