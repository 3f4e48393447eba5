/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As in worker.c, word from the main thread comes through a pointer (a configuration) or a flag
 * (stop), looked at between two steps, and an eventfd that ends the sleep between them.
 */
#include "config.h"

#include "sweeper.h"
#include "cgroup.h"
#include "clock.h"
#include "diag.h"
#include "hostaddr.h"
#include "ring.h"
#include "sockdump.h"
#include "sweep.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Incidents that the main thread has not taken yet: some batches, which come at a set pace. */
#define RING_CAPACITY 256
/* Sweeps that the main thread has not heard of: they take a second, or find nothing. */
#define ENDS_CAPACITY 8
/* A worker that wants the processor gets nine times as much of it (sched_prio_to_weight[]). */
#define NICE 10

/* One configuration on its way to the thread. */
struct handover {
	struct sweep_settings settings;
	uint64_t generation;
};

struct sweeper {
	pthread_t thread;
	sem_t ready;
	int wake_fd; /* to the main thread, which owns it */
	int call_fd; /* from the main thread */
	atomic_bool stop;
	_Atomic(struct handover *) handover; /* the thread frees it */
	_Atomic uint64_t generation;

	struct diag *diag;
	struct hostaddr *host;
	struct cgroup_map *cgroups;
	struct sockdump *dump; /* the walk in hand, NULL if none */
	struct sweep *sweep;
	struct ring *incidents, *ends;
	bool told; /* something was pushed in this step */
	struct sweepstats stats;
};

/* --- sweep's ops ------------------------------------------------------------------------------*/

static int op_walk_begin(void *ctx, tcpstate_set states)
{
	struct sweeper *s = ctx;

	return sockdump_open(states, false, &s->dump);
}

static int op_walk_step(void *ctx, sockdump_each_fn *each, void *each_ctx)
{
	struct sweeper *s = ctx;
	int done = sockdump_step(s->dump, each, each_ctx);

	/* A socket that the walk has missed would look like one that is not there. */
	return done == 1 && sockdump_changed(s->dump) ? -EINTR : done;
}

static void op_walk_end(void *ctx)
{
	struct sweeper *s = ctx;

	sockdump_close(s->dump);
	s->dump = NULL;
}

static void op_lookup(void *ctx, const struct diag_request *requests, size_t n,
		      struct diag_answer *ret_answers)
{
	struct sweeper *s = ctx;

	diag_lookup(s->diag, requests, n, ret_answers);
}

static void op_destroy(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors)
{
	struct sweeper *s = ctx;

	diag_destroy(s->diag, requests, n, ret_errors);
}

static bool op_is_local(void *ctx, const struct in6_addr *addr)
{
	struct sweeper *s = ctx;

	return hostaddr_is_local(s->host, addr);
}

static uint32_t op_lo(void *ctx)
{
	struct sweeper *s = ctx;

	return hostaddr_lo(s->host);
}

static uint64_t op_fin_timeout_ms(void *ctx)
{
	(void)ctx;
	return hostaddr_fin_timeout_ms();
}

static uint64_t op_remembered_ms(void *ctx)
{
	(void)ctx;
	return hostaddr_remembered_ms();
}

static const char *op_unit(void *ctx, uint64_t cgroup_id)
{
	struct sweeper *s = ctx;

	return cgroup_unit(s->cgroups, cgroup_id);
}

static void op_report(void *ctx, const struct incident *incident)
{
	struct sweeper *s = ctx;

	if (ring_push(s->incidents, incident))
		s->told = true;
	else
		stats_add(&s->stats.count[SWEEP_STAT_EVENTS_LOST], 1);
}

static void op_report_end(void *ctx, const struct sweep_end *end)
{
	struct sweeper *s = ctx;

	s->told |= ring_push(s->ends, end);
}

static uint64_t op_monotonic_us(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_MONOTONIC);
}

static uint64_t op_realtime_ns(void *ctx)
{
	(void)ctx;
	return clock_ns(CLOCK_REALTIME);
}

static const struct sweep_ops ops = {
	.walk_begin = op_walk_begin,
	.walk_step = op_walk_step,
	.walk_end = op_walk_end,
	.lookup = op_lookup,
	.destroy = op_destroy,
	.is_local = op_is_local,
	.lo = op_lo,
	.fin_timeout_ms = op_fin_timeout_ms,
	.remembered_ms = op_remembered_ms,
	.unit = op_unit,
	.report = op_report,
	.report_end = op_report_end,
	.monotonic_us = op_monotonic_us,
	.realtime_ns = op_realtime_ns,
};

/* --- the thread -------------------------------------------------------------------------------*/

