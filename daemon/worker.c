/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop takes what the queue holds, or sleeps until it holds something, and judges it. Word from
 * the main thread comes through a pointer (a configuration) or a flag (stop), looked at between two
 * batches, and queue_wake() ends the sleep.
 *
 * Of several workers each keeps to the processors whose SYNs come to its queue. A client waits for
 * its SYN's verdict anyway, so its processor is free; to wake another one, and to be woken by it,
 * takes longer than all the rest, and longest on a virtual machine.
 *
 * Stopping: the queue's length is set to zero first, so that with FAIL_OPEN new SYNs pass
 * unqueued; then what is held is judged as usual, until nothing is left. Closing the socket first
 * would make the kernel drop what is held (nfqnl_rcv_nl_event()).
 */
#include "config.h"

#include "worker.h"
#include "cgroup.h"
#include "clock.h"
#include "diag.h"
#include "failopen.h"
#include "hostaddr.h"
#include "mitigate.h"
#include "packet.h"
#include "processors.h"
#include "queue.h"
#include "ring.h"
#include "track.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Incidents that the main thread has not taken yet: a burst of collisions in one batch and more. */
#define RING_CAPACITY 256
/* A request is refused for want of memory only; then a moment's patience is all there is to try. */
#define TRIES 5

/* One configuration on its way to the worker. */
struct handover {
	struct mitigate_settings settings;
	uint64_t generation;
};

struct worker {
	pthread_t thread;
	_Atomic pid_t tid;
	unsigned int share, of; /* which worker of how many */
	uint32_t max_held;
	int wake_fd;		   /* to the main thread, which owns it */
	struct failopen *failopen; /* of all workers */
	atomic_bool stop;
	_Atomic(struct handover *) handover; /* the worker frees it */
	_Atomic uint64_t generation;
	atomic_int failure;

	struct queue *queue;
	struct diag *diag;
	struct hostaddr *host;
	struct track *track;
	struct cgroup_map *cgroups;
	struct mitigate *mitigate;
	struct ring *incidents;
	bool told;   /* an incident was pushed in this batch */
	bool let_go; /* this batch was, before it had its verdicts */
	bool draining;
	struct held_packet packets[QUEUE_BATCH_MAX];
	struct mitigate_syn syns[QUEUE_BATCH_MAX];
	struct stats stats;
};

/* Whether a request that ended so is worth another try; waits for it. */
static bool try_again(int err, unsigned int *tries)
{
	if ((err != -ENOBUFS && err != -ENOMEM) || ++*tries == TRIES)
		return false;
	poll(NULL, 0, 1);
	return true;
}

/* --- mitigate's ops ---------------------------------------------------------------------------*/

static void op_lookup(void *ctx, const struct diag_request *requests, size_t n,
		      struct diag_answer *ret_answers)
{
	struct worker *w = ctx;

	diag_lookup(w->diag, requests, n, ret_answers);
}

static void op_destroy(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors)
{
	struct worker *w = ctx;

	diag_destroy(w->diag, requests, n, ret_errors);
}

static int op_sockets_on(void *ctx, const struct endpoint *local, tcpstate_set states,
			 struct sock_info *ret_infos, size_t max, size_t *ret_count)
{
	struct worker *w = ctx;

	return diag_sockets_on(w->diag, local, states, ret_infos, max, ret_count);
}

static bool op_destroys_closed(void *ctx)
{
	(void)ctx;
	return diag_destroys_closed();
}

static bool op_is_local(void *ctx, const struct in6_addr *addr)
{
	struct worker *w = ctx;

	return hostaddr_is_local(w->host, addr);
}

static uint32_t op_interface(void *ctx, const struct in6_addr *addr)
{
	struct worker *w = ctx;

	return hostaddr_interface(w->host, addr);
}

static bool op_tracks_connections(void *ctx)
{
	(void)ctx;
	return hostaddr_tracks_connections();
}

static struct track_entry op_entry(void *ctx, const struct tuple *syn)
{
	struct worker *w = ctx;

	return track_look(w->track, syn);
}

static void op_forget(void *ctx, const struct tuple *syn, const struct track_entry *entry)
{
	struct worker *w = ctx;

	track_forget(w->track, syn, entry);
}

