/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Enough for most answers. */
#define SIZE_FIRST 1024

size_t outbox_waiting(const struct outbox *box)
{
	return box->len - box->sent;
}

static bool make_room(struct outbox *box, size_t len)
{
	size_t size = box->size ? box->size : SIZE_FIRST;
	char *bytes;

	if (box->sent > 0) {
		memmove(box->bytes, box->bytes + box->sent, outbox_waiting(box));
		box->len -= box->sent;
		box->sent = 0;
	}
	while (size - box->len < len)
		size *= 2;
	if (size == box->size)
		return true;
	bytes = realloc(box->bytes, size);
	if (!bytes)
		return false;
	box->bytes = bytes;
	box->size = size;
	return true;
}

bool outbox_put(struct outbox *box, const char *line, size_t max)
{
	size_t len = strlen(line);

	if (len >= max || outbox_waiting(box) > max - len - 1)
		return false;
	if (box->size - box->len < len + 1 && !make_room(box, len + 1))
		return false;
	memcpy(box->bytes + box->len, line, len);
	box->bytes[box->len + len] = '\n';
	box->len += len + 1;
	return true;
}

int outbox_send(struct outbox *box, int fd)
{
	ssize_t sent =
		send(fd, box->bytes + box->sent, outbox_waiting(box), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0)
		return -errno;
	box->sent += (size_t)sent;
	return 0;
}

void outbox_clear(struct outbox *box)
{
	free(box->bytes);
	*box = (struct outbox){.len = 0};
}
