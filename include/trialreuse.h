/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trialreuse: whether this kernel lets connect() have a port again while its old connection is in
 * FIN_WAIT_2, long before tcp_fin_timeout. Where it does, a server need not leak for a collision:
 * it is enough that it closes a little later than its client.
 */
#ifndef CW_TRIALREUSE_H
#define CW_TRIALREUSE_H

#include "child.h"

#include <stdbool.h>
#include <stdint.h>

/* The kernels that do it wait a second, by a clock of whole seconds. */
#define TRIALREUSE_PATIENCE_MS 2100
#define TRIALREUSE_DEADLINE_MS 8000

struct trialreuse {
	int error; /* negative errno: it could not be tried */
	bool reused;
	uint32_t after_ms; /* after the client had closed */
};

/*
 * Starts the trial in a network namespace of its own that has the caller's tcp_tw_reuse and a
 * single port; it takes TRIALREUSE_PATIENCE_MS where the port is not used again. -errno of clone().
 */
int trialreuse_start(struct child *ret_child);
/*
 * Waits for it, until the deadline (CLOCK_MONOTONIC), TRIALREUSE_DEADLINE_MS after its start.
 * -errno: there is no result.
 */
int trialreuse_finish(struct child *child, int64_t deadline_ms, struct trialreuse *ret_reuse);

#endif
