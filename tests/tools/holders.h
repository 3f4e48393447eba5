/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper processes that plant and hold a part of the mines each, as descriptor limits require. */
#ifndef TOOLS_HOLDERS_H
#define TOOLS_HOLDERS_H

#include "field.h"

/*
 * Plants the whole plan on `listener`, one helper after the other, each as many mines as its
 * descriptor limit allows. The helpers hold them until holders_end() or the death of this process.
 * clients and result are shared memory (holders_alloc). Returns 0, -EINTR if a signal arrived on
 * signal_fd meanwhile, or another negative errno.
 */
int holders_plant(const struct field_plan *plan, int listener, int signal_fd,
		  union endpoint *clients, struct field_result *result);

/* Ends the helpers, and with them the mines, and waits until they are gone. */
void holders_end(void);

/* Zeroed memory that this process and the helpers share, never freed; NULL if there is none. */
void *holders_alloc(size_t size);

#endif
