/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbox: lines that wait to be sent to somebody who may read slowly, or not at all. */
#ifndef CW_OUTBOX_H
#define CW_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty one. */
struct outbox {
	char *bytes;
	size_t len, sent, size;
};

/*
 * Adds one line, given without its newline; false if more than max bytes would then wait, or memory
 * is short.
 */
bool outbox_put(struct outbox *box, const char *line, size_t max);
/* Bytes that are still to be sent. */
size_t outbox_waiting(const struct outbox *box);
/*
 * Sends what the stream socket fd takes without waiting: 0, also if that is not all. -errno of
 * send(), -EAGAIN among them.
 */
int outbox_send(struct outbox *box, int fd);
/* Forgets what waits, and gives the memory back. */
void outbox_clear(struct outbox *box);

#endif
