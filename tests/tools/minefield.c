/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plants CLOSE_WAIT sockets whose peers are gone: each is a collision waiting for its port. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "field.h"
#include "holders.h"
#include "lib/fdlimit.h"
#include "lib/leak.h"
#include "lib/monotime.h"
#include "lib/sockets.h"
#include "lib/usage.h"

/* More than memory for sockets holds; keeps the arrays small. */
#define MAX_MINES 4000000

struct options {
	struct field_plan plan;
	union endpoint listen_at;
	bool listen, hand_over, random;
	long count, seed;
};

static const char help[] =
	"Usage: minefield [OPTION]... ADDR:PORT\n"
	"Plants CLOSE_WAIT sockets without a peer on the server at ADDR:PORT, which must be one that\n"
	"does not close when its client does. Each is a mine: the next client that is given its\n"
	"source port collides with it.\n"
	"\n"
	"  -l, --listen[=ADDR]  be that server, on ADDR (default: the same); after the line\n"
	"                       `planted ...' hold the mines and leak all later connections too,\n"
	"                       until SIGTERM or SIGINT. [::] takes IPv4 too\n"
	"      --hand-over      with --listen: once all are planted hold them, but stop listening,\n"
	"                       so that another server can take the address\n"
	"  -p, --ports=LIST     source ports: 40000-40099,50000 (default: ip_local_port_range)\n"
	"  -s, --source=ADDR[-ADDR]  source address, or an IPv4 range such as\n"
	"                       127.0.0.1-127.0.0.4 (default: the kernel's choice)\n"
	"  -c, --count=N        mines (default: every port of every address)\n"
	"  -r, --random         in random order, which matters with --count\n"
	"      --seed=N         of that order, for the same one again (default 1)\n"
	"      --honest         close the clients and wait for tcp_fin_timeout, as in real life.\n"
	"                       Otherwise TCP_REPAIR removes them at once (CAP_NET_ADMIN)\n"
	"  -h, --help           this text\n"
	"\n"
	"Exit status: 0 all were planted, 1 some were not, 2 wrong usage.\n"
	"\n"
	"Examples:\n"
	"  minefield --listen 127.0.0.1:8000                  # every ephemeral port is mined\n"
	"  minefield -p 40000-40099 127.0.0.1:8000            # on somebody else's server\n"
	"  minefield -l -c 100000 -s 127.0.0.1-127.0.0.4 127.0.0.1:8000\n";

/* [::] or :: */
static void parse_listen(const char *text, struct options *options)
{
	char address[ENDPOINT_TEXT];
	size_t len = strlen(text);

	if (text[0] == '[' && text[len - 1] == ']' && len < sizeof(address)) {
		memcpy(address, text + 1, len - 2);
		address[len - 2] = '\0';
		text = address;
	}
	if (endpoint_parse(text, 0, &options->listen_at) < 0)
		usage_error("the address to listen on is numeric, not", text);
}

static void complete(struct options *options)
{
	struct field_plan *plan = &options->plan;
	size_t places;

	if (plan->sources.count == 0) {
		plan->sources.first.sa.sa_family = plan->server.sa.sa_family;
		plan->sources.count = 1;
	}
	if (plan->sources.first.sa.sa_family != plan->server.sa.sa_family)
		usage_error("source and server are of different address families", NULL);
	if (options->listen && options->listen_at.sa.sa_family == 0)
		options->listen_at = plan->server;
	endpoint_set_port(&options->listen_at, endpoint_port(&plan->server));
	if (plan->ports.count == 0) {
		int rc = ports_ephemeral(&plan->ports);

		if (rc < 0)
			fatal("cannot read net.ipv4.ip_local_port_range", rc);
	}
	places = plan->sources.count * plan->ports.count;
	plan->count = options->count ? (size_t)options->count : places;
	if (plan->count > places)
		usage_error("there are fewer ports and addresses than --count mines", NULL);
	if (places > MAX_MINES)
		usage_error("more than 4000000 ports and addresses", NULL);
}

static struct options parse_options(int argc, char **argv)
{
	enum { OPT_SEED = 256, OPT_HONEST, OPT_HAND_OVER };
	static const struct option longs[] = {
		{"listen", optional_argument, NULL, 'l'},
		{"ports", required_argument, NULL, 'p'},
		{"source", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"random", no_argument, NULL, 'r'},
		{"seed", required_argument, NULL, OPT_SEED},
		{"honest", no_argument, NULL, OPT_HONEST},
		{"hand-over", no_argument, NULL, OPT_HAND_OVER},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.seed = 1};
	int c;

