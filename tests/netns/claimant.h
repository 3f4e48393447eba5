/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients whose source address and port are not what bind() would give a usual one. */
#ifndef NETNS_CLAIMANT_H
#define NETNS_CLAIMANT_H

#include "lib/endpoint.h"

/*
 * Begins to connect like sock_connect_start(), from a source that other sockets may share
 * (SO_REUSEADDR), as long as they go to another destination.
 */
int claimant_shared(const union endpoint *src, const union endpoint *dst);

/* The same from an address that is not this host's (IP_TRANSPARENT). */
int claimant_foreign(const union endpoint *src, const union endpoint *dst);

#endif
