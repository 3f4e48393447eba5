/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trialsock: the sockets of a trial. All do not block, and all but the first client end with a
 * reset when they are closed. What returns int returns -errno on failure. Deadlines are of
 * CLOCK_MONOTONIC.
 */
#ifndef CW_TRIALSOCK_H
#define CW_TRIALSOCK_H

#include "tcpstate.h"
#include "tuple.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a network namespace, which is born with its loopback interface down. */
int trialsock_raise_loopback(void);

/* Listens on a port of the kernel's choice at 127.0.0.1 or ::1, *ret_at. The descriptor. */
int trialsock_listen(bool v6, struct endpoint *ret_at);
/* Begins to connect, from this endpoint or (NULL) one of the kernel's choice. The descriptor. */
int trialsock_connect(const struct endpoint *from, const struct endpoint *to);
/* 0 when it is connected; connect()'s errno; -EINPROGRESS if it took longer than that. */
int trialsock_connected(int fd, int64_t deadline_ms);
/* Accepts the connection of this client, and closes others. The descriptor, -ETIMEDOUT. */
int trialsock_accept(int listener, const struct endpoint *client, int64_t deadline_ms);
int trialsock_local(int fd, struct endpoint *ret_local);

/* Lets close() send a FIN. */
int trialsock_close_with_fin(int fd);
/* The same, and lets FIN_WAIT_2 after it be as short as can be, one second. */
int trialsock_leave_quietly(int fd);
/* 0 once it is in this state, -ETIMEDOUT. */
int trialsock_wait_state(int fd, enum tcpstate state, int64_t deadline_ms);
/* The pending error, which is cleared: 0 or a negative errno. */
int trialsock_error(int fd);
/* 0 once a reset has come, -ETIMEDOUT. */
int trialsock_wait_reset(int fd, int64_t deadline_ms);

#endif
