/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portset: a set of TCP ports. Ports are in host byte order here, since they are counted. */
#ifndef CW_PORTSET_H
#define CW_PORTSET_H

#include <stdbool.h>
#include <stdint.h>

struct portset {
	uint64_t bits[65536 / 64];
};

static inline void portset_add(struct portset *set, uint16_t port)
{
	set->bits[port / 64] |= (uint64_t)1 << port % 64;
}

static inline bool portset_has(const struct portset *set, uint16_t port)
{
	return set->bits[port / 64] >> port % 64 & 1;
}

/*
 * Adds what the kernel writes into net.ipv4.ip_local_reserved_ports: "8080,9000-9100", or nothing.
 * -EINVAL for anything else; the set may then hold a part.
 */
int portset_add_list(struct portset *set, const char *text);

#endif
