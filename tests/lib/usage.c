/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/usage.h"
#include "lib/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void usage_error(const char *what, const char *value)
{
	fprintf(stderr, "%s: %s%s%s; try --help\n", program_invocation_short_name, what,
		value ? ": " : "", value ? value : "");
	exit(EXIT_USAGE);
}

_Noreturn void fatal(const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(abs(err)));
	exit(EXIT_FAILURE);
}

long usage_number(const char *text, long min, long max, const char *what)
{
	long value;

	if (number_parse(text, min, max, &value) < 0)
		usage_error(what, text);
	return value;
}

void usage_ports(const char *text, struct ports *ports)
{
	ports_free(ports);
	if (ports_parse(text, ports) < 0)
		usage_error("not a list of ports such as 40000-40099,50000", text);
}

union endpoint usage_endpoint(int argc, char **argv, int optind_now)
{
	union endpoint ep;

	if (optind_now != argc - 1)
		usage_error("exactly one ADDR:PORT is needed", NULL);
	if (endpoint_parse_pair(argv[optind_now], &ep) < 0)
		usage_error("not ADDR:PORT or [ADDR6]:PORT with a numeric address",
			    argv[optind_now]);
	return ep;
}
