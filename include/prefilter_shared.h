/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prefilter_shared: the memory that the prefilter's program and the daemon have in common. */
#ifndef CW_PREFILTER_SHARED_H
#define CW_PREFILTER_SHARED_H

#include <linux/types.h>

#define PREFILTER_SECTION ".data.shared"

struct prefilter_shared {
	/* The daemon writes, the program reads. */
	__u32 states; /* bit n: TCP state n of the kernel's enum */
	__u32 mark;
	/* The program counts. */
	__u64 syns;
	__u64 marked;
};

#endif
