/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a connection, whose every byte tells its place: what is lost, repeated, or
 * comes from another connection is noticed at the next byte.
 */
#ifndef SOAK_STREAM_H
#define SOAK_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct stream {
	uint32_t key; /* of the connection and the direction */
	uint64_t sent, received;
};

/*
 * Sends the next bytes, at most len, without waiting: how many, 0 if the peer has to read first, or
 * a negative errno.
 */
int stream_send(struct stream *stream, int fd, size_t len);
/*
 * Reads what is there and checks it: 0; 1 at the end of file; -EBADMSG for a byte that should not
 * be there; or the socket's negative errno.
 */
int stream_receive(struct stream *stream, int fd);

#endif
