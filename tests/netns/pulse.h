/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the machine itself stood still. A process on each processor wants to run every so often
 * and knows when it could not: that much is not to be blamed on what a test measures.
 */
#ifndef NETNS_PULSE_H
#define NETNS_PULSE_H

struct pulse;

struct pulse *pulse_start(void);
/* All in all since the start, of the processor that it hit hardest. */
long pulse_stalled_ms(const struct pulse *pulse);
/* The same, when every process has had the time to find out that it was late. */
long pulse_stalled_now_ms(const struct pulse *pulse);
void pulse_stop(struct pulse *pulse);

/* The child stays on the processor whose turn it is, of those that it may run on. */
void pulse_stay_on_one_processor(unsigned int turn);

#endif
