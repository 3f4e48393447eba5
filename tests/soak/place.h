/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers of the soak, and the ways to them. Each has a source address of its own, so that a
 * source port belongs to one connection only and every collision can be proved.
 */
#ifndef SOAK_PLACE_H
#define SOAK_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/endpoint.h"

/* The source ports of all clients: few, so that they come again soon. */
#define SOURCE_PORT_FIRST 20000
#define SOURCE_PORTS	  1000

enum way_there {
	THERE_V4,
	THERE_V6,
	THERE_DUAL,	  /* an IPv4 client of a listener on :: */
	THERE_MAPPED,	  /* a v4-mapped client of an IPv4 listener */
	THERE_REDIRECTED, /* REDIRECT in the OUTPUT chain of nat */
	THERE_FOREIGN,	  /* from an address that is not this host's (IP_TRANSPARENT) */
	THERE_COUNT
};

/* A server for each way that accepts, and one that does not. */
#define PLACES (2 * THERE_COUNT)

struct place {
	enum way_there way;
	bool redirected;	 /* REDIRECT is at work */
	bool waits;		 /* its clients wait in the accept queue */
	union endpoint client;	 /* port 0 */
	union endpoint dialled;	 /* what clients connect to */
	union endpoint answered; /* who answers: another port if it is redirected */
	int listener;		 /* non-blocking, keeps the clients' SYNs (TCP_SAVE_SYN) */
};

/*
 * Addresses, routes, sysctls and NAT of the namespace, and the listeners. Without connection
 * tracking nothing is redirected either.
 */
void places_make(struct place places[PLACES], bool tracks);
/* To be called after the rules are in: queues the foreign SYNs too, which they leave alone. */
void places_queue_foreign(void);

/* Begins to connect from this port, 0: the kernel's choice. A non-blocking descriptor or -errno. */
int place_dial(const struct place *place, uint16_t port);

const char *place_name(const struct place *place);

#endif