static const char *op_unit(void *ctx, uint64_t cgroup_id)
{
	struct worker *w = ctx;

	return cgroup_unit(w->cgroups, cgroup_id);
}

static int op_verdicts(void *ctx, const struct verdict *verdicts, size_t n)
{
	struct worker *w = ctx;
	unsigned int tries = 0;
	int err;

	w->let_go = !failopen_end(w->failopen, w->share);
	if (w->let_go)
		return -ETIMEDOUT;
	do {
		err = queue_verdicts(w->queue, verdicts, n);
	} while (try_again(err, &tries));
	return err;
}

static void op_report(void *ctx, const struct incident *incident)
{
	struct worker *w = ctx;

	if (ring_push(w->incidents, incident))
		w->told = true;
	else
		stats_add(&w->stats.count[STAT_EVENTS_LOST], 1);
}

static uint64_t op_monotonic_us(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_MONOTONIC);
}

static const struct mitigate_ops ops = {
	.lookup = op_lookup,
	.destroy = op_destroy,
	.sockets_on = op_sockets_on,
	.destroys_closed = op_destroys_closed,
	.is_local = op_is_local,
	.interface = op_interface,
	.tracks_connections = op_tracks_connections,
	.entry = op_entry,
	.forget = op_forget,
	.unit = op_unit,
	.verdicts = op_verdicts,
	.report = op_report,
	.monotonic_us = op_monotonic_us,
};

/* --- the thread -------------------------------------------------------------------------------*/

static void wake(int fd)
{
	const uint64_t one = 1;

	/* Can only fail when the counter is full, and then the other side is awake already. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

/* Only for want of memory can it fail, and that passes. */
static void call(struct worker *w)
{
	while (queue_wake(w->queue) < 0)
		poll(NULL, 0, 1);
}

static void count_losses(struct worker *w, const struct queue_losses *losses)
{
	stats_add(&w->stats.count[STAT_OVERRUNS], losses->overruns);
	stats_add(&w->stats.count[STAT_MISSED], losses->missed);
	stats_add(&w->stats.count[STAT_BAD_MESSAGES], losses->bad_messages);
	stats_add(&w->stats.count[STAT_VERDICT_ERRORS], losses->verdict_errors);
}

/*
 * Of the packets that were let go, those that were not received yet still stand in the socket's
 * buffer, and nothing else does, as the queue takes no more until it is told to.
 */
static void come_back(struct worker *w, size_t judged)
{
	struct queue_losses losses;
	size_t n = judged;
	int err;

	do {
		stats_add(&w->stats.count[STAT_LET_GO], n);
		n = 0;
		err = queue_receive(w->queue, false, w->packets, &n, &losses);
		count_losses(w, &losses);
	} while (err == 0 && n > 0);
	/* Only for want of memory can it fail, and that passes. */
	while (!w->draining && queue_resume(w->queue) < 0)
		poll(NULL, 0, 1);
	failopen_back(w->failopen, w->share);
}

static void parse(struct worker *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct held_packet *packet = &w->packets[i];
		struct mitigate_syn *syn = &w->syns[i];

		syn->id = packet->id;
		syn->mark = packet->mark;
		syn->loopback = hostaddr_is_loopback_device(w->host, packet->ifindex);
		syn->kind = packet_parse(packet->data, packet->len, packet->verify_checksum,
					 &syn->tuple);
		syn->tuple.scope = packet->ifindex;
		syn->data = packet->data;
	}
}

/* Judges what the queue holds; the number of packets, or a negative errno. */
static int judge_batch(struct worker *w, bool wait)
{
	struct queue_losses losses;
	uint64_t receipt_us;
	size_t n = 0;
	int err;

	err = queue_receive(w->queue, wait, w->packets, &n, &losses);
	count_losses(w, &losses);
	if (err < 0 || n == 0)
		return err;

	failopen_begin(w->failopen, w->share, n);
	receipt_us = op_monotonic_us(w);
	parse(w, n);
	stats_add(&w->stats.count[STAT_HELD], n);
	stats_add(&w->stats.count[STAT_BATCHES], 1);
	stats_raise(&w->stats.count[STAT_HELD_PEAK], n);
	err = mitigate_batch(w->mitigate, w->syns, n, receipt_us, clock_ns(CLOCK_REALTIME));
	if (w->let_go)
		come_back(w, n);
	else if (err < 0)
		stats_add(&w->stats.count[STAT_VERDICT_ERRORS], n);
	if (w->told) {
		w->told = false;
		wake(w->wake_fd);
	}
	return (int)n;
}

