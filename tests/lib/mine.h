/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planting mines: CLOSE_WAIT sockets whose peer no longer exists. The server's side stays with
 * whoever accepts it; the client's side goes through FIN_WAIT_2 and is gone.
 */
#ifndef TEST_MINE_H
#define TEST_MINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/endpoint.h"

struct mine {
	union endpoint client; /* whose next SYN will collide */
	union endpoint server;
	int fd; /* the accepted socket in CLOSE_WAIT, ours to close */
};

/*
 * A mine on our own listener: connects from `src` (NULL: the kernel chooses), accepts, and lets
 * the client vanish. mine_plant() makes it vanish at once with TCP_REPAIR (CAP_NET_ADMIN);
 * mine_plant_honest() closes it and waits until FIN_WAIT_2 has expired, tcp_fin_timeout later.
 * 0 or a negative errno, -EBUSY if another client's connection was waiting in the accept queue.
 */
int mine_plant(int listener, const union endpoint *src, const union endpoint *dst,
	       struct mine *ret_mine);
int mine_plant_honest(int listener, const union endpoint *src, const union endpoint *dst,
		      struct mine *ret_mine);

/*
 * The same as mine_plant(), but the server's sequence numbers are `ahead` of what they would be. The
 * numbers of new connections are a clock of 64 ns that turns around (RFC 6528), so that this makes a mine
 * that seems to be 2^32 - ahead ticks older.
 */
int mine_plant_ahead(int listener, const union endpoint *src, const union endpoint *dst,
		     uint32_t ahead, struct mine *ret_mine);

/*
 * The steps, for those who plant many at once. mine_arm() sends the FIN of a connected client;
 * mine_is_armed() is true once the server's kernel has acknowledged it, which makes its side
 * CLOSE_WAIT; mine_vanish() then removes the client without a segment on the wire and closes fd.
 */
int mine_arm(int client_fd);
bool mine_is_armed(int client_fd);
int mine_vanish(int client_fd);
/* All three for one client, with the wait between them. The socket is closed in any case. */
int mine_abandon(int client_fd);

#endif
