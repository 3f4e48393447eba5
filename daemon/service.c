/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One poll loop over six descriptors: signals, the workers' word that there is something to take,
 * the owner server's answers, the clients of the control socket (one descriptor for all of them),
 * the timer of the metrics file, which is armed only if there is such a file, and that of the
 * keep-alive, which is there only if a service manager waits for one. The loop has a deadline only
 * while something waits to be told: suppressed events, those whose process is looked for, or the
 * SYNs of a full accept queue since it was told of.
 *
 * What a client's request means is in answer.c, what a new configuration means in reload.c.
 */
#include "config.h"

#include "service.h"
#include "answer.h"
#include "attribution.h"
#include "clock.h"
#include "log.h"
#include "notify.h"
#include "ownerstart.h"
#include "reload.h"
#include "servicestate.h"
#include "startup.h"
#include "totals.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* After so long without a new event the suppressed ones are told. */
#define SUPPRESSED_MS 1000
/* Incidents in one round of the loop. */
#define TELL_AT_ONCE 256

/* --- what the kernel must be able to do -------------------------------------------------------*/

static int probe_kernel(struct service *s)
{
	char error[CONF_ERROR_SIZE];
	int err = diag_open(&s->diag);

	if (err < 0) {
		log_errx("no sock_diag socket: %s: use a kernel with CONFIG_INET_DIAG",
			 strerror(-err));
		return err;
	}
	s->destroy_support = diag_probe_destroy(s->diag);
	err = reload_check(s, s->conf, error);
	if (err < 0)
		log_errx("%s", error);
	return err;
}

/* --- workers ----------------------------------------------------------------------------------*/

static int start_workers(struct service *s)
{
	char error[CONF_ERROR_SIZE];
	int failed = failopen_start(s->conf->queue.workers, s->wake_fd, &s->failopen);

	if (failed < 0) {
		log_errx("cannot start the thread that looks after the workers: %s",
			 strerror(-failed));
		return failed;
	}
	s->workers = calloc(s->conf->queue.workers, sizeof(struct worker *));
	if (!s->workers) {
		log_errx("out of memory");
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < s->conf->queue.workers; i++) {
		int err = worker_start((uint16_t)(s->conf->queue.number + i), s->conf,
				       reload_mode_of(s, s->conf), &s->destroys, s->failopen,
				       s->wake_fd, &s->workers[i], error);

		if (err < 0) {
			log_errx("%s", error);
			return err;
		}
		s->n_workers++;
	}
	return 0;
}

static int start_sweeper(struct service *s)
{
	char error[CONF_ERROR_SIZE];
	int err =
		sweeper_start(s->conf, reload_mode_of(s, s->conf), s->wake_fd, &s->sweeper, error);

	if (err < 0)
		log_errx("%s", error);
	return err;
}

static void tell_now(struct service *s, const struct incident *incident)
{
	recent_add(&s->recent, incident);
	event_tell(&s->events, incident, clock_us(CLOCK_MONOTONIC));
	answer_publish(s, incident);
}

/* At once, or when its process is known. */
static void tell(struct service *s, const struct incident *incident)
{
	struct incident displaced;

	if (!s->attribution)
		tell_now(s, incident);
	else if (attribution_add(s->attribution, incident, clock_us(CLOCK_MONOTONIC), &displaced))
		tell_now(s, &displaced);
}

/* Those that need not wait for their process any more. */
static void tell_attributed(struct service *s)
{
	struct incident incident;

	while (s->attribution &&
	       attribution_take(s->attribution, clock_us(CLOCK_MONOTONIC), &incident))
		tell_now(s, &incident);
}

static void hear_owner_server(struct service *s)
{
	if (attribution_hear(s->attribution) < 0)
		log_warnx("the owner server has ended: events do not name processes until the "
			  "next restart");
}

/* The kernel's own count stands beside ours: it has the SYNs that never came to the queue. */
static void tell_full_queue(struct service *s, struct incident *incident)
{
	struct kstat kernel;

	incident->has_kernel = totals_kernel(s, &kernel);
	if (incident->has_kernel) {
		incident->listen_overflows = kernel.listen_overflows;
		incident->listen_drops = kernel.listen_drops;
	}
	tell(s, incident);
}

