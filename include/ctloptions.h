/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctloptions: closewaitctl's command line. What is wrong with it is said on stderr. */
#ifndef CW_CTLOPTIONS_H
#define CW_CTLOPTIONS_H

#include "ctl.h"

/* An option of one command: a flag, or a text that comes with it. */
struct ctl_option {
	const char *name;
	char letter; /* 0: none */
	bool *ret_flag;
	const char **ret_text; /* NULL for a flag */
};

/*
 * The options before the command; the index of the first other argument, -1 for wrong usage or if
 * only help or the version is wanted.
 */
int ctl_common_options(struct ctl *ctl, int argc, char **argv);
/*
 * The options of a command, the common ones included, wherever they stand. What is left are n
 * arguments; their index in argv, -1 as above, also for another number of them.
 */
int ctl_arguments(struct ctl *ctl, int argc, char **argv, const struct ctl_option *own,
		  size_t n_own, int n);
/* "closewaitctl: " and a line, on stderr. */
void ctl_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
