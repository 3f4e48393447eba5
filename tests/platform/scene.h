/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What most platform programs begin with: a listener, and mines on it. Failures end the program. */
#ifndef PLATFORM_SCENE_H
#define PLATFORM_SCENE_H

#include <linux/inet_diag.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "lib/mine.h"
#include "lib/sockdiag.h"

/*
 * The server's port in every program, and the first of the clients' ports: below 32768, where the
 * kernel's own choice begins for a client that asks for none.
 */
#define SERVER_PORT 8000
#define CLIENT_PORT 20000

union endpoint scene_endpoint(const char *address, uint16_t port);

/* Listens on ADDRESS:SERVER_PORT with a backlog of 64; returns the listener. Skips without IPv6. */
int scene_listen(const char *address);

/* A mine on the listener, from ADDRESS:port to the same address and SERVER_PORT. */
struct mine scene_mine(int listener, const char *address, uint16_t port);

/* The same, and the client has sent these bytes before it went. */
struct mine scene_mine_with_data(int listener, const char *address, uint16_t port,
				 const char *data);

/* The name of the state that an exact lookup answers with, or of its error. */
const char *scene_lookup(int nl, const struct inet_diag_req_v2 *req);

/*
 * Connects from the mine's client end as a claimant would, for at most timeout_ms: 0 or a negative
 * errno, -EINPROGRESS if time ran out. The time it took, in milliseconds, goes to *ret_ms. The
 * connection is reset again.
 */
int scene_collide(const struct mine *mine, int timeout_ms, double *ret_ms);

#endif
