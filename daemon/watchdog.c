/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "watchdog.h"
#include "log.h"
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct watchdog_queue {
	struct watchdog_view view; /* of the last look */
	bool stuck;
};

struct watchdog {
	int timer_fd;
	uint64_t interval_us;
	size_t n;
	struct watchdog_queue queues[];
};

bool watchdog_is_stuck(const struct watchdog_view *before, const struct watchdog_view *now)
{
	return before->held && now->held && now->judged == before->judged;
}

static int start_timer(uint64_t interval_us)
{
	const struct timespec interval = {
		.tv_sec = (time_t)(interval_us / 1000000),
		.tv_nsec = (long)(interval_us % 1000000 * 1000),
	};
	const struct itimerspec when = {.it_interval = interval, .it_value = interval};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &when, NULL) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int watchdog_open(size_t n, struct watchdog **ret_watchdog)
{
	/* Half of it, as sd_watchdog_enabled(3) advises: one keep-alive may come late. */
	uint64_t interval_us = notify_watchdog_us() / 2;
	struct watchdog *watchdog;

	if (interval_us == 0) {
		*ret_watchdog = NULL;
		return 0;
	}
	watchdog = calloc(1, sizeof(*watchdog) + n * sizeof(watchdog->queues[0]));
	if (!watchdog)
		return -ENOMEM;
	watchdog->n = n;
	watchdog->interval_us = interval_us;
	watchdog->timer_fd = start_timer(interval_us);
	if (watchdog->timer_fd < 0) {
		int err = watchdog->timer_fd;

		free(watchdog);
		return err;
	}
	*ret_watchdog = watchdog;
	return 0;
}

int watchdog_fd(const struct watchdog *watchdog)
{
	return watchdog ? watchdog->timer_fd : -1;
}

/* Says what has changed, once. */
static void tell(const struct watchdog *watchdog, struct watchdog_queue *queue, bool stuck,
		 unsigned int number)
{
	if (stuck && !queue->stuck)
		log_errx("queue %u: held SYNs and not one verdict for %" PRIu64
			 " ms: no keep-alive for the service manager until there is one",
			 number, watchdog->interval_us / 1000);
	if (!stuck && queue->stuck)
		log_info("queue %u: held SYNs get verdicts again", number);
	queue->stuck = stuck;
}

/*
 * Whether a thread of ours waits where no signal ends that, the end of the process neither. proc(5):
 * "pid (comm) state ...", and comm may be anything.
 */
static bool is_kept(pid_t tid)
{
	char path[64], line[256] = "", *end;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	stat = fopen(path, "re");
	if (!stat)
		return false;
	if (!fgets(line, sizeof(line), stat))
		line[0] = '\0';
	fclose(stat);
	end = strrchr(line, ')');
	return end && strncmp(end, ") D ", 4) == 0;
}

void watchdog_look(struct watchdog *watchdog, struct worker *const *workers, uint16_t first_queue)
{
	bool stuck = false;
	uint64_t times;

	/* How many times it was due does not matter. */
	if (read(watchdog->timer_fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		log_err("watchdog: timer");
	for (size_t i = 0; i < watchdog->n; i++) {
		struct watchdog_queue *queue = &watchdog->queues[i];
		uint16_t number = (uint16_t)(first_queue + i);
		/* In this order: what is judged in between is progress. */
		struct watchdog_view now = {
			.held = worker_has_held(workers[i]),
			.judged = worker_judged(workers[i]),
		};
		bool queue_stuck;

		/* Then its SYNs wait no longer; and a new process would not have the queue. */
		if (worker_is_away(workers[i]) && is_kept(worker_tid(workers[i])))
			now.held = false;
		queue_stuck = watchdog_is_stuck(&queue->view, &now);
		queue->view = now;
		tell(watchdog, queue, queue_stuck, number);
		stuck |= queue_stuck;
	}
	if (!stuck)
		notify_watchdog();
}

void watchdog_close(struct watchdog *watchdog)
{
	if (!watchdog)
		return;
	close(watchdog->timer_fd);
	free(watchdog);
}
