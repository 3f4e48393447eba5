/* SPDX-License-Identifier: GPL-2.0-or-later */
/* servicestate: what the main thread knows. Shared by the files of layer 4 and by nobody else. */
#ifndef CW_SERVICESTATE_H
#define CW_SERVICESTATE_H

#include "cgroup.h"
#include "conf.h"
#include "event.h"
#include "service.h"
#include "worker.h"

#include <stdbool.h>
#include <stdint.h>

/* A configuration or a mode that was given to the workers, until each of them has taken it over. */
struct change {
	struct change *next; /* a later one */
	uint64_t generation;
	struct conf *old; /* used by nobody after that; NULL: only the mode has changed */
};

struct service {
	const struct service_options *options;
	struct conf *conf;
	uint64_t generation;
	struct change *changes; /* the oldest first */
	bool stop;
	int signal_fd;
	int wake_fd;
	int destroy_support; /* diag_probe_destroy() */
	struct cgroup_map *cgroups;
	struct event_output events;
	struct worker **workers;
	unsigned int n_workers;
};

#endif
