/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket that its process keeps locked, as a system call does whose memory does not come: a thread
 * sends from a page that nobody fills (userfaultfd(2)). What else wants the lock waits in the kernel,
 * where no signal ends it.
 */
#ifndef TEST_SOCKLOCK_H
#define TEST_SOCKLOCK_H

#include <pthread.h>

struct socklock {
	pthread_t thread;
	int socket;
	int faults; /* the userfaultfd */
	void *page;
};

/*
 * Locks a TCP socket that may send. 0 once it is locked, or a negative errno: -EPERM without
 * CAP_SYS_PTRACE, -ENOSYS if this kernel has no CONFIG_USERFAULTFD.
 */
int socklock_take(int socket, struct socklock *ret_lock);
/* Lets it go; the byte it was to send is 0. */
void socklock_release(struct socklock *lock);

#endif
