/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of __inet_hash_connect() (net/ipv4/inet_hashtables.c; the same since 5.18 and its
 * stable branches, 5.10.119 and 5.15.44 among them):
 *
 * - The ports of the range are cut into pairs; an odd one out at the end is left alone. connect()
 *   tries the lower port of each pair, which by default are the even ones, so that half of the
 *   range is all it draws from. Only if none of them can be had does it try the others. (bind() to
 *   port 0 does it the other way round, so that a client that binds before it connects draws from
 *   the other half.)
 * - For each source address, destination address and destination port there is a place in the
 *   range. The search begins there and takes the first port that can be had. The place then moves
 *   behind the port taken, or further: to at least 1 to 8 pairs behind where the search began, at
 *   random. So connects to one place walk upwards through the range and round again.
 * - A port cannot be had if it is reserved, if some socket has got it with bind(), whatever the
 *   address, or if a socket exists with the same source address and port and the same destination.
 *   A mine does not prevent anything: it is not the client's socket.
 *
 * The share is that of the walk's steps that end on a mined port, in the long run, while the table
 * of sockets stays as it is: a distribution over all places is moved round the range until it no
 * longer changes, and what falls on mined ports in the last round is counted. Where few ports are
 * taken, this is simply mined ports through ports. It differs where ports are taken in long runs:
 * the first free one behind a run is drawn once a round, not once for each port of the run.
 *
 * What a single connect draws depends on where the walk just is; the share is an average, over a
 * round of about (high - low) / 9 connects.
 */
#include "config.h"

#include "portdraw.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* The kernel moves a place on by 1 to this many pairs. */
#define STRIDE_MAX 8
/* The random strides have forgotten where they began long before so many pairs. */
#define SETTLE 4096

/* One port of each pair; a range of a single port is that one. */
struct slots {
	size_t n;
	uint16_t *distance; /* to the first slot whose port can be had, going up and round */
	double *mass;
};

static uint16_t port_of(const struct portdraw *draw, size_t slot, unsigned int parity)
{
	return (uint16_t)(draw->low + 2 * slot + parity);
}

/* false: there is no port to be had. */
static bool find_distances(const struct portdraw *draw, unsigned int parity, struct slots *slots)
{
	size_t distance = SIZE_MAX;

	/* Twice round, downwards: the second time every distance is known. */
	for (size_t i = 2 * slots->n; i-- > 0;) {
		size_t slot = i % slots->n;

		if (!portset_has(draw->taken, port_of(draw, slot, parity)))
			distance = 0;
		else if (distance != SIZE_MAX)
			distance++;
		slots->distance[slot] = (uint16_t)distance;
	}
	return distance != SIZE_MAX;
}

/* Moves what begins its search in this slot on to where its next one begins. */
static void move_on(struct slots *slots, size_t slot)
{
	const double part = slots->mass[slot] / STRIDE_MAX;

	slots->mass[slot] = 0;
	for (size_t random = 0; random < STRIDE_MAX; random++) {
		size_t distance = slots->distance[slot];
		size_t stride = (distance > random ? distance : random) + 1;

		slots->mass[(slot + stride) % slots->n] += part;
	}
}

static double walk(const struct portdraw *draw, unsigned int parity, struct slots *slots)
{
	size_t rounds = 2 + SETTLE / slots->n;
	double drawn = 0, hits = 0;

	for (size_t slot = 0; slot < slots->n; slot++)
		slots->mass[slot] = 1;
	for (size_t round = 0; round < rounds; round++) {
		drawn = hits = 0;
		for (size_t slot = 0; slot < slots->n; slot++) {
			size_t found = (slot + slots->distance[slot]) % slots->n;

			drawn += slots->mass[slot];
			if (portset_has(draw->mined, port_of(draw, found, parity)))
				hits += slots->mass[slot];
			move_on(slots, slot);
		}
	}
	return hits / drawn;
}

static void count_ports(const struct portdraw *draw, unsigned int parity, size_t n,
			struct portdraw_chance *chance)
{
	for (size_t slot = 0; slot < n; slot++) {
		uint16_t port = port_of(draw, slot, parity);

		if (portset_has(draw->taken, port))
			continue;
		chance->ports++;
		chance->mines += portset_has(draw->mined, port);
	}
}

int portdraw_chance(const struct portdraw *draw, struct portdraw_chance *ret_chance)
{
	struct portdraw_chance chance = {.share = 0};
	const size_t range = draw->high >= draw->low ? (size_t)(draw->high - draw->low) + 1 : 0;
	struct slots slots = {.n = range > 1 ? range / 2 : range};
	unsigned int parity = 0;
	int err = 0;

	slots.distance = calloc(slots.n + 1, sizeof(*slots.distance));
	slots.mass = calloc(slots.n + 1, sizeof(*slots.mass));
	if (!slots.distance || !slots.mass) {
		err = -ENOMEM;
	} else if (find_distances(draw, parity, &slots) ||
		   (range > 1 && find_distances(draw, ++parity, &slots))) {
		chance.share = walk(draw, parity, &slots);
		count_ports(draw, parity, slots.n, &chance);
	}
	free(slots.distance);
	free(slots.mass);
	if (err == 0)
		*ret_chance = chance;
	return err;
}
