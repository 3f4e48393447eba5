/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners and clients. Every function returns a descriptor (close-on-exec) or 0, or a negative
 * errno. Time-outs are in milliseconds.
 */
#ifndef TEST_SOCKETS_H
#define TEST_SOCKETS_H

#include <stdbool.h>

union endpoint;

/* A listener with SO_REUSEADDR. An AF_INET6 wildcard is dual stack unless v6only. */
int sock_listen(const union endpoint *at, int backlog, bool v6only);

/* Accepts one connection; -ETIMEDOUT if none came. */
int sock_accept(int listener, int timeout_ms);

/*
 * Begins to connect, from src if it is not NULL (port 0: the kernel chooses at connect()). The
 * descriptor is non-blocking, and in SYN_SENT unless the peer was quicker.
 */
int sock_connect_start(const union endpoint *src, const union endpoint *dst);

/* Waits for a begun connect: 0, the kernel's error, or -EINPROGRESS if our patience ended first. */
int sock_connect_finish(int fd, int timeout_ms);

/* Both in one; the socket is closed on failure. */
int sock_connect(const union endpoint *src, const union endpoint *dst, int timeout_ms);

/* Closes with a reset instead of a FIN: neither side keeps a TIME_WAIT or FIN_WAIT_2. */
void sock_reset(int fd);

/* The socket's TCP_* state (tcpi_state). */
int sock_state(int fd);

/* Reads and clears the pending error: 0 or a positive errno. */
int sock_error(int fd);

#endif
