/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidates: the sockets of one sweep that may be mines, found again by their peers. */
#ifndef CW_CANDIDATES_H
#define CW_CANDIDATES_H

#include "tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct candidate {
	struct tuple socket; /* seen from itself: dst is the peer */
	uint64_t cookie;
	uint32_t next; /* in its chain of the index */
	bool alive;    /* its peer is there, or may be */
};

/* All zero is none. */
struct candidates {
	struct candidate *list;
	size_t n, room;
	uint32_t *index; /* heads of chains */
	size_t index_mask;
};

/* false if there are max already, or no memory. */
bool candidates_add(struct candidates *c, const struct tuple *socket, uint64_t cookie, size_t max);
/* Prepares candidates_see(); to be called again when the list has changed. -ENOMEM. */
int candidates_index(struct candidates *c);
/*
 * A socket in a peer's state, whose local end is this one: it may be the peer of all candidates
 * that have its address and port for a peer, whatever it calls the other end.
 */
void candidates_see(struct candidates *c, const struct endpoint *local);
/* Takes out those whose peer was seen; returns their number. */
size_t candidates_drop_alive(struct candidates *c);
void candidates_clear(struct candidates *c);

#endif
