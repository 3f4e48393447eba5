/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failopen with queues that only count how often they are let go. */
#include "config.h"

#include "failopen.h"
#include "log.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUEUES	 3
#define MAX_HELD (4 * QUEUE_BATCH_MAX)
/* Marks a hang. */
#define PATIENCE_MS 20000

int __wrap_queue_let_go(const struct queue *queue);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

/* Shared with children. */
static atomic_int *let_go;
static atomic_int refusals, sleeps;
static char queues[QUEUES]; /* nothing but addresses */
static struct failopen *f;
static int wake_fd;

int __wrap_queue_let_go(const struct queue *queue)
{
	const char *which = (const void *)queue;

	if (atomic_load(&refusals) > 0) {
		atomic_fetch_sub(&refusals, 1);
		return -ENOBUFS;
	}
	atomic_fetch_add(&let_go[which - queues], 1);
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	atomic_fetch_add(&sleeps, 1);
	return __real_poll(fds, n, timeout_ms);
}

/* Without its thread, for those who fork. */
static int setup_alone(void **state)
{
	(void)state;
	for (int i = 0; i < QUEUES; i++)
		atomic_store(&let_go[i], 0);
	atomic_store(&refusals, 0);
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f = NULL;
	return wake_fd < 0 ? -1 : 0;
}

static int setup(void **state)
{
	if (setup_alone(state) < 0 || failopen_start(QUEUES, wake_fd, &f) < 0)
		return -1;
	for (size_t i = 0; i < QUEUES; i++)
		failopen_watch(f, i, (void *)&queues[i], MAX_HELD);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	failopen_stop(f);
	close(wake_fd);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* A batch of all that is held. */
static void begin(size_t i)
{
	failopen_begin(f, i, 1);
}

static void pause_ms(int ms)
{
	__real_poll(NULL, 0, ms);
}

/* Until the main thread is called. */
static void wait_for_word(void)
{
	struct pollfd pfd = {.fd = wake_fd, .events = POLLIN};
	eventfd_t calls;

	assert_int_equal(__real_poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(eventfd_read(wake_fd, &calls), 0);
}

static void one_that_does_not_come_back(void **state)
{
	int64_t start = now_ms();

	(void)state;
	begin(1);
	wait_for_word();
	assert_true(now_ms() - start >= FAILOPEN_MS_MIN);
	assert_true(failopen_is_open(f, 1));
	assert_false(failopen_is_open(f, 0));
	/* Once, however long it lasts. */
	pause_ms(2 * FAILOPEN_MS_MAX);
	assert_int_equal(let_go[0], 0);
	assert_int_equal(let_go[1], 1);
	assert_int_equal(let_go[2], 0);

	assert_false(failopen_end(f, 1));
	assert_true(failopen_is_open(f, 1));
	failopen_back(f, 1);
	wait_for_word();
	assert_false(failopen_is_open(f, 1));
	begin(1);
	assert_true(failopen_end(f, 1));

	begin(1);
	wait_for_word();
	assert_int_equal(let_go[1], 2);
}

static char told[1024];

static void take_line(enum log_level level, const char *line, void *ctx)
{
	size_t len = strlen(told);

	(void)ctx;
	snprintf(told + len, sizeof(told) - len, "%c %.*s\n", level == LEVEL_ERROR ? 'E' : 'I',
		 (int)strcspn(line, ":"), line);
}

/* What failopen_tell() has logged, as severities and queues. */
static void expect_told(const char *lines)
{
	told[0] = '\0';
	failopen_tell(f, 61);
	assert_string_equal(told, lines);
}

static void each_time_is_told(void **state)
{
	(void)state;
	log_set_sink(take_line, NULL);
	expect_told("");
	begin(1);
	wait_for_word();
	expect_told("E queue 62\n");
	expect_told("");
	assert_false(failopen_end(f, 1));
	failopen_back(f, 1);
	wait_for_word();
	expect_told("I queue 62\n");
	expect_told("");

	/* So short that the main thread has seen nothing of it. */
	begin(0);
	wait_for_word();
	assert_false(failopen_end(f, 0));
	failopen_back(f, 0);
	expect_told("E queue 61\nI queue 61\n");
	expect_told("");
	log_set_sink(NULL, NULL);
}

/* Each batch has its own time, however many there are. */
static void those_that_come_on(void **state)
{
	(void)state;
	for (int64_t start = now_ms(); now_ms() - start < 2 * FAILOPEN_MS_MAX;) {
		begin(0);
		begin(2);
		pause_ms(FAILOPEN_MS_MIN / 40);
		assert_true(failopen_end(f, 0));
		begin(0);
		assert_true(failopen_end(f, 0));
		assert_true(failopen_end(f, 2));
	}
	assert_int_equal(let_go[0] + let_go[1] + let_go[2], 0);
}

/* Full batches for some time, each of which takes so long; how often the queue was let go. */
static int crawl(int batches, int each_ms)
{
	for (int i = 0; i < batches; i++) {
		failopen_begin(f, 0, QUEUE_BATCH_MAX);
		pause_ms(each_ms);
		if (!failopen_end(f, 0))
			failopen_back(f, 0);
	}
	return let_go[0];
}

/* Each batch has its time, but not those that wait behind them. */
static void one_that_crawls(void **state)
{
	(void)state;
	assert_true(crawl(4, FAILOPEN_MS_MAX / 2) > 0);
}

/* All that can have waited has been judged meanwhile, and in a tenth of the time. */
static void one_that_is_busy(void **state)
{
	(void)state;
	assert_int_equal(crawl(80, FAILOPEN_MS_MIN / 40), 0);
}

static void a_refused_request_is_tried_again(void **state)
{
	(void)state;
	atomic_store(&refusals, 3);
	begin(2);
	wait_for_word();
	assert_int_equal(let_go[2], 1);
	assert_int_equal(refusals, 0);
	assert_false(failopen_end(f, 2));
}

/* Nobody judges: nobody wakes up. */
static void asleep(void **state)
{
	int before;

	(void)state;
	begin(0);
	assert_true(failopen_end(f, 0));
	pause_ms(FAILOPEN_MS_MAX); /* for the look that this has called for */
	before = sleeps;
	pause_ms(2 * FAILOPEN_MS_MAX);
	assert_int_equal(sleeps, before);
	/* And still there. */
	begin(0);
	wait_for_word();
	assert_int_equal(let_go[0], 1);
}

static bool is_blocked(int signal)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, signal) == 1;
}