/* Those that are due at now_us. */
static void tell_full_queues(struct service *s, uint64_t now_us)
{
	struct incident incident;

	while (fullqueue_take(&s->full_queues, now_us, &incident))
		tell_full_queue(s, &incident);
}

/* The worker whose incident comes next; NULL when none has any. */
static struct worker *next_to_tell(const struct service *s)
{
	struct worker *next = NULL;
	uint64_t oldest_ns = UINT64_MAX;

	for (unsigned int i = 0; i < s->n_workers; i++) {
		const struct incident *incident = worker_first_incident(s->workers[i]);

		if (incident && incident->time_ns < oldest_ns) {
			oldest_ns = incident->time_ns;
			next = s->workers[i];
		}
	}
	return next;
}

/* At most so many: workers may find more of them than can be told, and others wait too. */
static void tell_incidents(struct service *s, unsigned int most)
{
	struct incident incident, forgotten;
	struct worker *worker;

	while (most-- > 0 && (worker = next_to_tell(s)) != NULL) {
		worker_take_incident(worker, &incident);
		if (incident.finding != FINDING_ACCEPT_QUEUE_FULL)
			tell(s, &incident);
		else if (fullqueue_add(&s->full_queues, &incident, clock_us(CLOCK_MONOTONIC),
				       &forgotten))
			tell_full_queue(s, &forgotten);
	}
	tell_full_queues(s, clock_us(CLOCK_MONOTONIC));
	while (s->sweeper && sweeper_take_incident(s->sweeper, &incident))
		tell(s, &incident);
}

/* One line for each sweep that has found mines or could not be carried out. */
static void tell_sweep(const struct sweep_end *end)
{
	const uint64_t *counts = end->counts;

	if (end->error < 0)
		log_warnx(
			"the sweep was given up, and nothing touched that was not proved: %s; the "
			"next one comes at its time",
			strerror(-end->error));
	else if (counts[SWEEP_LAST_MINES] > 0)
		log_info("sweep: mines=%" PRIu64 " destroyed=%" PRIu64 " young=%" PRIu64
			 " with-peer=%" PRIu64 " passed-over=%" PRIu64 " seconds=%.1f",
			 counts[SWEEP_LAST_MINES], counts[SWEEP_LAST_DEFUSED],
			 counts[SWEEP_LAST_YOUNG], counts[SWEEP_LAST_ALIVE],
			 counts[SWEEP_LAST_LIMITED], (double)counts[SWEEP_LAST_US] / 1e6);
}

static void tell_sweeps(struct service *s)
{
	struct sweep_end end;

	while (sweeper_take_end(s->sweeper, &end))
		tell_sweep(&end);
}

static int check_workers(const struct service *s)
{
	for (unsigned int i = 0; i < s->n_workers; i++) {
		int err = worker_failure(s->workers[i]);

		if (err < 0) {
			log_errx("the worker of queue %u has failed: %s", s->conf->queue.number + i,
				 strerror(-err));
			return err;
		}
	}
	return 0;
}

static void log_totals(const struct service *s)
{
	struct totals totals;
	const struct stats *sum = &totals.stats;

	totals_read(s, &totals);
	log_info("stopped: syns=%" PRIu64 " collisions=%" PRIu64 " destroyed=%" PRIu64
		 " unproven=%" PRIu64 " duplicate-syns=%" PRIu64 " accept-queue-full=%" PRIu64
		 " lookup-failed=%" PRIu64 " not-judged=%" PRIu64 " overruns=%" PRIu64
		 " let-go=%" PRIu64,
		 stats_get(&sum->count[STAT_HELD]), stats_get(&sum->finding[FINDING_COLLISION]),
		 stats_get(&sum->count[STAT_DESTROYED]), stats_get(&sum->finding[FINDING_UNPROVEN]),
		 stats_get(&sum->finding[FINDING_DUPLICATE_SYN]),
		 stats_get(&sum->finding[FINDING_ACCEPT_QUEUE_FULL]),
		 stats_get(&sum->finding[FINDING_LOOKUP_FAILED]),
		 stats_get(&sum->finding[FINDING_NOT_JUDGED]),
		 stats_get(&sum->count[STAT_OVERRUNS]), stats_get(&sum->count[STAT_LET_GO]));
}

