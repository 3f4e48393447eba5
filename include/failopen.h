/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failopen: held SYNs do not wait for a worker that does not come back.
 *
 * The kernel carries out a look-up or a destroy within sendto(), and waits there for the lock of
 * the socket (tcp_get_info(), tcp_abort()). A process keeps that for as long as a system call of
 * its own takes, and it can make one last for ever: sending from memory that does not come, for
 * one, of a file system that hangs. No deadline reaches into that wait and no signal ends it. So a
 * thread that never asks for sockets looks at the workers while they judge. Where one does not come
 * on, it lets all that is held go, and new SYNs pass, until the worker is back.
 *
 * The same thread takes SIGABRT, by which a service manager ends a daemon that hangs: all queues
 * are let go first.
 */
#ifndef CW_FAILOPEN_H
#define CW_FAILOPEN_H

#include "queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Milliseconds that a SYN may wait for its worker to receive it, and as many for its verdict: a
 * client sends its SYN again after 1 s.
 */
#define FAILOPEN_MS_MIN 800
#define FAILOPEN_MS_MAX 900

struct failopen;

/*
 * Starts the thread, for n queues. wake_fd is an eventfd that is written when there is something to
 * tell. -errno: nothing was started.
 */
int failopen_start(size_t n, int wake_fd, struct failopen **ret_failopen);
/* Ends the thread. No queue may be judged any more, and none may be closed yet. NULL: nothing. */
void failopen_stop(struct failopen *f);
/*
 * For the main thread: logs which queues were let go, and which are judged again, since the last
 * time. first_queue: the number of the one with index 0.
 */
void failopen_tell(struct failopen *f, uint16_t first_queue);

/* --- for the worker of the queue with this index ---------------------------------------------- */

/*
 * The queue is bound, with this queue.max_held; before its first batch. NULL: it is about to be
 * closed, and nothing is judged any more.
 */
void failopen_watch(struct failopen *f, size_t index, struct queue *queue, uint32_t max_held);
/* The worker begins to judge n packets; fewer than QUEUE_BATCH_MAX are all that there were. */
void failopen_begin(struct failopen *f, size_t index, size_t n);
/*
 * The worker would give the batch its verdicts now. False: it was let go with all that was held,
 * and the queue passes what comes, until queue_resume() and failopen_back().
 */
bool failopen_end(struct failopen *f, size_t index);
void failopen_back(struct failopen *f, size_t index);
/* Whether the queue was let go and its worker is not back yet. */
bool failopen_is_open(struct failopen *f, size_t index);

#endif
