/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker: a thread that owns one queue and everything it takes to judge its SYNs.
 *
 * Shares with the main thread: counters, a ring of incidents, a descriptor to wake it, and the
 * configuration, which is only read and is exchanged between two batches. With the other workers:
 * how many sockets may be destroyed.
 */
#ifndef CW_WORKER_H
#define CW_WORKER_H

#include "conf.h"
#include "failopen.h"
#include "incident.h"
#include "ratelimit.h"
#include "stats.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct worker;

/*
 * Opens the queue and starts the thread. failopen looks after it from there on, at the index that
 * the queue has among those of the configuration. wake_fd is an eventfd that is written whenever
 * there is an incident to take, a configuration was taken over or the worker has failed. On failure
 * error holds one line that says what is missing and what to do; -errno is returned.
 */
int worker_start(uint16_t queue_number, const struct conf *conf, enum mode mode,
		 struct ratelimit *destroys, struct failopen *failopen, int wake_fd,
		 struct worker **ret_worker, char error[static CONF_ERROR_SIZE]);
/*
 * The worker is to let new SYNs pass unqueued, to give every held one its verdict and to end. All
 * are told before one is waited for, as the kernel may keep it.
 */
void worker_stop(struct worker *worker);
/* Waits for a worker that was told to stop. Counters and incidents can be read on. */
void worker_join(struct worker *worker);
/* Releases a worker that has ended. */
void worker_free(struct worker *worker);

/*
 * Hands over a configuration, which must live until worker_generation() returns generation.
 * -ENOMEM: the worker goes on with the old one.
 */
int worker_configure(struct worker *worker, const struct conf *conf, enum mode mode,
		     uint64_t generation);
uint64_t worker_generation(const struct worker *worker);

/* The oldest incident, NULL if there is none; until it is taken. Only the main thread. */
const struct incident *worker_first_incident(const struct worker *worker);
/* Takes the oldest incident; false if there is none. Only the main thread. */
bool worker_take_incident(struct worker *worker, struct incident *ret_incident);
/* Whether a SYN waits, in the queue's socket or in the batch that was received last. */
bool worker_has_held(const struct worker *worker);
/* Whether it does not come back from judging: what it held was let go, and SYNs pass unjudged. */
bool worker_is_away(const struct worker *worker);
/* The number of its thread, 0 until that runs. */
pid_t worker_tid(const struct worker *worker);
/* How many packets have had their verdicts. */
uint64_t worker_judged(const struct worker *worker);
const struct stats *worker_stats(const struct worker *worker);
/* The negative errno that ended the worker, 0 while it works. */
int worker_failure(const struct worker *worker);

#endif
