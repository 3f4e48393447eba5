/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchdog: the service manager's keep-alive, sent as long as held SYNs get their verdicts.
 *
 * That the main thread turns round would say nothing about the workers. So at every turn the
 * queues are looked at, and where a SYN has waited since the look before, there is no keep-alive.
 * But for those that were let go because the kernel keeps their worker: a restart ends no such
 * wait, and as long as it lasts the queue cannot be bound again.
 */
#ifndef CW_WATCHDOG_H
#define CW_WATCHDOG_H

#include "worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One queue at one look. */
struct watchdog_view {
	bool held;	 /* packets wait for a verdict */
	uint64_t judged; /* packets that have had one, since the start */
};

/*
 * Whether a packet that waited at the first look still waits at the second: a queue is judged in
 * its order, so if none was judged in between, the first one is still the first.
 */
bool watchdog_is_stuck(const struct watchdog_view *before, const struct watchdog_view *now);

struct watchdog;

/*
 * NULL, and no timer, if no service manager waits for a keep-alive. n is the number of queues.
 * -ENOMEM, or the errno of the timer.
 */
int watchdog_open(size_t n, struct watchdog **ret_watchdog);
/* Readable when watchdog_look() is due; -1 for NULL. */
int watchdog_fd(const struct watchdog *watchdog);
/* Looks at the workers of the n queues from first_queue on, and sends the keep-alive or not. */
void watchdog_look(struct watchdog *watchdog, struct worker *const *workers, uint16_t first_queue);
void watchdog_close(struct watchdog *watchdog);

#endif