static void take_over(struct worker *w)
{
	struct handover *handover = atomic_exchange(&w->handover, NULL);

	if (!handover)
		return;
	mitigate_configure(w->mitigate, &handover->settings);
	atomic_store(&w->generation, handover->generation);
	free(handover);
	wake(w->wake_fd);
}

/*
 * No more than max_held can be held. What comes after so many was queued since: the queue could not
 * be stopped, and under load there would be no end. Nothing stays without a verdict, though: what
 * has not had one, for one that failed or a message that could not be read, passes.
 */
static void drain(struct worker *w)
{
	unsigned int tries = 0;
	int err;

	w->draining = true;
	do {
		err = queue_stop(w->queue);
	} while (try_again(err, &tries));
	if (err < 0)
		stats_add(&w->stats.count[STAT_VERDICT_ERRORS], 1);
	for (uint32_t judged = 0; judged < w->max_held;) {
		int n = judge_batch(w, false);

		if (n <= 0)
			break;
		judged += (uint32_t)n;
	}
	tries = 0;
	do {
		err = queue_let_go(w->queue);
	} while (try_again(err, &tries));
}

static void *run(void *ctx)
{
	struct worker *w = ctx;
	int n = 0;

	atomic_store(&w->tid, gettid());
	/* Refused, it runs where the scheduler says, and more SYNs wait for another processor. */
	processors_take_share(w->share, w->of);
	while (n >= 0 && !atomic_load_explicit(&w->stop, memory_order_acquire)) {
		take_over(w);
		n = judge_batch(w, true);
	}
	if (n < 0) {
		atomic_store(&w->failure, n);
		wake(w->wake_fd);
	}
	/* After a failure too: what can still be let go must not wait for the process's end. */
	drain(w);
	return NULL;
}

/* --- for the main thread ----------------------------------------------------------------------*/

static struct mitigate_settings settings_of(const struct conf *conf, enum mode mode)
{
	return (struct mitigate_settings){
		.policy = &conf->policy,
		.mode = mode,
		.clear_mark = conf->queue.filter == FILTER_BPF ? conf->queue.filter_mark : 0,
	};
}

static void explain_queue_error(int err, uint16_t number, char error[static CONF_ERROR_SIZE])
{
	switch (err) {
	case -EBUSY:
		snprintf(error, CONF_ERROR_SIZE,
			 "queue %u is already bound by netlink port %u (mostly a process id): stop "
			 "that program, or choose another queue.number",
			 number, queue_owner(number));
		break;
	case -EPERM:
		snprintf(error, CONF_ERROR_SIZE,
			 "queue %u: not permitted: run as root or with CAP_NET_ADMIN; if you do, "
			 "another program has bound it (as root, closewaitd-rules check tells "
			 "which)",
			 number);
		break;
	case -EINVAL:
	case -EPROTONOSUPPORT:
		snprintf(error, CONF_ERROR_SIZE,
			 "queue %u: this kernel has no NFQUEUE: load the module nfnetlink_queue, "
			 "or use a kernel with CONFIG_NETFILTER_NETLINK_QUEUE",
			 number);
		break;
	default:
		snprintf(error, CONF_ERROR_SIZE, "queue %u: cannot bind it: %s", number,
			 strerror(-err));
		break;
	}
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	queue_close(w->queue);
	diag_close(w->diag);
	hostaddr_close(w->host);
	track_close(w->track);
	cgroup_close(w->cgroups);
	mitigate_free(w->mitigate);
	ring_free(w->incidents);
	free(atomic_load(&w->handover));
	free(w);
}

/* Everything but the queue and the thread. */
static int prepare(struct worker *w, const struct conf *conf, enum mode mode,
		   struct ratelimit *destroys)
{
	const struct mitigate_settings settings = settings_of(conf, mode);
	int err;

