/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that connect in a loop, each a process, to a server that accepts them at once. */
#ifndef NETNS_LOAD_H
#define NETNS_LOAD_H

#include "lib/endpoint.h"

struct load;

struct load_result {
	long connects;
	long failed;
	int first_error; /* a positive errno, 0 if none failed */
	/* Those that took longer than load_slow_ms(), without what the machine itself stood still. */
	long slow;
	long worst_ms;
	/*
	 * SYNs of this namespace that were sent again, to tell why a connect was slow. One that
	 * meets the last state of its port's former connection is, without a delay to speak of.
	 */
	long retransmitted;
};

/*
 * From how many milliseconds on a connect is slow. A lost SYN costs 1 s (RFC 6298); a machine that has
 * too much to do, some ten milliseconds, and an emulated one more.
 */
long load_slow_ms(void);

/* Listens at this end and sets n clients going; returns when each has connected once. */
struct load *load_start(const union endpoint *server, unsigned int n);
/* Connects so far. */
long load_connects(const struct load *load);
/* Waits until n more connects are done. */
void load_wait(const struct load *load, long n);
/* Lets every client end its last connect. */
struct load_result load_stop(struct load *load);
/* Fails the test unless there were connects, none failed and at most slow were slow. */
void load_check(const struct load_result *result, long slow);

#endif
