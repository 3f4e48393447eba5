/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/stream.h"

#include <errno.h>
#include <sys/socket.h>

#define CHUNK 4096

static uint8_t byte_at(const struct stream *stream, uint64_t place)
{
	return (uint8_t)(stream->key + place * 131 + (place >> 8) * 29);
}

int stream_send(struct stream *stream, int fd, size_t len)
{
	uint8_t bytes[CHUNK];
	ssize_t sent;

	if (len > sizeof(bytes))
		len = sizeof(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(stream, stream->sent + i);
	sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN ? 0 : -errno;
	stream->sent += (uint64_t)sent;
	return (int)sent;
}

int stream_receive(struct stream *stream, int fd)
{
	uint8_t bytes[CHUNK];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] != byte_at(stream, stream->received++))
				return -EBADMSG;
		}
	}
	if (got == 0)
		return 1;
	return errno == EAGAIN ? 0 : -errno;
}
