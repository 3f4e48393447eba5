/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service: the running daemon: workers, signals, reloads, events. The main thread's half. */
#ifndef CW_SERVICE_H
#define CW_SERVICE_H

#include "conf.h"

#include <stdbool.h>

struct service_options {
	const char *conf_path; /* read again at SIGHUP */
	bool has_mode;	       /* mode takes the place of the file's, after a reload too */
	enum mode mode;
	const char *user; /* to become once everything is open; NULL: nobody else */
	bool debug;	  /* to stderr, at level debug, whatever the file says */
};

/*
 * Runs until SIGTERM or SIGINT; takes conf over and releases it. 0, or a negative errno after
 * having logged what went wrong.
 */
int service_run(const struct service_options *options, struct conf *conf);

#endif
