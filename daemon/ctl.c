/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctl.h"
#include "conf.h"
#include "ctloptions.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	const char *arguments;
	const char *purpose;
	int (*run)(struct ctl *ctl, int argc, char **argv);
} commands[] = {
	{"status", "", "how the daemon is, and whether the rules miss traffic", ctl_status},
	{"stats", "", "everything it has counted since it was started", ctl_stats},
	{"events", "[-f] [-n N] [FILTER]...", "the last incidents; -f: and those to come",
	 ctl_events},
	{"explain", "SRC DST", "what would happen to this SYN now; needs no daemon", ctl_explain},
	{"scan", "[--fds] [-w N]", "who leaks sockets, and how often that hurts; needs no daemon",
	 ctl_scan},
	{"doctor", "[--passive]",
	 "what this host does to a collision, and what to do; needs no daemon", ctl_doctor},
	{"mode", "audit|enforce", "change the mode, until it is changed again or the daemon ends",
	 ctl_mode},
	{"reload", "", "read the configuration again", ctl_reload},
	{"metrics", "", "all counters as Prometheus reads them", ctl_metrics},
	{"ping", "", "whether the daemon answers", ctl_ping},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	puts("Usage: closewaitctl COMMAND [OPTION]...\n"
	     "Asks a running closewaitd, and tells it what to do.\n");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		char usage[64];

		snprintf(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].arguments);
		printf("  %-34s %s\n", usage, commands[i].purpose);
	}
	puts("\n"
	     "Options:\n"
	     "  -s, --socket SOCKET  the daemon's socket; else control.socket of the "
	     "configuration\n"
	     "  -c, --config FILE    the configuration; else " CONF_DEFAULT_PATH "\n"
	     "  -j, --json           write JSON, for programs\n"
	     "  -V, --version        print the version and exit\n"
	     "  -h, --help           print this and exit\n"
	     "Options of events:\n"
	     "  -f, --follow         go on with the events to come\n"
	     "  -n, --number N       show at most N of those that the daemon keeps; else 20\n"
	     "      --port PORT      only SYNs to this port\n"
	     "      --event EVENT    only collision, unproven, accept-queue-full, ...\n"
	     "      --action ACTION  only log, destroy, drop or reject\n"
	     "      --unit UNIT      only sockets of this systemd unit\n"
	     "Options of scan:\n"
	     "      --fds            list the descriptors\n"
	     "  -w, --watch N        again every N seconds, with the growth in between\n"
	     "Option of doctor:\n"
	     "      --passive        make no collision to see what comes of it\n"
	     "\n"
	     "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no daemon answers,\n"
	     "4 not permitted, 5 scan has found mines, or doctor something bad. "
	     "See closewaitctl(8).");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	int first = ctl_common_options(ctl, argc, argv);
	const struct command *command;

	if (first < 0)
		return CTL_USAGE;
	if (first == argc) {
		ctl_complain("what shall be done? Try 'closewaitctl --help'");
		return CTL_USAGE;
	}
	command = find_command(argv[first]);
	if (!command) {
		ctl_complain("unknown command '%s'. Try 'closewaitctl --help'", argv[first]);
		return CTL_USAGE;
	}
	return command->run(ctl, argc - first, argv + first);
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.conf_path = CONF_DEFAULT_PATH};
	int status = run(&ctl, argc, argv);

	if (ctl.help)
		print_help();
	else if (ctl.version)
		puts("closewaitctl " PACKAGE_VERSION);
	else
		return status;
	return CTL_OK;
}
