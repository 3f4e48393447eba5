/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "failopen.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * Time is counted in looks: after a SIGSTOP, or where no processor was to be had for the process,
 * the workers have not had the time either that went by.
 */
#define LOOK_MS 100
#define LOOKS	(FAILOPEN_MS_MIN / LOOK_MS)

struct watched {
	pthread_mutex_t lock;
	struct queue *_Atomic queue; /* NULL: not bound yet */
	uint32_t max_held;
	bool judging;	   /* a batch has no verdicts yet */
	uint64_t received; /* packets, that batch's included */
	uint64_t emptied;  /* how often a batch was all that had come till then */
	bool open;	   /* was let go, and the worker is not back */
	uint64_t times;	   /* that it was let go */

	/* The thread's own: as it was when the time of those that wait began. */
	uint64_t received_then, emptied_then;
	unsigned int looks; /* since then */

	/* The main thread's: what it has told. */
	bool told_open;
	uint64_t told_times;
};

struct failopen {
	pthread_t thread;
	int wake_fd; /* to the main thread, which owns it */
	int call_fd; /* to this thread */
	atomic_bool awake;
	atomic_bool stop;
	size_t n;
	struct watched queues[];
};

static struct failopen *_Atomic to_be_let_go;

/* Can only fail when the counter is full, and then the other side is awake already. */
static void wake(int fd)
{
	eventfd_write(fd, 1);
}

/*
 * Whether of all that was held when the time began nothing can be left but what is judged now: it
 * is a queue, and no more than max_held fit into it.
 */
static bool came_on(const struct watched *w)
{
	return !w->judging || w->emptied != w->emptied_then ||
	       w->received - w->received_then >= w->max_held;
}

/* Lets go what has waited at every look of the last FAILOPEN_MS_MIN; whether one judges now. */
static bool look(struct failopen *f, struct watched *w)
{
	bool judging;

	pthread_mutex_lock(&w->lock);
	judging = w->judging;
	if (came_on(w)) {
		w->looks = 0;
		w->received_then = w->received;
		w->emptied_then = w->emptied;
	} else if (w->looks < LOOKS) {
		w->looks++;
	}
	/* Refused for want of memory, it is tried again at the next look. */
	if (w->looks == LOOKS && !w->open && queue_let_go(atomic_load(&w->queue)) == 0) {
		w->open = true;
		w->times++;
		wake(f->wake_fd);
	}
	pthread_mutex_unlock(&w->lock);
	return judging;
}

static bool look_at_all(struct failopen *f)
{
	bool judging = false;

	for (size_t i = 0; i < f->n; i++)
		judging |= look(f, &f->queues[i]);
	return judging;
}

/*
 * The service manager gives the daemon up (WatchdogSignal= of systemd), or the C library does. If
 * the kernel keeps a thread, be it the main one, the process cannot end, and its queues stay bound
 * with nobody there: what they hold has to go before. Only what a signal handler may do.
 */
static void let_all_go(int signal)
{
	struct failopen *f = atomic_load(&to_be_let_go);

	(void)signal;
	for (size_t i = 0; f && i < f->n; i++) {
		const struct queue *queue = atomic_load(&f->queues[i].queue);

		if (queue)
			queue_let_go(queue);
	}
	/* By the default action now (SA_RESETHAND), or, as init of a container, without it. */
	abort();
}

static void mask_abort(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	pthread_sigmask(how, &set, NULL);
}

static void handle_abort(void (*handler)(int signal))
{
	const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESETHAND};

	sigaction(SIGABRT, &action, NULL);
}

/* Until somebody calls, for timeout_ms at most; -1: without end. */
static void wait_for_call(struct failopen *f, int timeout_ms)
{
	struct pollfd pfd = {.fd = f->call_fd, .events = POLLIN};

	poll(&pfd, 1, timeout_ms);
}

/*
 * Asleep while nobody judges. A worker that begins calls if nobody is awake; one that had begun
 * before that was put down is seen by the look that comes after it.
 */
