/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl: closewaitctl's commands. Each is a function in a file of its own; ctl.c is their table.
 * argv[0] of a command is its name; what it returns is the program's exit status.
 */
#ifndef CW_CTL_H
#define CW_CTL_H

#include <stdbool.h>
#include <stddef.h>

/* Part of the interface: documented in closewaitctl(8). */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1, /* understood and asked, and the answer is no */
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3, /* nobody answers on the socket */
	CTL_DENIED = 4,
	CTL_FOUND = 5, /* scan: there are mines; doctor: something is bad */
};

/* The options that all commands have. */
struct ctl {
	const char *socket;    /* NULL: what the configuration says */
	const char *conf_path; /* never NULL */
	bool json;
	bool help;
	bool version;
};

int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_stats(struct ctl *ctl, int argc, char **argv);
int ctl_events(struct ctl *ctl, int argc, char **argv);
int ctl_doctor(struct ctl *ctl, int argc, char **argv);
int ctl_explain(struct ctl *ctl, int argc, char **argv);
int ctl_scan(struct ctl *ctl, int argc, char **argv);
int ctl_mode(struct ctl *ctl, int argc, char **argv);
int ctl_reload(struct ctl *ctl, int argc, char **argv);
int ctl_metrics(struct ctl *ctl, int argc, char **argv);
int ctl_ping(struct ctl *ctl, int argc, char **argv);

#endif