	while ((c = getopt_long(argc, argv, "l::p:s:c:rh", longs, NULL)) != -1) {
		switch (c) {
		case 'l':
			options.listen = true;
			if (optarg)
				parse_listen(optarg, &options);
			break;
		case 'p':
			usage_ports(optarg, &options.plan.ports);
			break;
		case 's':
			if (sources_parse(optarg, &options.plan.sources) < 0)
				usage_error("not an address, nor an IPv4 range of at most 65536",
					    optarg);
			break;
		case 'c':
			options.count =
				usage_number(optarg, 1, MAX_MINES,
					     "the count is a number from 1 to 4000000, not");
			break;
		case 'r':
			options.random = true;
			break;
		case OPT_SEED:
			options.seed =
				usage_number(optarg, 0, 0x7fffffff,
					     "the seed is a number from 0 to 2147483647, not");
			break;
		case OPT_HAND_OVER:
			options.hand_over = true;
			break;
		case OPT_HONEST:
			options.plan.honest = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		default: /* getopt_long() has named the option */
			exit(EXIT_USAGE);
		}
	}
	options.plan.server = usage_endpoint(argc, argv, optind);
	if (options.hand_over && !options.listen)
		usage_error("--hand-over is for --listen only", NULL);
	if (endpoint_port(&options.plan.server) == 0 && !options.listen)
		usage_error("port 0 is for --listen only", NULL);
	complete(&options);
	return options;
}

/* splitmix64: the same order for the same seed with every C library. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void make_order(const struct options *options, struct field_plan *plan)
{
	size_t places = plan->sources.count * plan->ports.count;
	uint64_t state = (uint64_t)options->seed;

	plan->order = malloc(places * sizeof(*plan->order));
	if (!plan->order)
		fatal("cannot remember the ports", ENOMEM);
	for (size_t i = 0; i < places; i++)
		plan->order[i] = i;
	for (size_t i = 0; options->random && i < plan->count; i++) {
		size_t j = i + (size_t)(next_random(&state) % (places - i)), saved = plan->order[i];

		plan->order[i] = plan->order[j];
		plan->order[j] = saved;
	}
}

/* One clear message instead of a failure per mine. */
static void need_repair(void)
{
	int err = 0, on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fatal("cannot make a socket", errno);
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		err = errno;
	close(fd);
	if (!err)
		return;
	fprintf(stderr,
		"minefield: TCP_REPAIR: %s; it needs CAP_NET_ADMIN. --honest does without, but waits "
		"for tcp_fin_timeout\n",
		strerror(err));
	exit(EXIT_FAILURE);
}

static int start_listening(struct options *options)
{
	char text[ENDPOINT_TEXT];
	int fd = sock_listen(&options->listen_at, 65535, false);

	if (fd < 0) {
		fprintf(stderr, "minefield: cannot listen on %s: %s\n",
			endpoint_format(&options->listen_at, text), strerror(-fd));
		exit(EXIT_FAILURE);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	endpoint_local(fd, &options->listen_at);
	endpoint_set_port(&options->plan.server, endpoint_port(&options->listen_at));
	printf("listening %s\n", endpoint_format(&options->listen_at, text));
	fflush(stdout);
	return fd;
}

static void report(const struct field_plan *plan, const struct field_result *result, int64_t ns)
{
	printf("planted %zu of %zu mines in %.3f s\n", result->planted, plan->count,
	       (double)ns / 1e9);
	for (size_t i = 0; i < FIELD_REASONS && result->failed[i].what; i++)
		printf("failed %zu: %s%s%s\n", result->failed[i].count, result->failed[i].what,
		       result->failed[i].err ? ": " : "",
		       result->failed[i].err ? strerror(result->failed[i].err) : "");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct field_plan *plan = &options.plan;
	struct field_result *result = holders_alloc(sizeof(*result));
	union endpoint *clients = holders_alloc(plan->count * sizeof(*clients));
	int listener = -1, signal_fd = -1, rc;
	int64_t start;

	if (!result || !clients)
		fatal("cannot allocate memory", ENOMEM);
	if (!plan->honest)
		need_repair();
	make_order(&options, plan);
	fdlimit_raise();
	if (options.listen) {
		signal_fd = leak_signals();
		if (signal_fd < 0)
			fatal("cannot wait for signals", signal_fd);
		listener = start_listening(&options);
	}
	start = mono_ns();
	rc = options.listen ? holders_plant(plan, listener, signal_fd, clients, result)
			    : field_plant(plan, 0, plan->count, -1, clients, result);
	/* The helpers have the listener too, so closing it here would not be enough. */
	if (options.hand_over)
		shutdown(listener, SHUT_RDWR);
	report(plan, result, mono_ns() - start);
	if (rc < 0) {
		holders_end();
		fatal("cannot go on", rc);
	}
	if (options.listen) {
		long later = leak_serve(options.hand_over ? -1 : listener, signal_fd, false);

		printf("mines left %ld of %zu, later connections %ld\n",
		       field_count_mines(plan, clients, plan->count), result->planted, later);
		holders_end();
	}
	free(plan->order);
	ports_free(&plan->ports);
	return result->planted == plan->count ? EXIT_SUCCESS : EXIT_FAILURE;
}
