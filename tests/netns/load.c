/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lib/monotime.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "pulse.h"

#define CLIENTS_MAX 8
/* Longer than any connect takes that ends at all with the default number of retransmissions. */
#define CONNECT_MS  20000
#define PATIENCE_MS 30000

struct client {
	pid_t pid;
	atomic_long connects, failed, slow, worst_ms;
	atomic_int first_error;
};

/* Shared with the children. */
struct load {
	atomic_bool stop;
	long retransmitted_before;
	pid_t server;
	struct pulse *pulse;
	unsigned int n;
	struct client clients[CLIENTS_MAX];
};

_Noreturn static void serve(int listener)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			close(fd);
	}
}

long load_slow_ms(void)
{
	return is_emulated() ? 800 : 200;
}

static void count_connect(struct client *client, int rc, long ms)
{
	if (rc < 0) {
		client->failed++;
		if (client->first_error == 0)
			client->first_error = -rc;
	}
	if (ms > load_slow_ms())
		client->slow++;
	if (ms > client->worst_ms)
		client->worst_ms = ms;
	client->connects++;
}

/*
 * Waits until the server has accepted and closed: clients that do not would overflow its accept
 * queue, and wait a second for that. No TIME_WAIT stays, or the ports would not last.
 */
static void leave(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
	sock_reset(fd);
}

_Noreturn static void connect_on_and_on(struct load *load, unsigned int index,
					const union endpoint *server)
{
	struct client *client = &load->clients[index];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The rules share SYNs out to queues by processor: let there be clients on each of them. */
	pulse_stay_on_one_processor(index);
	while (!load->stop) {
		long stalled = pulse_stalled_ms(load->pulse);
		int64_t start = mono_ns();
		int fd = sock_connect(NULL, server, CONNECT_MS);
		long ms = (long)((mono_ns() - start) / 1000000);

		if (ms > load_slow_ms())
			ms -= pulse_stalled_now_ms(load->pulse) - stalled;
		count_connect(client, fd < 0 ? fd : 0, ms);
		if (fd >= 0)
			leave(fd);
	}
	_exit(0);
}

static bool all_have_connected(void *arg)
{
	const struct load *load = arg;

	for (unsigned int i = 0; i < load->n; i++)
		if (load->clients[i].connects == 0)
			return false;
	return true;
}

static long retransmitted_syns(void)
{
	return must((int)snmp_counter("TcpExt", "TCPSynRetrans"), "read TCPSynRetrans");
}

static pid_t must_fork(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	return pid;
}

struct load *load_start(const union endpoint *server, unsigned int n)
{
	int listener = must(sock_listen(server, 1024, true), "listen");
	struct load *load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	assert_ptr_not_equal(load, MAP_FAILED);
	assert_true(n <= CLIENTS_MAX);
	load->n = n;
	load->retransmitted_before = retransmitted_syns();
	/* The child has its own copy of pid, and none of the shared field. */
	pid = must_fork();
	if (pid == 0)
		serve(listener);
	load->server = pid;
	close(listener);
	load->pulse = pulse_start();
	for (unsigned int i = 0; i < n; i++) {
		pid = must_fork();
		if (pid == 0)
			connect_on_and_on(load, i, server);
		load->clients[i].pid = pid;
	}
	must(wait_until(all_have_connected, load, PATIENCE_MS), "set the clients going");
	return load;
}

long load_connects(const struct load *load)
{
	long sum = 0;

	for (unsigned int i = 0; i < load->n; i++)
		sum += load->clients[i].connects;
	return sum;
}

struct goal {
	const struct load *load;
	long connects;
};

static bool is_reached(void *arg)
{
	const struct goal *goal = arg;

	return load_connects(goal->load) >= goal->connects;
}

void load_wait(const struct load *load, long n)
{
	struct goal goal = {load, load_connects(load) + n};

	must(wait_until(is_reached, &goal, PATIENCE_MS), "see more connects");
}

struct load_result load_stop(struct load *load)
{
	struct load_result result = {0};

	load->stop = true;
	for (unsigned int i = 0; i < load->n; i++) {
		const struct client *client = &load->clients[i];

		waitpid(client->pid, NULL, 0);
		result.connects += client->connects;
		result.failed += client->failed;
		result.slow += client->slow;
		if (client->worst_ms > result.worst_ms)
			result.worst_ms = client->worst_ms;
		if (result.first_error == 0)
			result.first_error = client->first_error;
	}
	result.retransmitted = retransmitted_syns() - load->retransmitted_before;
	kill(load->server, SIGKILL);
	waitpid(load->server, NULL, 0);
	pulse_stop(load->pulse);
	munmap(load, sizeof(*load));
	return result;
}

void load_check(const struct load_result *result, long slow)
{
	if (result->connects > 0 && result->failed == 0 && result->slow <= slow)
		return;
	fail_msg("%ld connects, %ld failed (%s), %ld took more than %ld ms, the worst %ld ms; "
		 "%ld SYNs were sent again",
		 result->connects, result->failed, strerror(result->first_error), result->slow,
		 load_slow_ms(), result->worst_ms, result->retransmitted);
}