static void wake(int fd)
{
	const uint64_t one = 1;

	/* Can only fail when the counter is full, and then the other side is awake already. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void take_over(struct sweeper *s)
{
	struct handover *handover = atomic_exchange(&s->handover, NULL);

	if (!handover)
		return;
	sweep_configure(s->sweep, &handover->settings);
	atomic_store(&s->generation, handover->generation);
	free(handover);
	wake(s->wake_fd);
}

static void sleep_us(struct sweeper *s, uint64_t us)
{
	struct pollfd pfd = {.fd = s->call_fd, .events = POLLIN};
	const struct timespec ts = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
	uint64_t calls;

	/* Whatever ended the sleep: the next step says how long there is still to wait. */
	if (ppoll(&pfd, 1, us == UINT64_MAX ? NULL : &ts, NULL) > 0 &&
	    read(s->call_fd, &calls, sizeof(calls)) < 0)
		return;
}

static void *run(void *ctx)
{
	struct sweeper *s = ctx;

	/* Of this thread alone (setpriority(2), "C library/kernel differences"). Only a wish. */
	setpriority(PRIO_PROCESS, 0, NICE);
	sem_post(&s->ready);
	while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
		uint64_t wait_us;

		take_over(s);
		wait_us = sweep_step(s->sweep);
		if (s->told) {
			s->told = false;
			wake(s->wake_fd);
		}
		sleep_us(s, wait_us);
	}
	return NULL;
}

/* --- for the main thread ----------------------------------------------------------------------*/

/* The smaller of the two limits; 0 is none. */
static uint32_t pace(const struct conf *conf)
{
	unsigned int limit = conf->limits.destroy_per_second;

	return limit > 0 && limit < conf->sweep.max_per_second ? limit : conf->sweep.max_per_second;
}

static struct sweep_settings settings_of(const struct conf *conf, enum mode mode)
{
	return (struct sweep_settings){
		.policy = &conf->policy,
		.mode = mode,
		.action = conf->sweep.action,
		.interval_us = conf->sweep.interval_ms * 1000,
		.min_age_ms = conf->sweep.min_age_ms,
		.local = conf->sweep.addresses == ADDRESSES_LOCAL,
		.max_per_second = pace(conf),
	};
}

void sweeper_free(struct sweeper *s)
{
	if (!s)
		return;
	sweep_free(s->sweep); /* ends the walk */
	diag_close(s->diag);
	hostaddr_close(s->host);
	cgroup_close(s->cgroups);
	ring_free(s->incidents);
	ring_free(s->ends);
	free(atomic_load(&s->handover));
	if (s->call_fd >= 0)
		close(s->call_fd);
	sem_destroy(&s->ready);
	free(s);
}

static int prepare(struct sweeper *s, const struct conf *conf, enum mode mode)
{
	const struct sweep_settings settings = settings_of(conf, mode);
	int err;

	s->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->call_fd < 0)
		return -errno;
	if ((err = diag_open(&s->diag)) < 0 || (err = hostaddr_open(&s->host)) < 0 ||
	    (err = cgroup_open(CGROUP_WALK_DAEMON_US, &s->cgroups)) < 0 ||
	    (err = ring_new(RING_CAPACITY, sizeof(struct incident), &s->incidents)) < 0 ||
	    (err = ring_new(ENDS_CAPACITY, sizeof(struct sweep_end), &s->ends)) < 0 ||
	    (err = sweep_new(&ops, s, &s->stats, &s->sweep)) < 0)
		return err;
	sweep_configure(s->sweep, &settings);
	err = -pthread_create(&s->thread, NULL, run, s);
	if (err == 0) {
		pthread_setname_np(s->thread, "sweeper"); /* for people who look at the threads */
		while (sem_wait(&s->ready) < 0)
			;
	}
	return err;
}

int sweeper_start(const struct conf *conf, enum mode mode, int wake_fd,
		  struct sweeper **ret_sweeper, char error[static CONF_ERROR_SIZE])
{
	struct sweeper *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (s) {
		s->wake_fd = wake_fd;
		s->call_fd = -1;
		sem_init(&s->ready, 0, 0);
		err = prepare(s, conf, mode);
	}
	if (err < 0) {
		snprintf(error, CONF_ERROR_SIZE, "cannot prepare the sweep: %s", strerror(-err));
		sweeper_free(s);
		return err;
	}
	*ret_sweeper = s;
	return 0;
}

void sweeper_stop(struct sweeper *s)
{
	if (!s)
		return;
	atomic_store_explicit(&s->stop, true, memory_order_release);
	wake(s->call_fd);
	pthread_join(s->thread, NULL);
}

int sweeper_configure(struct sweeper *s, const struct conf *conf, enum mode mode,
		      uint64_t generation)
{
	struct handover *handover = malloc(sizeof(*handover));

	if (!handover)
		return -ENOMEM;
	*handover = (struct handover){settings_of(conf, mode), generation};
	free(atomic_exchange(&s->handover, handover));
	wake(s->call_fd);
	return 0;
}

uint64_t sweeper_generation(const struct sweeper *s)
{
	return atomic_load(&s->generation);
}

bool sweeper_take_incident(struct sweeper *s, struct incident *ret_incident)
{
	return ring_pop(s->incidents, ret_incident);
}

bool sweeper_take_end(struct sweeper *s, struct sweep_end *ret_end)
{
	return ring_pop(s->ends, ret_end);
}

const struct sweepstats *sweeper_stats(const struct sweeper *s)
{
	return &s->stats;
}
