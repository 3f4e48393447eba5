/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "holders.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fdlimit.h"

/* Standard streams, listener, pipes, sock_diag, and what a library may open. */
#define SPARE_DESCRIPTORS 64

/* Enough for 4,000,000 mines with 1000 descriptors each. */
#define MAX_HELPERS 4000

static pid_t helpers[MAX_HELPERS];
static size_t helper_count;

void *holders_alloc(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* The helper: plants its part, reports through the pipe, and holds until its parent is gone. */
static _Noreturn void hold(const struct field_plan *plan, size_t from, size_t to, int listener,
			   int report_fd, pid_t parent, union endpoint *clients,
			   struct field_result *result)
{
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before prctl() */
		_exit(EXIT_FAILURE);
	rc = field_plant(plan, from, to, listener, clients, result);
	close(listener);
	if (write(report_fd, &rc, sizeof(rc)) != sizeof(rc))
		_exit(EXIT_FAILURE);
	for (;;)
		pause();
}

/* The helper's report, unless a signal comes first. */
static int await_report(int report_fd, int signal_fd)
{
	struct pollfd pfds[] = {
		{.fd = signal_fd, .events = POLLIN},
		{.fd = report_fd, .events = POLLIN},
	};
	int rc;

	if (poll(pfds, 2, -1) < 0)
		return -errno;
	if (pfds[0].revents)
		return -EINTR;
	if (read(report_fd, &rc, sizeof(rc)) != sizeof(rc))
		return -ECHILD; /* it died without a word */
	return rc;
}

static int plant_part(const struct field_plan *plan, size_t from, size_t to, int listener,
		      int signal_fd, union endpoint *clients, struct field_result *result)
{
	pid_t pid, self = getpid();
	int report[2], rc;

	if (helper_count == MAX_HELPERS)
		return -EMFILE;
	if (pipe(report) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		close(report[0]);
		close(report[1]);
		return rc;
	}
	if (pid == 0) {
		close(report[0]);
		hold(plan, from, to, listener, report[1], self, clients, result);
	}
	helpers[helper_count++] = pid;
	close(report[1]);
	rc = await_report(report[0], signal_fd);
	close(report[0]);
	return rc;
}

static void merge(struct field_result *total, const struct field_result *part)
{
	total->planted += part->planted;
	for (size_t i = 0; i < FIELD_REASONS && part->failed[i].what; i++)
		field_note_failure(total, part->failed[i].what, part->failed[i].err,
				   part->failed[i].count);
}

int holders_plant(const struct field_plan *plan, int listener, int signal_fd,
		  union endpoint *clients, struct field_result *result)
{
	size_t need = field_batch(true) + SPARE_DESCRIPTORS, limit = (size_t)fdlimit_raise();
	struct field_result *part = holders_alloc(sizeof(*part));
	size_t step;
	int rc = 0;

	if (!part)
		return -ENOMEM;
	if (limit <= need)
		return -EMFILE;
	step = limit - need;
	for (size_t at = 0; at < plan->count && rc == 0; at += step) {
		size_t to = plan->count - at < step ? plan->count : at + step;

		rc = plant_part(plan, at, to, listener, signal_fd, clients, part);
		merge(result, part);
	}
	munmap(part, sizeof(*part));
	return rc;
}

void holders_end(void)
{
	for (size_t i = 0; i < helper_count; i++)
		kill(helpers[i], SIGKILL);
	for (size_t i = 0; i < helper_count; i++)
		waitpid(helpers[i], NULL, 0);
	helper_count = 0;
}
