/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweeper: a thread that sweeps (sweep.h), with sockets of its own and below the priority of
 * everybody who holds SYNs.
 */
#ifndef CW_SWEEPER_H
#define CW_SWEEPER_H

#include "conf.h"
#include "incident.h"
#include "sweepstats.h"

#include <stdbool.h>
#include <stdint.h>

struct sweeper;

/*
 * Starts the thread, also where the sweep is off: after the seccomp filter none could be given its
 * priority. wake_fd is an eventfd that is written whenever there is an incident to take, a
 * configuration was taken over or a sweep has ended. On failure error holds one line; -errno is
 * returned.
 */
int sweeper_start(const struct conf *conf, enum mode mode, int wake_fd,
		  struct sweeper **ret_sweeper, char error[static CONF_ERROR_SIZE]);
/* Ends the thread, in the middle of a sweep too. Counters and incidents can be read on. */
void sweeper_stop(struct sweeper *sweeper);
/* Releases a sweeper that was stopped; NULL is none. */
void sweeper_free(struct sweeper *sweeper);

/* As worker_configure() and worker_generation(). */
int sweeper_configure(struct sweeper *sweeper, const struct conf *conf, enum mode mode,
		      uint64_t generation);
uint64_t sweeper_generation(const struct sweeper *sweeper);

/* Takes the oldest incident; false if there is none. Only the main thread. */
bool sweeper_take_incident(struct sweeper *sweeper, struct incident *ret_incident);
/* The same for the oldest sweep that has ended. */
bool sweeper_take_end(struct sweeper *sweeper, struct sweep_end *ret_end);
const struct sweepstats *sweeper_stats(const struct sweeper *sweeper);

#endif
