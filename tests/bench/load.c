/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A closed loop of clients: each connects, closes with a reset, and connects again. A reset leaves
 * no TIME_WAIT behind, so that the last connect of a run meets the same kernel as the first.
 *
 * With --listen it is the server too, with an accepting thread for each processor: one alone could
 * not keep up, and connects would then wait for room in the accept queue. ListenOverflows tells.
 *
 * Every thread has a descriptor table of its own; a shared one would be what is measured.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cputime.h"
#include "histogram.h"
#include "lib/endpoint.h"
#include "lib/monotime.h"
#include "lib/ports.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "lib/usage.h"

#define MAX_CLIENTS 256
/* As much as net.core.somaxconn lets it be. */
#define BACKLOG 65535

struct options {
	union endpoint server, listen_at;
	bool listen;
	long clients, ms, watched_pid;
	struct ports ports;
};

struct run {
	struct options options;
	int listener;
	long acceptors;
	pthread_barrier_t start;
	atomic_bool stop;
	atomic_size_t next_port; /* of options.ports */
};

struct client {
	struct run *run;
	pthread_t thread;
	struct histogram connect_ns;
	int64_t began_ns, ended_ns;
	uint64_t failed;
	int last_error;
};

static const char help[] =
	"Usage: load [OPTION]... ADDR:PORT\n"
	"Connects to ADDR:PORT and closes with a reset, over and over, and prints how fast that was.\n"
	"\n"
	"  -l, --listen[=ADDR]  be the server too, on ADDR (default: the same)\n"
	"  -c, --clients=N      clients at the same time (default 1)\n"
	"  -t, --time=MS        for so many milliseconds (default 1000)\n"
	"  -p, --ports=LIST     from each of these ports once, and then end\n"
	"  -w, --watch=PID      tell the processor time of that process as well\n"
	"  -h, --help           this text\n"
	"\n"
	"One line: connects seconds p50_us p99_us p999_us max_us load_cpu_s watched_cpu_s\n"
	"overflows failed. Exit status: 0 no connect failed, 1 some did, 2 wrong usage.\n";

/* --- threads ------------------------------------------------------------------------------------ */

static void begin(struct run *run)
{
	if (unshare(CLONE_FILES) < 0)
		fatal("a descriptor table of its own", errno);
	pthread_barrier_wait(&run->start);
}

static void *accept_all(void *ctx)
{
	struct run *run = ctx;

	begin(run);
	for (;;) {
		int fd = accept4(run->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			close(fd);
		else if (errno == EINVAL) /* shutdown(): the end */
			return NULL;
		else if (errno != ECONNABORTED && errno != EINTR)
			fatal("accept", errno);
	}
}

/* The next port to connect from, 0 for any; false when the list is at its end. */
static bool take_port(struct run *run, uint16_t *ret_port)
{
	const struct ports *ports = &run->options.ports;
	size_t i;

	*ret_port = 0;
	if (ports->count == 0)
		return true;
	i = atomic_fetch_add(&run->next_port, 1);
	if (i >= ports->count)
		return false;
	*ret_port = ports->list[i];
	return true;
}

/* The duration of connect() in nanoseconds, or a negative errno. */
static int64_t connect_once(const union endpoint *server, uint16_t port)
{
	int fd = socket(server->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t began, result;

	if (fd < 0)
		return -errno;
	if (port != 0) {
		union endpoint src = *server;

		endpoint_set_port(&src, port);
		if (bind(fd, &src.sa, endpoint_len(&src)) < 0) {
			result = -errno;
			close(fd);
			return result;
		}
	}
	began = mono_ns();
	result = connect(fd, &server->sa, endpoint_len(server)) < 0 ? -errno : 0;
	if (result == 0)
		result = mono_ns() - began;
	sock_reset(fd);
	return result;
}

static void *connect_all(void *ctx)
{
	struct client *client = ctx;
	struct run *run = client->run;
	uint16_t port;

	begin(run);
	client->began_ns = mono_ns();
	while (!atomic_load_explicit(&run->stop, memory_order_relaxed) && take_port(run, &port)) {
		int64_t ns = connect_once(&run->options.server, port);

		if (ns >= 0) {
			histogram_add(&client->connect_ns, (uint64_t)ns);
		} else {
			client->failed++;
			client->last_error = (int)-ns;
		}
	}
	client->ended_ns = mono_ns();
	return NULL;
}

static void start_thread(pthread_t *thread, void *(*body)(void *), void *ctx)
{
	int err = pthread_create(thread, NULL, body, ctx);

	if (err)
		fatal("start a thread", err);
}

/* --- options ------------------------------------------------------------------------------------ */

static struct options parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{"listen", optional_argument, NULL, 'l'},
		{"clients", required_argument, NULL, 'c'},
		{"time", required_argument, NULL, 't'},
		{"ports", required_argument, NULL, 'p'},
		{"watch", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.clients = 1, .ms = 1000};
	const char *listen_at = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "l::c:t:p:w:h", longs, NULL)) != -1) {
		switch (c) {
		case 'l':
			options.listen = true;
			listen_at = optarg;
			break;
		case 'c':
			options.clients =
				usage_number(optarg, 1, MAX_CLIENTS, "clients are 1 to 256, not");
			break;
		case 't':
			options.ms =
				usage_number(optarg, 1, 3600000, "the time is 1 to 3600000, not");
			break;
		case 'p':
			usage_ports(optarg, &options.ports);
			break;
		case 'w':
			options.watched_pid = usage_number(optarg, 1, 0x7fffffff, "not a process");
			break;
		case 'h':
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		default: /* getopt_long() has named the option */
			exit(EXIT_USAGE);
		}
	}
	options.server = usage_endpoint(argc, argv, optind);
	options.listen_at = options.server;
	if (listen_at &&
	    endpoint_parse(listen_at, endpoint_port(&options.server), &options.listen_at) < 0)
		usage_error("the address to listen on is numeric, not", listen_at);
	return options;
}

