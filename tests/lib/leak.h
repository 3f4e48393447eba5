/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server that accepts and never closes, until SIGTERM or SIGINT. */
#ifndef TEST_LEAK_H
#define TEST_LEAK_H

#include <stdbool.h>

/*
 * Blocks SIGTERM and SIGINT and returns a signalfd for them, or a negative errno. Call it before
 * the line that tells others that the program is ready, so that no signal comes too early.
 */
int leak_signals(void);

/*
 * Accepts on the non-blocking listener (-1: on none) until a signal arrives on signal_fd. With
 * `verbose` prints "accepted ADDR:PORT" for each. At the first failure for want of descriptors or
 * memory says so on stderr and accepts no more. Returns how many connections it holds.
 */
long leak_serve(int listener, int signal_fd, bool verbose);

#endif
