/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connects from chosen source ports and says what became of each attempt, and how long it took. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/endpoint.h"
#include "lib/errname.h"
#include "lib/fdlimit.h"
#include "lib/monotime.h"
#include "lib/ports.h"
#include "lib/samples.h"
#include "lib/sockets.h"
#include "lib/usage.h"

/* Different outcomes in one run; connect() knows about a dozen errors. */
#define MAX_OUTCOMES 32

struct options {
	union endpoint dst, src;
	bool has_src;
	struct ports ports;
	long count, timeout_ms;
	bool hold, summary, json;
};

struct attempt {
	union endpoint src;
	int rc; /* 0 or a negative errno, -EINPROGRESS if we gave up first */
	int64_t ns;
};

struct tally {
	long attempts, connected, outcome_count[MAX_OUTCOMES];
	int outcome[MAX_OUTCOMES];
	int outcomes;
	struct samples connect_ns;
};

static const char help[] =
	"Usage: syn-probe [OPTION]... ADDR:PORT\n"
	"Connects, prints the outcome and the time of each attempt, and closes with a reset.\n"
	"\n"
	"  -s, --source=ADDR   connect from this address\n"
	"  -p, --ports=LIST    connect from these ports, one after the other: 40000-40099,50000\n"
	"                      (default: the kernel chooses)\n"
	"  -c, --count=N       attempts (default: each port of the list once, otherwise 1)\n"
	"  -t, --timeout=MS    give up on an attempt after so many milliseconds\n"
	"                      (default: when the kernel does)\n"
	"      --hold          keep every connection open until the end\n"
	"      --summary       no line per attempt, but counts and min, p50, p99, max over\n"
	"                      the successful ones\n"
	"      --json          JSON: an object per attempt, or one with --summary\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit status: 0 all connected, 1 some did not, 2 wrong usage.\n"
	"\n"
	"Examples:\n"
	"  syn-probe 127.0.0.1:8000\n"
	"  syn-probe -s 127.0.0.1 -p 40000-40099 -t 3000 127.0.0.1:8000\n"
	"  syn-probe --count=10000 --summary --json [::1]:8000\n";

/* A source address without one of its own is the wildcard of the destination's family. */
static void complete_source(struct options *options)
{
	if (options->has_src && options->src.sa.sa_family != options->dst.sa.sa_family)
		usage_error("source and destination are of different address families", NULL);
	if (!options->has_src && options->ports.count) {
		options->src.sa.sa_family = options->dst.sa.sa_family;
		options->has_src = true;
	}
	if (options->count == 0)
		options->count = options->ports.count ? (long)options->ports.count : 1;
}