static void *run(void *ctx)
{
	struct failopen *f = ctx;
	bool judging = false;
	eventfd_t calls;

	/* All others have it blocked: one that the kernel keeps would never come to it. */
	mask_abort(SIG_UNBLOCK);
	while (!atomic_load(&f->stop)) {
		if (!judging)
			wait_for_call(f, -1);
		eventfd_read(f->call_fd, &calls);
		if (atomic_load(&f->stop))
			break;
		wait_for_call(f, LOOK_MS); /* to stop, or by one who began just before */
		atomic_store(&f->awake, false);
		judging = look_at_all(f);
		if (judging)
			atomic_store(&f->awake, true);
	}
	return NULL;
}

static void end_abort(void)
{
	handle_abort(SIG_DFL);
	mask_abort(SIG_UNBLOCK);
	atomic_store(&to_be_let_go, NULL);
}

int failopen_start(size_t n, int wake_fd, struct failopen **ret_failopen)
{
	struct failopen *f = calloc(1, sizeof(*f) + n * sizeof(f->queues[0]));
	int err;

	if (!f)
		return -ENOMEM;
	f->n = n;
	f->wake_fd = wake_fd;
	for (size_t i = 0; i < n; i++)
		pthread_mutex_init(&f->queues[i].lock, NULL);
	atomic_store(&to_be_let_go, f);
	handle_abort(let_all_go);
	mask_abort(SIG_BLOCK);
	f->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = f->call_fd < 0 ? -errno : -pthread_create(&f->thread, NULL, run, f);
	if (err < 0) {
		end_abort();
		if (f->call_fd >= 0)
			close(f->call_fd);
		free(f);
		return err;
	}
	pthread_setname_np(f->thread, "failopen"); /* for people who look at the threads */
	*ret_failopen = f;
	return 0;
}

void failopen_stop(struct failopen *f)
{
	if (!f)
		return;
	atomic_store(&f->stop, true);
	wake(f->call_fd);
	pthread_join(f->thread, NULL);
	end_abort();
	for (size_t i = 0; i < f->n; i++)
		pthread_mutex_destroy(&f->queues[i].lock);
	close(f->call_fd);
	free(f);
}

static void tell(struct watched *w, unsigned int number)
{
	bool open, once_more;

	pthread_mutex_lock(&w->lock);
	open = w->open;
	once_more = w->times != w->told_times;
	w->told_times = w->times;
	pthread_mutex_unlock(&w->lock);
	if (once_more)
		log_errx(
			"queue %u: the kernel has not come back from a look-up or a destroy for %d "
			"ms, mostly as a process keeps a socket locked: what was held is let go, "
			"and SYNs pass unjudged until it does",
			number, FAILOPEN_MS_MIN);
	/* Also where it was so short that it was never told to be open. */
	if (!open && (once_more || w->told_open))
		log_info("queue %u: SYNs are judged again", number);
	w->told_open = open;
}

void failopen_tell(struct failopen *f, uint16_t first_queue)
{
	for (size_t i = 0; i < f->n; i++)
		tell(&f->queues[i], first_queue + (unsigned int)i);
}

void failopen_watch(struct failopen *f, size_t index, struct queue *queue, uint32_t max_held)
{
	f->queues[index].max_held = max_held;
	atomic_store(&f->queues[index].queue, queue);
}

void failopen_begin(struct failopen *f, size_t index, size_t n)
{
	struct watched *w = &f->queues[index];

	pthread_mutex_lock(&w->lock);
	w->received += n;
	if (n < QUEUE_BATCH_MAX)
		w->emptied++;
	w->judging = true;
	pthread_mutex_unlock(&w->lock);
	if (!atomic_load(&f->awake) && !atomic_exchange(&f->awake, true))
		wake(f->call_fd);
}

bool failopen_end(struct failopen *f, size_t index)
{
	struct watched *w = &f->queues[index];
	bool open;

	pthread_mutex_lock(&w->lock);
	w->judging = false;
	open = w->open;
	pthread_mutex_unlock(&w->lock);
	return !open;
}

void failopen_back(struct failopen *f, size_t index)
{
	struct watched *w = &f->queues[index];

	pthread_mutex_lock(&w->lock);
	w->open = false;
	pthread_mutex_unlock(&w->lock);
	wake(f->wake_fd);
}

bool failopen_is_open(struct failopen *f, size_t index)
{
	struct watched *w = &f->queues[index];
	bool open;

	pthread_mutex_lock(&w->lock);
	open = w->open;
	pthread_mutex_unlock(&w->lock);
	return open;
}
