/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "candidates.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_FIRST 256
/* The end of a chain. */
#define NONE UINT32_MAX

static bool make_room(struct candidates *c)
{
	size_t room = c->room > 0 ? 2 * c->room : ROOM_FIRST;
	struct candidate *list;

	if (c->n < c->room)
		return true;
	list = realloc(c->list, room * sizeof(*list));
	if (!list)
		return false;
	c->list = list;
	c->room = room;
	return true;
}

bool candidates_add(struct candidates *c, const struct tuple *socket, uint64_t cookie, size_t max)
{
	if (c->n >= max || !make_room(c))
		return false;
	c->list[c->n++] = (struct candidate){.socket = *socket, .cookie = cookie};
	return true;
}

/* Chains are short unless somebody makes them long, and that costs the sweep only. */
static uint32_t *chain(const struct candidates *c, const struct endpoint *peer)
{
	const uint64_t odd = 0x9e3779b97f4a7c15; /* 2^64 over the golden ratio: spreads the bits */
	uint64_t hash = peer->port;

	for (size_t i = 0; i < 4; i++)
		hash = (hash + peer->addr.s6_addr32[i]) * odd;
	return &c->index[(hash >> 32) & c->index_mask];
}

int candidates_index(struct candidates *c)
{
	size_t size = 1;

	while (size < c->n)
		size *= 2;
	free(c->index);
	c->index = malloc(size * sizeof(*c->index));
	if (!c->index)
		return -ENOMEM;
	c->index_mask = size - 1;
	for (size_t i = 0; i < size; i++)
		c->index[i] = NONE;
	for (size_t i = 0; i < c->n; i++) {
		uint32_t *head = chain(c, &c->list[i].socket.dst);

		c->list[i].next = *head;
		*head = (uint32_t)i;
	}
	return 0;
}

void candidates_see(struct candidates *c, const struct endpoint *local)
{
	for (uint32_t i = *chain(c, local); i != NONE; i = c->list[i].next) {
		struct candidate *candidate = &c->list[i];

		if (!endpoint_equal(&candidate->socket.dst, local))
			continue;
		if (candidate->alive)
			break; /* and so are all others with this peer */
		candidate->alive = true;
	}
}

size_t candidates_drop_alive(struct candidates *c)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < c->n; i++) {
		if (!c->list[i].alive)
			c->list[kept++] = c->list[i];
	}
	dropped = c->n - kept;
	c->n = kept;
	return dropped;
}

void candidates_clear(struct candidates *c)
{
	free(c->list);
	free(c->index);
	*c = (struct candidates){.n = 0};
}