static struct options parse_options(int argc, char **argv)
{
	enum { OPT_HOLD = 256, OPT_SUMMARY, OPT_JSON };
	static const struct option longs[] = {
		{"source", required_argument, NULL, 's'},
		{"ports", required_argument, NULL, 'p'},
		{"count", required_argument, NULL, 'c'},
		{"timeout", required_argument, NULL, 't'},
		{"hold", no_argument, NULL, OPT_HOLD},
		{"summary", no_argument, NULL, OPT_SUMMARY},
		{"json", no_argument, NULL, OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.timeout_ms = -1};
	int c;

	while ((c = getopt_long(argc, argv, "s:p:c:t:h", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			if (endpoint_parse(optarg, 0, &options.src) < 0)
				usage_error("the source is a numeric address, not", optarg);
			options.has_src = true;
			break;
		case 'p':
			usage_ports(optarg, &options.ports);
			break;
		case 'c':
			options.count =
				usage_number(optarg, 1, 1000000000,
					     "the count is a number from 1 to 1000000000, not");
			break;
		case 't':
			options.timeout_ms =
				usage_number(optarg, 1, INT_MAX,
					     "the time-out is a number of milliseconds, not");
			break;
		case OPT_HOLD:
			options.hold = true;
			break;
		case OPT_SUMMARY:
			options.summary = true;
			break;
		case OPT_JSON:
			options.json = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		default: /* getopt_long() has named the option */
			exit(EXIT_USAGE);
		}
	}
	options.dst = usage_endpoint(argc, argv, optind);
	if (endpoint_port(&options.dst) == 0)
		usage_error("the port is a number from 1 to 65535, not", argv[optind]);
	complete_source(&options);
	return options;
}

static const char *outcome_name(int rc)
{
	return rc == 0 ? "connected" : rc == -EINPROGRESS ? "gave-up" : errname(rc);
}

static struct attempt probe(const struct options *options, long number)
{
	struct attempt attempt = {.src = options->src};
	int64_t start;
	int fd;

	if (options->ports.count)
		endpoint_set_port(&attempt.src,
				  options->ports.list[(size_t)number % options->ports.count]);
	start = mono_ns();
	fd = sock_connect_start(options->has_src ? &attempt.src : NULL, &options->dst);
	attempt.rc = fd < 0 ? fd : sock_connect_finish(fd, (int)options->timeout_ms);
	attempt.ns = mono_ns() - start;
	if (fd >= 0) {
		/* The port that the kernel chose; what we asked for if it says nothing. */
		endpoint_local(fd, &attempt.src);
		if (!options->hold || attempt.rc < 0)
			sock_reset(fd);
	}
	return attempt;
}

static void print_attempt(const struct options *options, const struct attempt *attempt, long number)
{
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];

	if (attempt->src.sa.sa_family == 0) /* socket() failed before there was a source */
		snprintf(src, sizeof(src), "-");
	else
		endpoint_format(&attempt->src, src);
	endpoint_format(&options->dst, dst);
	if (options->json)
		printf("{\"attempt\":%ld,\"source\":\"%s\",\"destination\":\"%s\","
		       "\"outcome\":\"%s\",\"errno\":%d,\"us\":%.1f}\n",
		       number + 1, src, dst, outcome_name(attempt->rc), -attempt->rc,
		       (double)attempt->ns / 1e3);
	else if (attempt->rc == 0)
		printf("%s -> %s connected %.3f ms\n", src, dst, (double)attempt->ns / 1e6);
	else
		printf("%s -> %s %s (errno %d, %s) %.3f ms\n", src, dst, outcome_name(attempt->rc),
		       -attempt->rc, strerror(-attempt->rc), (double)attempt->ns / 1e6);
	fflush(stdout);
}

static void count(struct tally *tally, const struct attempt *attempt)
{
	int i;

	tally->attempts++;
	if (attempt->rc == 0) {
		tally->connected++;
		if (samples_add(&tally->connect_ns, attempt->ns) < 0) {
			fprintf(stderr, "syn-probe: out of memory\n");
			exit(EXIT_FAILURE);
		}
		return;
	}
	for (i = 0; i < tally->outcomes && tally->outcome[i] != attempt->rc; i++)
		;
	if (i == MAX_OUTCOMES)
		return; /* still in `attempts` */
	if (i == tally->outcomes)
		tally->outcome[tally->outcomes++] = attempt->rc;
	tally->outcome_count[i]++;
}

static void print_summary_json(const struct options *options, struct tally *tally)
{
	static const struct {
		const char *name;
		double percent;
	} ranks[] = {{"min", 0}, {"p50", 50}, {"p99", 99}, {"max", 100}};
	char dst[ENDPOINT_TEXT];

	printf("{\"destination\":\"%s\",\"attempts\":%ld,\"connected\":%ld,\"failed\":%ld,"
	       "\"failures\":{",
	       endpoint_format(&options->dst, dst), tally->attempts, tally->connected,
	       tally->attempts - tally->connected);
	for (int i = 0; i < tally->outcomes; i++)
		printf("%s\"%s\":%ld", i ? "," : "", outcome_name(tally->outcome[i]),
		       tally->outcome_count[i]);
	printf("},\"us\":{");
	for (size_t i = 0; tally->connected && i < sizeof(ranks) / sizeof(ranks[0]); i++)
		printf("%s\"%s\":%.1f", i ? "," : "", ranks[i].name,
		       (double)samples_percentile(&tally->connect_ns, ranks[i].percent) / 1e3);
	printf("}}\n");
}

static void print_summary_text(const struct tally *tally)
{
	printf("attempts %ld, connected %ld, failed %ld\n", tally->attempts, tally->connected,
	       tally->attempts - tally->connected);
	for (int i = 0; i < tally->outcomes; i++)
		printf("%s %ld\n", outcome_name(tally->outcome[i]), tally->outcome_count[i]);
	if (tally->connected)
		printf("connect ms: min %.3f p50 %.3f p99 %.3f max %.3f\n",
		       (double)samples_percentile(&tally->connect_ns, 0) / 1e6,
		       (double)samples_percentile(&tally->connect_ns, 50) / 1e6,
		       (double)samples_percentile(&tally->connect_ns, 99) / 1e6,
		       (double)samples_percentile(&tally->connect_ns, 100) / 1e6);
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct tally tally = {0};
	bool all_connected;

	if (options.hold)
		fdlimit_raise();
	for (long i = 0; i < options.count; i++) {
		struct attempt attempt = probe(&options, i);

		count(&tally, &attempt);
		if (!options.summary)
			print_attempt(&options, &attempt, i);
	}
	if (options.summary) {
		samples_sort(&tally.connect_ns);
		if (options.json)
			print_summary_json(&options, &tally);
		else
			print_summary_text(&tally);
	}
	all_connected = tally.connected == tally.attempts;
	samples_free(&tally.connect_ns);
	ports_free(&options.ports);
	return all_connected ? EXIT_SUCCESS : EXIT_FAILURE;
}
