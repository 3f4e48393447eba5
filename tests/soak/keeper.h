/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second process that connections are handed to (SCM_RIGHTS), which goes on with them. */
#ifndef SOAK_KEEPER_H
#define SOAK_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "soak/stream.h"

/* One end of a connection with what it needs to go on. */
struct handed {
	struct stream out, in;
	bool sends, reads;
	int rc; /* of what the keeper did with it: 0 or a negative errno */
};

struct keeper {
	pid_t pid;
	int fd;
};

struct keeper keeper_start(void);
void keeper_stop(struct keeper *keeper);
/*
 * Hands the descriptor over and closes it here: from now on no process or only the keeper has the
 * socket. keeper_take_back() waits for it; the new descriptor.
 */
void keeper_hand_over(const struct keeper *keeper, int fd, const struct handed *handed);
int keeper_take_back(const struct keeper *keeper, struct handed *ret_handed);

#endif
