/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plants many mines at once, in batches, and counts what became of them. */
#ifndef TOOLS_FIELD_H
#define TOOLS_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/endpoint.h"
#include "lib/ports.h"
#include "sources.h"

#define FIELD_REASONS 16

/* What is to be planted: mine number i is (source, port) number order[i], ports varying fastest. */
struct field_plan {
	union endpoint server;
	struct sources sources;
	struct ports ports;
	size_t *order;
	size_t count;
	bool honest;
};

struct field_result {
	size_t planted;
	struct {
		const char *what;
		int err; /* positive, 0 if there is none */
		size_t count;
	} failed[FIELD_REASONS];
};

/* Counts `count` mines that failed for this reason; what is a constant string, err of any sign. */
void field_note_failure(struct field_result *result, const char *what, int err, size_t count);

/* Connections begun at once; an accept queue must have room for them. */
size_t field_batch(bool own_listener);

/*
 * Plants the mines `from` to `to` - 1 of the plan, and accepts them on `listener` (non-blocking,
 * -1: somebody else does). The accepted descriptors stay open until the process ends. Stores each
 * mine's client end, with family 0 for a failure, in clients[from...]. 0, or a negative errno if
 * sock_diag or memory fails us; what happens to single mines goes to ret_result.
 */
int field_plant(const struct field_plan *plan, size_t from, size_t to, int listener,
		union endpoint *clients, struct field_result *ret_result);

/* How many of these mines exist: server side in CLOSE_WAIT. A negative errno if sock_diag fails. */
long field_count_mines(const struct field_plan *plan, const union endpoint *clients, size_t count);

#endif
