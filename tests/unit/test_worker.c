/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker against a queue that has no lull, and a kernel that is short of memory. What is judged is no
 * SYN, so that nothing else is asked.
 */
#include "config.h"

#include "cgroup.h"
#include "diag.h"
#include "hostaddr.h"
#include "queue.h"
#include "track.h"
#include "unit.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FOR_EVER UINT32_MAX

/* The queue; the worker's thread alone touches it until that has ended. */
static struct {
	uint32_t stop_refusals; /* how often queue_stop() is to fail */
	uint32_t verdict_refusals;
	int error;    /* with that */
	bool stopped; /* no more packets come */
	uint32_t stops;
	uint32_t held; /* by the kernel, whose queue is full all the time */
	uint32_t received, verdicts;
	uint32_t let_go_batches; /* how many are to come to their verdicts too late */
	uint32_t buffered;	 /* messages of packets that were let go with one */
	bool open;		 /* one was, and the queue is not resumed yet */
	uint32_t let_go_refusals;
	uint32_t resumes;
	uint32_t let_gos, begun, ended, backs;
} q;

static struct conf *conf;

int __wrap_diag_open(struct diag **ret_diag);
int __wrap_hostaddr_open(struct hostaddr **ret_host);
uint32_t __wrap_hostaddr_lo(const struct hostaddr *host);
bool __wrap_hostaddr_is_loopback_device(struct hostaddr *host, uint32_t ifindex);
int __wrap_track_open(struct track **ret_track);
int __wrap_cgroup_open(int64_t walk_us, struct cgroup_map **ret_map);
int __wrap_queue_open(uint16_t number, uint32_t max_held, struct queue **ret_queue);
int __wrap_queue_receive(struct queue *queue, bool wait, struct held_packet *ret_packets,
			 size_t *ret_n, struct queue_losses *ret_losses);
int __wrap_queue_wake(const struct queue *queue);
int __wrap_queue_verdicts(struct queue *queue, const struct verdict *verdicts, size_t n);
int __wrap_queue_stop(struct queue *queue);
int __wrap_queue_let_go(const struct queue *queue);
int __wrap_queue_resume(struct queue *queue);
void __wrap_failopen_watch(struct failopen *f, size_t index, struct queue *queue,
			   uint32_t max_held);
void __wrap_failopen_begin(struct failopen *f, size_t index, size_t n);
bool __wrap_failopen_end(struct failopen *f, size_t index);
void __wrap_failopen_back(struct failopen *f, size_t index);

/* --- what the linker puts in ------------------------------------------------------------------ */

int __wrap_diag_open(struct diag **ret_diag)
{
	*ret_diag = NULL;
	return 0;
}

int __wrap_hostaddr_open(struct hostaddr **ret_host)
{
	*ret_host = NULL;
	return 0;
}

uint32_t __wrap_hostaddr_lo(const struct hostaddr *host)
{
	(void)host;
	return 1;
}

bool __wrap_hostaddr_is_loopback_device(struct hostaddr *host, uint32_t ifindex)
{
	(void)host;
	return ifindex == 1;
}

int __wrap_track_open(struct track **ret_track)
{
	*ret_track = NULL;
	return 0;
}

int __wrap_cgroup_open(int64_t walk_us, struct cgroup_map **ret_map)
{
	assert_int_equal(walk_us, CGROUP_WALK_DAEMON_US);
	*ret_map = NULL;
	return 0;
}

int __wrap_queue_open(uint16_t number, uint32_t max_held, struct queue **ret_queue)
{
	(void)number;
	q.held = max_held;
	*ret_queue = NULL;
	return 0;
}

/* Brings nothing before the end has begun; then as much as there is. */
int __wrap_queue_receive(struct queue *queue, bool wait, struct held_packet *ret_packets,
			 size_t *ret_n, struct queue_losses *ret_losses)
{
	size_t n = wait ? 0 : QUEUE_BATCH_MAX;

	(void)queue;
	*ret_losses = (struct queue_losses){0};
	if (wait)
		poll(NULL, 0, 1);
	if (n > q.held)
		n = q.held;
	if (q.open) {
		n = q.buffered;
		q.buffered = 0;
	}
	/* A lull at last: a worker that waits for it shall fail, not hang. */
	if (q.received >= 10 * conf->queue.max_held)
		n = 0;
	for (size_t i = 0; i < n; i++)
		ret_packets[i] = (struct held_packet){.id = q.received + (uint32_t)i, .ifindex = 1};
	q.received += (uint32_t)n;
	if (q.stopped && !q.open)
		q.held -= (uint32_t)n;
	*ret_n = n;
	return 0;
}

int __wrap_queue_wake(const struct queue *queue)
{
	(void)queue;
	return 0;
}

int __wrap_queue_verdicts(struct queue *queue, const struct verdict *verdicts, size_t n)
{
	(void)queue;
	(void)verdicts;
	if (q.verdict_refusals > 0) {
		q.verdict_refusals--;
		return q.error;
	}
	q.verdicts += (uint32_t)n;
	return 0;
}

int __wrap_queue_stop(struct queue *queue)
{
	(void)queue;
	q.stops++;
	if (q.stops <= q.stop_refusals)
		return q.error;
	q.stopped = true;
	return 0;
}

