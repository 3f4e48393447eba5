/* SPDX-License-Identifier: GPL-2.0-or-later */
/* startup: what is done once, before the first SYN; the log is opened again by a reload. */
#ifndef CW_STARTUP_H
#define CW_STARTUP_H

#include "servicestate.h"

/* Chooses where and how much is logged; returns what "auto" turned out to be. */
enum log_target startup_log(const struct service_options *options, const struct conf *conf);
/*
 * The filter that the rules have to be for: the configured one, or the fallback where this build,
 * kernel or user cannot have it; then error holds one line that says why, else it is empty.
 */
enum conf_filter startup_filter(const struct conf *conf, char error[static CONF_ERROR_SIZE]);
/* Attaches the bpf filter if the configuration wants it; where it cannot be had, says so. */
void startup_prefilter(struct service *s);
void startup_end_prefilter(struct service *s);
/* The two stages of isolate.h. A negative errno after having logged what went wrong. */
int startup_privileges(const struct service *s);
int startup_system_calls(void);

#endif