/* In a child, which has a failopen of its own whose second queue is not bound; how it ended. */
static int die(bool by_abort)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		if (failopen_start(QUEUES, wake_fd, &f) < 0)
			_exit(1);
		failopen_watch(f, 0, (void *)&queues[0], MAX_HELD);
		failopen_watch(f, 2, (void *)&queues[2], MAX_HELD);
		if (by_abort)
			abort();
		kill(getpid(), SIGABRT);
		pause_ms(PATIENCE_MS);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void what_is_held_survives_an_abort(void **state)
{
	(void)state;
	for (int by_abort = 0; by_abort <= 1; by_abort++) {
		assert_int_equal(die(by_abort), SIGABRT);
		assert_int_equal(let_go[0], by_abort + 1);
		assert_int_equal(let_go[1], 0);
		assert_int_equal(let_go[2], by_abort + 1);
	}
}

static void afterwards_an_abort_is_as_before(void **state)
{
	struct sigaction action;

	(void)state;
	assert_true(is_blocked(SIGABRT));
	failopen_stop(f);
	f = NULL;
	assert_false(is_blocked(SIGABRT));
	assert_int_equal(sigaction(SIGABRT, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_does_not_come_back),
		TEST(each_time_is_told),
		TEST(those_that_come_on),
		TEST(one_that_crawls),
		TEST(one_that_is_busy),
		TEST(a_refused_request_is_tried_again),
		TEST(asleep),
		cmocka_unit_test_setup_teardown(what_is_held_survives_an_abort, setup_alone,
						teardown),
		TEST(afterwards_an_abort_is_as_before),
	};

	let_go = mmap(NULL, QUEUES * sizeof(*let_go), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (let_go == MAP_FAILED)
		return 1;

	return cmocka_run_group_tests_name("failopen", tests, NULL, NULL);
}