int __wrap_queue_let_go(const struct queue *queue)
{
	(void)queue;
	if (q.let_go_refusals > 0) {
		q.let_go_refusals--;
		return -ENOMEM;
	}
	q.let_gos++;
	return 0;
}

int __wrap_queue_resume(struct queue *queue)
{
	(void)queue;
	q.resumes++;
	return 0;
}

void __wrap_failopen_watch(struct failopen *f, size_t index, struct queue *queue, uint32_t max_held)
{
	(void)f;
	(void)queue;
	assert_int_equal(max_held, conf->queue.max_held);
	assert_int_equal(index, 0);
	assert_int_equal(q.begun, 0);
}

void __wrap_failopen_begin(struct failopen *f, size_t index, size_t n)
{
	(void)f;
	assert_in_range(n, 1, QUEUE_BATCH_MAX);
	assert_int_equal(index, 0);
	q.begun++;
}

bool __wrap_failopen_end(struct failopen *f, size_t index)
{
	(void)f;
	assert_int_equal(index, 0);
	q.ended++;
	if (q.let_go_batches == 0)
		return true;
	q.let_go_batches--;
	q.open = true;
	return false;
}

void __wrap_failopen_back(struct failopen *f, size_t index)
{
	(void)f;
	assert_int_equal(index, 0);
	q.open = false;
	q.backs++;
}

/* --- the tests --------------------------------------------------------------------------------- */

static int setup(void **state)
{
	(void)state;
	memset(&q, 0, sizeof(q));
	return conf_defaults(&conf);
}

static int teardown(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

static uint64_t let_go; /* as the last worker has counted */

/* Starts a worker and stops it; how many errors it has counted. */
static uint64_t run(void)
{
	struct ratelimit destroys = {0};
	char error[CONF_ERROR_SIZE];
	struct worker *worker = NULL;
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t errors;

	assert_true(wake_fd >= 0);
	assert_int_equal(
		worker_start(61, conf, MODE_ENFORCE, &destroys, NULL, wake_fd, &worker, error), 0);
	worker_stop(worker);
	worker_join(worker);
	errors = stats_get(&worker_stats(worker)->count[STAT_VERDICT_ERRORS]);
	let_go = stats_get(&worker_stats(worker)->count[STAT_LET_GO]);
	worker_free(worker);
	close(wake_fd);
	return errors;
}

static void every_held_packet_has_its_verdict(void **state)
{
	(void)state;
	conf->queue.max_held = 1000; /* no whole number of batches */
	assert_int_equal(run(), 0);
	assert_int_equal(q.stops, 1);
	assert_int_equal(q.received, 1000);
	assert_int_equal(q.verdicts, 1000);
	assert_int_equal(q.begun, q.ended);
	assert_int_equal(q.let_gos, 1);
}

static void stopping_is_tried_again(void **state)
{
	static const int errors[] = {-ENOBUFS, -ENOMEM};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		memset(&q, 0, sizeof(q));
		q.error = errors[i];
		q.stop_refusals = 4;
		assert_int_equal(run(), 0);
		assert_int_equal(q.stops, 5);
		assert_int_equal(q.verdicts, conf->queue.max_held);
	}
}

/* What was held is let go; what has come since is not waited for. */
static void a_queue_that_cannot_be_stopped_is_left(void **state)
{
	static const struct {
		int error;
		uint32_t stops;
	} cases[] = {{-ENOBUFS, 5}, {-EPERM, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&q, 0, sizeof(q));
		q.error = cases[i].error;
		q.stop_refusals = FOR_EVER;
		assert_int_equal(run(), 1);
		assert_int_equal(q.stops, cases[i].stops);
		assert_in_range(q.verdicts, conf->queue.max_held,
				conf->queue.max_held + QUEUE_BATCH_MAX - 1);
	}
}

static void verdicts_are_tried_again(void **state)
{
	(void)state;
	q.error = -ENOBUFS;
	q.verdict_refusals = 4;
	assert_int_equal(run(), 0);
	assert_int_equal(q.verdicts, conf->queue.max_held);
}

static void verdicts_that_cannot_be_given_are_counted(void **state)
{
	(void)state;
	q.error = -ENOBUFS;
	q.verdict_refusals = 5;
	assert_int_equal(run(), QUEUE_BATCH_MAX);
	assert_int_equal(q.verdicts, conf->queue.max_held - QUEUE_BATCH_MAX);
}

/* It has no verdicts to give, nor for what else was held then; and the queue is left stopped. */
static void what_was_let_go_is_over(void **state)
{
	(void)state;
	conf->queue.max_held = 1000;
	q.let_go_batches = 1;
	q.buffered = 10;
	q.let_go_refusals = 4;
	assert_int_equal(run(), 0);
	assert_int_equal(let_go, QUEUE_BATCH_MAX + 10);
	assert_int_equal(q.verdicts, 1000 - QUEUE_BATCH_MAX);
	assert_int_equal(q.backs, 1);
	assert_int_equal(q.resumes, 0);
	assert_int_equal(q.let_gos, 1);
	assert_int_equal(q.begun, q.ended);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_held_packet_has_its_verdict),	 TEST(stopping_is_tried_again),
		TEST(a_queue_that_cannot_be_stopped_is_left),	 TEST(verdicts_are_tried_again),
		TEST(verdicts_that_cannot_be_given_are_counted), TEST(what_was_let_go_is_over),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
