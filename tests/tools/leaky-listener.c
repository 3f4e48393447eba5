/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bug itself: a server that accepts connections and never closes them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/endpoint.h"
#include "lib/fdlimit.h"
#include "lib/leak.h"
#include "lib/sockets.h"
#include "lib/usage.h"

struct options {
	union endpoint at;
	long backlog;
	bool v6only, no_accept, verbose;
};

static const char help[] =
	"Usage: leaky-listener [OPTION]... ADDR:PORT\n"
	"Accepts TCP connections and never closes them: when a client closes, its connection stays\n"
	"in CLOSE_WAIT here for ever.\n"
	"\n"
	"ADDR is numeric; [::] takes IPv4 clients too. Port 0 lets the kernel choose. The line\n"
	"`listening ADDR:PORT' on standard output says that clients may come. SIGTERM and SIGINT end\n"
	"it with a summary.\n"
	"\n"
	"  -b, --backlog=N   length of the accept queue, 0 to 65535 (default 4096; the kernel\n"
	"                    cuts it to net.core.somaxconn)\n"
	"  -6, --v6only      [::] takes IPv6 clients only\n"
	"  -n, --no-accept   do not even accept: the accept queue fills up\n"
	"  -v, --verbose     one line for each accepted connection\n"
	"  -h, --help        this text\n"
	"\n"
	"Examples:\n"
	"  leaky-listener 127.0.0.1:8000\n"
	"  leaky-listener -v [::]:0\n"
	"  leaky-listener --no-accept --backlog=4 127.0.0.1:8000   # a full accept queue\n";

static struct options parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{"backlog", required_argument, NULL, 'b'}, {"v6only", no_argument, NULL, '6'},
		{"no-accept", no_argument, NULL, 'n'},	   {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},	   {NULL, 0, NULL, 0},
	};
	struct options options = {.backlog = 4096};
	int c;

	while ((c = getopt_long(argc, argv, "b:6nvh", longs, NULL)) != -1) {
		switch (c) {
		case 'b':
			options.backlog = usage_number(
				optarg, 0, 65535, "the backlog is a number from 0 to 65535, not");
			break;
		case '6':
			options.v6only = true;
			break;
		case 'n':
			options.no_accept = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		default: /* getopt_long() has named the option */
			exit(EXIT_USAGE);
		}
	}
	options.at = usage_endpoint(argc, argv, optind);
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	char text[ENDPOINT_TEXT];
	int listener, signal_fd;
	long held;

	fdlimit_raise();
	signal_fd = leak_signals();
	if (signal_fd < 0)
		fatal("cannot wait for signals", signal_fd);
	listener = sock_listen(&options.at, (int)options.backlog, options.v6only);
	if (listener < 0) {
		snprintf(text, sizeof(text), "cannot listen on %s", argv[optind]);
		fatal(text, listener);
	}
	fcntl(listener, F_SETFL, O_NONBLOCK);
	endpoint_local(listener, &options.at);
	printf("listening %s\n", endpoint_format(&options.at, text));
	fflush(stdout);

	held = leak_serve(options.no_accept ? -1 : listener, signal_fd, options.verbose);
	printf("accepted %ld, holding %ld\n", held, held);
	return EXIT_SUCCESS;
}
