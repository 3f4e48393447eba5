/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYNs that nobody's connect() has sent, on the tuples of living connections. Each that arrives
 * meets a synchronised socket, and so moves the kernel's TCPSYNChallenge by exactly one; the
 * challenge ACK reaches a peer that is alive and does no harm.
 */
#ifndef SOAK_FORGE_H
#define SOAK_FORGE_H

#include "soak/chance.h"
#include "soak/member.h"

/*
 * A burst for one member: repeated, with another sequence number, the member's own SYN again, or
 * one in the other direction. How many SYNs.
 */
long forge_for_member(const struct member *m, struct chance *chance);
/* One from where nobody is any more. */
void forge_from(const struct place *place, uint16_t port, struct chance *chance);

#endif
