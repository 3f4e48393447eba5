/* SPDX-License-Identifier: GPL-2.0-or-later */
/* servicestate: what the main thread knows. Shared by the files of layer 4 and by nobody else. */
#ifndef CW_SERVICESTATE_H
#define CW_SERVICESTATE_H

#include "attribution.h"
#include "cgroup.h"
#include "conf.h"
#include "control.h"
#include "diag.h"
#include "event.h"
#include "failopen.h"
#include "fullqueue.h"
#include "hostaddr.h"
#include "journal.h"
#include "kstat.h"
#include "prefilter.h"
#include "recent.h"
#include "service.h"
#include "sweeper.h"
#include "textfile.h"
#include "watchdog.h"
#include "worker.h"

#include <stdbool.h>
#include <stdint.h>

/* A configuration or a mode that was given to the workers, until each of them has taken it over. */
struct change {
	struct change *next; /* a later one */
	uint64_t generation;
	bool is_reload;	     /* else only the mode has changed */
	struct conf *old;    /* of a reload: used by nobody after that */
	uint64_t client;     /* that waits for it, 0 for none */
	bool restart_needed; /* a part of the new file has to wait for a restart */
};

struct service {
	const struct service_options *options;
	struct conf *conf;
	bool has_mode; /* closewaitctl has set it, in place of the option's and the file's */
	enum mode mode;
	uint64_t generation;
	struct change *changes;		    /* the oldest first */
	char reload_error[CONF_ERROR_SIZE]; /* of the last one, "" if it went well */
	bool stop;

	int signal_fd;
	int wake_fd;
	struct control *control; /* NULL if there is none */
	struct textfile *textfile;
	struct journal *journal;
	struct watchdog *watchdog; /* NULL if nobody waits for a keep-alive */

	struct diag *diag; /* for explain */
	struct hostaddr *host;
	struct cgroup_map *cgroups;
	int destroy_support; /* diag_probe_destroy() */

	struct prefilter *prefilter;	 /* NULL: not wanted, or not to be had */
	struct attribution *attribution; /* NULL: events do not name processes */
	struct event_output events;
	struct recent recent;
	struct fullqueue full_queues;
	struct ratelimit destroys; /* of all workers together */
	struct failopen *failopen; /* of all workers */
	struct worker **workers;
	unsigned int n_workers;
	struct sweeper *sweeper;

	uint64_t start_realtime_ns, start_monotonic_us;
	bool kernel_known; /* kernel_at_start is filled */
	struct kstat kernel_at_start;
};

/* Which SYNs the rules are to send. */
static inline enum conf_filter service_filter_in_force(const struct service *s)
{
	if (s->conf->queue.filter == FILTER_BPF && !s->prefilter)
		return s->conf->queue.filter_fallback;
	return s->conf->queue.filter;
}

#endif
