/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ephemeral: the settings of this network namespace that say which source ports connect() may draw,
 * and how long what is closed stays. IPv6 has the same ones.
 */
#ifndef CW_EPHEMERAL_H
#define CW_EPHEMERAL_H

#include "portset.h"

#include <stdbool.h>
#include <stdint.h>

#define EPHEMERAL_ROOT "/proc/sys/net/ipv4"

struct ephemeral {
	uint16_t low, high; /* ip_local_port_range, host byte order */
	struct portset reserved;
	/* Whether a port in TIME_WAIT can be drawn for the same destination (tcp_tw_reuse). */
	bool reuse_always, reuse_loopback;
	uint32_t fin_timeout_s; /* how long FIN_WAIT_2 lasts that nobody holds any more */
};

/* -errno if the range cannot be read; what else cannot be is taken to have the kernel's default. */
int ephemeral_read(const char *root, struct ephemeral *ret_ephemeral);

#endif