	if ((err = diag_open(&w->diag)) < 0 || (err = hostaddr_open(&w->host)) < 0 ||
	    (err = track_open(&w->track)) < 0 ||
	    (err = cgroup_open(CGROUP_WALK_DAEMON_US, &w->cgroups)) < 0 ||
	    (err = mitigate_new(&ops, w, destroys, &w->stats, &w->mitigate)) < 0 ||
	    (err = ring_new(RING_CAPACITY, sizeof(struct incident), &w->incidents)) < 0)
		return err;
	mitigate_configure(w->mitigate, &settings);
	/* It keeps that; so the first SYN does not have to wait for it, and takes no memory. */
	hostaddr_is_loopback_device(w->host, hostaddr_lo(w->host));
	return 0;
}

/* For people who look at the threads; refused, they see the program's name. */
static void name_thread(pthread_t thread, uint16_t queue_number)
{
	char name[16]; /* TASK_COMM_LEN */

	snprintf(name, sizeof(name), "queue-%u", queue_number);
	pthread_setname_np(thread, name);
}

int worker_start(uint16_t queue_number, const struct conf *conf, enum mode mode,
		 struct ratelimit *destroys, struct failopen *failopen, int wake_fd,
		 struct worker **ret_worker, char error[static CONF_ERROR_SIZE])
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w) {
		snprintf(error, CONF_ERROR_SIZE, "out of memory");
		return -ENOMEM;
	}
	w->wake_fd = wake_fd;
	w->failopen = failopen;
	w->share = queue_number - conf->queue.number;
	w->of = conf->queue.workers;
	w->max_held = conf->queue.max_held;
	err = prepare(w, conf, mode, destroys);
	if (err < 0) {
		snprintf(error, CONF_ERROR_SIZE, "queue %u: cannot prepare its worker: %s",
			 queue_number, strerror(-err));
		goto fail;
	}
	/* Last, since from here on SYNs are held. */
	err = queue_open(queue_number, conf->queue.max_held, &w->queue);
	if (err < 0) {
		explain_queue_error(err, queue_number, error);
		goto fail;
	}
	failopen_watch(w->failopen, w->share, w->queue, w->max_held);
	err = -pthread_create(&w->thread, NULL, run, w);
	if (err < 0) {
		snprintf(error, CONF_ERROR_SIZE, "queue %u: cannot start its thread: %s",
			 queue_number, strerror(-err));
		drain(w);
		failopen_watch(w->failopen, w->share, NULL, 0);
		goto fail;
	}
	name_thread(w->thread, queue_number);
	*ret_worker = w;
	return 0;
fail:
	worker_free(w);
	return err;
}

void worker_stop(struct worker *w)
{
	atomic_store_explicit(&w->stop, true, memory_order_release);
	call(w);
}

void worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

int worker_configure(struct worker *w, const struct conf *conf, enum mode mode, uint64_t generation)
{
	struct handover *handover = malloc(sizeof(*handover));

	if (!handover)
		return -ENOMEM;
	*handover = (struct handover){settings_of(conf, mode), generation};
	free(atomic_exchange(&w->handover, handover));
	call(w);
	return 0;
}

uint64_t worker_generation(const struct worker *w)
{
	return atomic_load(&w->generation);
}

const struct incident *worker_first_incident(const struct worker *w)
{
	return ring_front(w->incidents);
}

bool worker_take_incident(struct worker *w, struct incident *ret_incident)
{
	return ring_pop(w->incidents, ret_incident);
}

uint64_t worker_judged(const struct worker *w)
{
	uint64_t judged = 0;

	for (size_t i = 0; i <= STATS_BUCKETS; i++)
		judged += stats_get(&w->stats.bucket[i]);
	return judged;
}

bool worker_has_held(const struct worker *w)
{
	struct pollfd pfd = {.fd = queue_fd(w->queue), .events = POLLIN};

	/* The kernel's own table of queues is for root only. */
	return stats_get(&w->stats.count[STAT_HELD]) > worker_judged(w) || poll(&pfd, 1, 0) > 0;
}

bool worker_is_away(const struct worker *w)
{
	return failopen_is_open(w->failopen, w->share);
}

pid_t worker_tid(const struct worker *w)
{
	return atomic_load(&w->tid);
}

const struct stats *worker_stats(const struct worker *w)
{
	return &w->stats;
}

int worker_failure(const struct worker *w)
{
	return atomic_load(&w->failure);
}
