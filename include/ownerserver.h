/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ownerserver: says which process holds a socket, to another process that may not look itself.
 *
 * A process of its own, because what it takes to look at the descriptors of all users
 * (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH) is more than whoever handles packets should have.
 */
#ifndef CW_OWNERSERVER_H
#define CW_OWNERSERVER_H

#include "leaker.h"

#include <stdint.h>

/* One datagram each, over a SOCK_SEQPACKET pair between two processes of the same program. */
struct owner_question {
	uint64_t id;
	uint64_t since_us; /* monotonic: the socket was there then */
	uint64_t until_us; /* after that nobody waits for the answer any more */
	uint32_t inode;
};

struct owner_answer {
	uint64_t id;
	struct leaker leaker;
};

/*
 * Answers every question, in order, until the other end is closed; 0 then. A question waits while
 * a walk would come too soon after the last, see ownertable.h, but not beyond its until_us. root:
 * see owner.h. -ENOMEM, or the errno of the socket.
 */
int ownerserver_run(int fd, const char *root);

#endif
