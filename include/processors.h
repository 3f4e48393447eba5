/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processors: how many there are, and where a thread may run. */
#ifndef CW_PROCESSORS_H
#define CW_PROCESSORS_H

/* How many are online, at least 1. */
unsigned int processors_count(void);

/*
 * From here on the calling thread runs only on those of its processors whose number modulo `of` is
 * `share`: the ones whose packets NFQUEUE's fan-out gives to that queue of so many. If it has none
 * of these, nothing changes. -errno: the kernel did not permit it.
 */
int processors_take_share(unsigned int share, unsigned int of);

#endif
