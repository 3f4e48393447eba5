/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portdraw: how connect() draws a source port, and so how often it draws one of certain ports.
 *
 * Pure; the model is written down in portdraw.c. It is the kernel's default: no source port chosen
 * with bind(), no IP_LOCAL_PORT_RANGE on the socket.
 */
#ifndef CW_PORTDRAW_H
#define CW_PORTDRAW_H

#include "portset.h"

#include <stddef.h>

/* What connect() can draw from. */
struct portdraw {
	uint16_t low, high;	     /* net.ipv4.ip_local_port_range, host byte order */
	const struct portset *taken; /* that connect() passes over */
	const struct portset *mined;
};

struct portdraw_chance {
	double share; /* of the connects that draw a mined port, in the long run: 0 to 1 */
	size_t ports; /* that are drawn at all at present */
	size_t mines; /* those of them that are mined */
};

/* -ENOMEM. Without a port to draw everything is 0. */
int portdraw_chance(const struct portdraw *draw, struct portdraw_chance *ret_chance);

#endif
