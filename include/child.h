/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: a function that runs in a process of its own, in other namespaces if need be, and writes
 * its answer to a pipe. It ends with its parent, and at a deadline.
 */
#ifndef CW_CHILD_H
#define CW_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int out; /* the end of the pipe that is read */
};

/* out is the pipe, out of which the parent reads the answer; its result is the exit status. */
typedef int child_body(void *arg, int out);

/*
 * namespaces: CLONE_NEW* flags, 0 for none. The body has a copy of everything the caller has. It
 * must not use stdio, whose buffers it would write a second time, nor start a child itself. -errno
 * of pipe2() or clone(); -EPERM for namespaces that need CAP_SYS_ADMIN.
 */
int child_start(child_body *body, void *arg, int namespaces, struct child *ret_child);
/*
 * Reads what it writes, at most size bytes, until it closes the pipe, and waits for its end.
 * *ret_len is set in every case. Its exit status; -ETIMEDOUT: it was killed at the deadline (of
 * CLOCK_MONOTONIC), -EINTR: by somebody else. To be called once for each child.
 */
int child_finish(struct child *child, int64_t deadline_ms, void *buf, size_t size, size_t *ret_len);

#endif
