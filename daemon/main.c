/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "conf.h"
#include "log.h"
#include "service.h"
#include "startup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: closewaitd [OPTION]...\n"
	"Protects loopback connections from sockets that were left in CLOSE_WAIT.\n"
	"\n"
	"  -c, --config FILE  read FILE instead of " CONF_DEFAULT_PATH "\n"
	"  -n, --check        check the configuration, print the effective one and exit\n"
	"      --filter       print the filter that can be had here: queue.filter, or its "
	"fallback\n"
	"      --audit        decide and report, touch nothing, whatever the file says\n"
	"      --enforce      act by the policy, whatever the file says\n"
	"  -u, --user USER    become USER, with CAP_NET_ADMIN and nothing else\n"
	"  -d, --debug        log everything to stderr\n"
	"  -V, --version      print the version and exit\n"
	"  -h, --help         print this and exit\n"
	"\n"
	"SIGHUP reads the configuration again; SIGTERM and SIGINT stop without losing a SYN.\n"
	"See closewaitd(8) and closewaitd.conf(5).\n";

struct arguments {
	struct service_options service;
	bool check;
	bool filter;
};

static void parse_arguments(int argc, char **argv, struct arguments *args)
{
	enum { OPT_AUDIT = 256, OPT_ENFORCE, OPT_FILTER };
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'n'},
		{"audit", no_argument, NULL, OPT_AUDIT},
		{"enforce", no_argument, NULL, OPT_ENFORCE},
		{"filter", no_argument, NULL, OPT_FILTER},
		{"user", required_argument, NULL, 'u'},
		{"debug", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:nu:dVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			args->service.conf_path = optarg;
			break;
		case 'n':
			args->check = true;
			break;
		case OPT_FILTER:
			args->filter = true;
			break;
		case OPT_AUDIT:
			args->service.has_mode = true;
			args->service.mode = MODE_AUDIT;
			break;
		case OPT_ENFORCE:
			args->service.has_mode = true;
			args->service.mode = MODE_ENFORCE;
			break;
		case 'u':
			args->service.user = optarg;
			break;
		case 'd':
			args->service.debug = true;
			break;
		case 'V':
			puts("closewaitd " PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs("Try 'closewaitd --help'.\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "closewaitd: unexpected argument '%s'\nTry 'closewaitd --help'.\n",
			argv[optind]);
		exit(EXIT_USAGE);
	}
}

int main(int argc, char **argv)
{
	struct arguments args = {.service = {.conf_path = CONF_DEFAULT_PATH}};
	char error[CONF_ERROR_SIZE];
	struct conf *conf;

	parse_arguments(argc, argv, &args);

	if (conf_load(args.service.conf_path, &conf, error) < 0) {
		fprintf(stderr, "closewaitd: %s\n", error);
		return EXIT_FAILURE;
	}
	if (args.check) {
		conf_print(conf, stdout);
		conf_free(conf);
		return EXIT_SUCCESS;
	}
	if (args.filter) {
		puts(conf_filter_name(startup_filter(conf, error)));
		if (error[0])
			fprintf(stderr, "closewaitd: %s\n", error);
		conf_free(conf);
		return EXIT_SUCCESS;
	}
	startup_log(&args.service, conf);
	return service_run(&args.service, conf) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