/* --- the run ------------------------------------------------------------------------------------ */

struct figures {
	int64_t load_cpu_ns, watched_cpu_ns, overflows;
};

static int64_t own_cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage); /* threads that have ended included */
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000000) +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000);
}

static struct figures read_figures(const struct options *options)
{
	return (struct figures){
		.load_cpu_ns = own_cpu_ns(),
		.watched_cpu_ns =
			options->watched_pid ? cputime_of((pid_t)options->watched_pid) : 0,
		.overflows = snmp_counter("TcpExt", "ListenOverflows"),
	};
}

static struct figures difference(const struct figures *after, const struct figures *before)
{
	return (struct figures){
		.load_cpu_ns = after->load_cpu_ns - before->load_cpu_ns,
		.watched_cpu_ns = after->watched_cpu_ns - before->watched_cpu_ns,
		.overflows = after->overflows - before->overflows,
	};
}

/* Everything that all clients have done, in the first of them. */
static const struct client *sum_up(struct client *clients, long n)
{
	struct client *sum = &clients[0];

	for (long i = 1; i < n; i++) {
		histogram_merge(&sum->connect_ns, &clients[i].connect_ns);
		sum->failed += clients[i].failed;
		if (clients[i].began_ns < sum->began_ns)
			sum->began_ns = clients[i].began_ns;
		if (clients[i].ended_ns > sum->ended_ns)
			sum->ended_ns = clients[i].ended_ns;
		if (clients[i].last_error)
			sum->last_error = clients[i].last_error;
	}
	return sum;
}

static double percentile_us(const struct client *sum, double percent)
{
	return (double)histogram_percentile(&sum->connect_ns, percent) / 1e3;
}

static void report(const struct client *sum, const struct figures *used)
{
	if (sum->failed)
		fprintf(stderr, "load: %" PRIu64 " connects failed, the last one: %s\n",
			sum->failed, strerror(sum->last_error));
	printf("%" PRIu64 " %.6f %.2f %.2f %.2f %.2f %.6f %.6f %" PRId64 " %" PRIu64 "\n",
	       sum->connect_ns.count, (double)(sum->ended_ns - sum->began_ns) / 1e9,
	       percentile_us(sum, 50), percentile_us(sum, 99), percentile_us(sum, 99.9),
	       (double)sum->connect_ns.max / 1e3, (double)used->load_cpu_ns / 1e9,
	       (double)used->watched_cpu_ns / 1e9, used->overflows, sum->failed);
}

static void start_all(struct run *run, struct client *clients, pthread_t *acceptors)
{
	const struct options *options = &run->options;

	if (options->listen) {
		run->listener = sock_listen(&options->listen_at, BACKLOG, false);
		if (run->listener < 0)
			fatal("listen", run->listener);
		/* No more than clients, lest they do nothing but wake each other. */
		run->acceptors = sysconf(_SC_NPROCESSORS_ONLN);
		if (run->acceptors > options->clients)
			run->acceptors = options->clients;
	}
	pthread_barrier_init(&run->start, NULL,
			     (unsigned int)(options->clients + run->acceptors + 1));
	for (long i = 0; i < run->acceptors; i++)
		start_thread(&acceptors[i], accept_all, run);
	for (long i = 0; i < options->clients; i++) {
		clients[i].run = run;
		start_thread(&clients[i].thread, connect_all, &clients[i]);
	}
	pthread_barrier_wait(&run->start);
}

static void stop_all(struct run *run, struct client *clients, pthread_t *acceptors)
{
	const struct options *options = &run->options;
	const struct timespec time = {options->ms / 1000, options->ms % 1000 * 1000000};

	if (options->ports.count == 0) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
		atomic_store(&run->stop, true);
	}
	for (long i = 0; i < options->clients; i++)
		pthread_join(clients[i].thread, NULL);
	if (!options->listen)
		return;
	shutdown(run->listener, SHUT_RDWR);
	for (long i = 0; i < run->acceptors; i++)
		pthread_join(acceptors[i], NULL);
}

int main(int argc, char **argv)
{
	static struct client clients[MAX_CLIENTS];
	pthread_t acceptors[MAX_CLIENTS];
	struct run run = {.options = parse_options(argc, argv)};
	struct figures before, after, used;
	const struct client *sum;

	before = read_figures(&run.options);
	start_all(&run, clients, acceptors);
	stop_all(&run, clients, acceptors);
	after = read_figures(&run.options);
	used = difference(&after, &before);
	sum = sum_up(clients, run.options.clients);
	report(sum, &used);
	return sum->failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
