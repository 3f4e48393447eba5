/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prefilter_shared: the memory that the prefilter's program and the daemon have in common. */
#ifndef CW_PREFILTER_SHARED_H
#define CW_PREFILTER_SHARED_H

#include <linux/types.h>

#define PREFILTER_SECTION ".data.shared"

/* Processors that count in the same place are this far apart. */
#define PREFILTER_SLOTS 32

/* A cache line of its own for whoever writes, lest the processors pass one to and fro. */
#define PREFILTER_ALIGNED __attribute__((aligned(64)))

struct prefilter_shared {
	/* The daemon writes, the program reads. */
	__u32 states; /* bit n: TCP state n of the kernel's enum */
	__u32 mark;
	/* The program counts. */
	struct {
		__u64 syns;
		__u64 marked;
	} PREFILTER_ALIGNED counts[PREFILTER_SLOTS];
};

#endif
