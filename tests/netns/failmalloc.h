/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What failmalloc.so, preloaded, shares with the test: the file that $FAILMALLOC names. */
#ifndef NETNS_FAILMALLOC_H
#define NETNS_FAILMALLOC_H

#include <stdatomic.h>

struct failmalloc {
	atomic_long countdown; /* the allocation that brings it to 0 fails; 0: none does */
	atomic_long failed;    /* how many did */
};

#endif