/* The workers first: a sweep may wait for the kernel, and SYNs must not wait for a sweep. */
static void stop_workers(struct service *s)
{
	for (unsigned int i = 0; i < s->n_workers; i++)
		worker_stop(s->workers[i]);
	for (unsigned int i = 0; i < s->n_workers; i++)
		worker_join(s->workers[i]);
	sweeper_stop(s->sweeper);
	tell_incidents(s, UINT_MAX);
	tell_full_queues(s, UINT64_MAX); /* all: there is no later */
	if (s->attribution)
		attribution_give_up(s->attribution);
	tell_attributed(s);
	event_tell_suppressed(&s->events);
}

/* --- the loop ---------------------------------------------------------------------------------*/

static void take_signal(struct service *s)
{
	struct signalfd_siginfo info;
	char error[CONF_ERROR_SIZE];

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGHUP:
		reload_file(s, 0, error); /* which was logged */
		break;
	case SIGTERM:
	case SIGINT:
		s->stop = true;
		break;
	}
}

static void finish_changes(struct service *s)
{
	struct change change;

	while (reload_take_done(s, &change)) {
		if (change.is_reload)
			log_info("reloaded %s: mode %s, default action %s, %zu rules",
				 s->options->conf_path, mode_name(reload_mode_of(s, s->conf)),
				 action_name(s->conf->policy.fallback), s->conf->policy.n_rules);
		else
			log_info("mode %s is in force", mode_name(s->mode));
		answer_done(s, &change);
		reload_tell(s);
	}
}

static int hear_workers(struct service *s)
{
	uint64_t calls;

	/* The count does not matter: everything that waits is taken. */
	if (read(s->wake_fd, &calls, sizeof(calls)) < 0 && errno != EAGAIN)
		log_err("eventfd");
	tell_incidents(s, TELL_AT_ONCE);
	if (next_to_tell(s))
		eventfd_write(s->wake_fd, 1); /* in the next round */
	tell_sweeps(s);
	failopen_tell(s->failopen, s->conf->queue.number);
	finish_changes(s);
	return check_workers(s);
}

static void update_textfile(struct service *s)
{
	size_t len = 0;
	char *text = totals_metrics(s, &len);

	if (text)
		textfile_update(s->textfile, text, len);
	free(text);
}

/* Milliseconds until something is due to be told though nobody calls; -1: nothing is. */
static int patience_ms(const struct service *s)
{
	const uint64_t now_us = clock_us(CLOCK_MONOTONIC);
	uint64_t wait_us = fullqueue_wait_us(&s->full_queues, now_us);

	if (s->attribution && wait_us > attribution_wait_us(s->attribution, now_us))
		wait_us = attribution_wait_us(s->attribution, now_us);
	if (s->events.suppressed > 0 && wait_us > SUPPRESSED_MS * 1000)
		return SUPPRESSED_MS;
	/* Rounded up, so as not to come too early and go round in circles. */
	return wait_us == UINT64_MAX ? -1 : (int)((wait_us + 999) / 1000);
}

static int loop(struct service *s)
{
	enum { SIGNALS, WORKERS, OWNERS, CONTROL, TEXTFILE, WATCHDOG, N };
	/* poll() passes over a descriptor of -1. */
	struct pollfd pfds[N] = {
		[SIGNALS] = {.fd = s->signal_fd, .events = POLLIN},
		[WORKERS] = {.fd = s->wake_fd, .events = POLLIN},
		[OWNERS] = {.events = POLLIN},
		[CONTROL] = {.fd = s->control ? control_fd(s->control) : -1, .events = POLLIN},
		[TEXTFILE] = {.fd = textfile_fd(s->textfile), .events = POLLIN},
		[WATCHDOG] = {.fd = watchdog_fd(s->watchdog), .events = POLLIN},
	};
	int err = 0;

	while (!s->stop && err == 0) {
		int n;

		tell_attributed(s);
		pfds[OWNERS].fd = attribution_fd(s->attribution);
		n = poll(pfds, N, patience_ms(s));
		if (n < 0 && errno != EINTR) {
			log_err("poll");
			return -errno;
		}
		tell_full_queues(s, clock_us(CLOCK_MONOTONIC));
		if (n == 0)
			event_tell_suppressed(&s->events);
		if (n <= 0)
			continue;
		if (pfds[OWNERS].revents)
			hear_owner_server(s);
		if (pfds[WORKERS].revents)
			err = hear_workers(s);
		if (pfds[SIGNALS].revents)
			take_signal(s);
		if (pfds[CONTROL].revents)
			control_work(s->control);
		if (pfds[TEXTFILE].revents)
			update_textfile(s);
		if (pfds[WATCHDOG].revents)
			watchdog_look(s->watchdog, s->workers, s->conf->queue.number);
	}
	return err;
}

/* Signals are blocked in every thread and read from a descriptor by this one. */
static int open_descriptors(struct service *s)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Whoever read the log or the control socket may have gone: that is no reason to go too. */
	signal(SIGPIPE, SIG_IGN);
	s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->signal_fd < 0 || s->wake_fd < 0) {
		log_err("cannot open descriptors");
		return -errno;
	}
	return 0;
}

static void release(struct service *s)
{
	control_close(s->control);
	textfile_close(s->textfile);
	journal_close(s->journal);
	watchdog_close(s->watchdog);
	attribution_free(s->attribution);
	failopen_stop(s->failopen);
	for (unsigned int i = 0; i < s->n_workers; i++)
		worker_free(s->workers[i]);
	free(s->workers);
	sweeper_free(s->sweeper);
	diag_close(s->diag);
	hostaddr_close(s->host);
	cgroup_close(s->cgroups);
	reload_close(s);
	conf_free(s->conf);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
}

/* What takes memory and descriptors, and nothing else. */
static int open_sources(struct service *s)
{
	int err;

	if ((err = cgroup_open(CGROUP_WALK_DAEMON_US, &s->cgroups)) < 0 ||
	    (err = hostaddr_open(&s->host)) < 0 || (err = textfile_open(&s->textfile)) < 0 ||
	    (err = journal_open(JOURNAL_SOCKET, &s->journal)) < 0 ||
	    (err = watchdog_open(s->conf->queue.workers, &s->watchdog)) < 0) {
		log_errx("cannot prepare: %s", strerror(-err));
		return err;
	}
	return open_descriptors(s);
}

static int take_owner_server(struct service *s, int *fd)
{
	int err = *fd < 0 ? 0 : attribution_new(*fd, s->diag, &s->attribution);

	if (err < 0)
		log_errx("cannot prepare: %s", strerror(-err));
	else
		*fd = -1;
	return err;
}

static void set_up(struct service *s)
{
	s->start_realtime_ns = clock_ns(CLOCK_REALTIME);
	s->start_monotonic_us = clock_us(CLOCK_MONOTONIC);
	s->events.cgroups = s->cgroups;
	reload_apply(s);
}

int service_run(const struct service_options *options, struct conf *conf)
{
	struct service s = {.options = options, .conf = conf, .signal_fd = -1, .wake_fd = -1};
	int owner_fd;
	int err = ownerstart(conf, options->user, &owner_fd);

	if (err > 0) {
		conf_free(conf);
		return 0;
	}
	if (err == 0)
		err = open_sources(&s);
	if (err == 0)
		err = answer_open(&s);
	if (err == 0) {
		startup_prefilter(&s);
		err = startup_privileges(&s);
	}
	if (err == 0)
		err = probe_kernel(&s);
	if (err == 0)
		err = take_owner_server(&s, &owner_fd);
	if (err == 0) {
		set_up(&s);
		err = start_workers(&s);
	}
	if (err == 0)
		err = start_sweeper(&s);
	if (err == 0)
		err = startup_system_calls();
	if (err == 0) {
		totals_start(&s);
		log_info("ready: queue %u, %u worker%s, filter %s, mode %s, default action %s, "
			 "%zu rules",
			 conf->queue.number, conf->queue.workers,
			 conf->queue.workers == 1 ? "" : "s",
			 conf_filter_name(service_filter_in_force(&s)),
			 mode_name(reload_mode_of(&s, conf)), action_name(conf->policy.fallback),
			 conf->policy.n_rules);
		reload_tell(&s);
		err = loop(&s);
		notify_stopping();
	}
	/* First, so that no SYN keeps a mark because nobody is there to take it away. */
	startup_end_prefilter(&s);
	stop_workers(&s);
	if (s.n_workers > 0)
		log_totals(&s);
	if (owner_fd >= 0)
		close(owner_fd);
	release(&s);
	return err;
}
