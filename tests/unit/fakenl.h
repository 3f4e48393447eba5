/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fakenl: netlink sockets whose kernel is the test.
 *
 * The linker puts these in the place of socket(), bind(), setsockopt(), close(), sendto(), recv(),
 * recvfrom(), recvmmsg(), poll() and clock_gettime() (--wrap, see local.mk). Time passes in poll()
 * and where the test lets it pass, so that a deadline costs nothing to wait for. A caller that
 * spins for ever fails the test.
 */
#ifndef CW_TEST_FAKENL_H
#define CW_TEST_FAKENL_H

#include <stddef.h>
#include <stdint.h>

enum fakenl_call {
	FAKENL_SOCKET,
	FAKENL_BIND,
	FAKENL_SETSOCKOPT,
	FAKENL_SENDTO,
	FAKENL_RECV, /* recv(), recvfrom() and recvmmsg() */
	FAKENL_POLL,
	FAKENL_CALLS
};

#define FAKENL_FOR_EVER SIZE_MAX

/* Is handed what was sent, before sendto() returns; delivers the answers. */
typedef void fakenl_kernel_fn(int fd, const void *buf, size_t len);

/* Everything as new: no socket, no datagram, no failure, time 10 s. */
void fakenl_reset(fakenl_kernel_fn *kernel);

/* Queues a datagram from a port id (0 is the kernel), to be there delay_ms from now. */
void fakenl_deliver(int fd, const void *bytes, size_t len, uint32_t port_id, unsigned int delay_ms);
/* Queues an error between the datagrams, as an overrun leaves one. */
void fakenl_deliver_error(int fd, int error);
/* The same datagram again and again, whenever there is no other. */
void fakenl_flood(int fd, const void *bytes, size_t len, uint32_t port_id);

/* Calls of a kind fail: skip good ones first, then times bad ones. One such plan for each kind. */
void fakenl_fail(enum fakenl_call call, size_t skip, size_t times, int error);

int64_t fakenl_now_ms(void);
/* What every read takes. */
void fakenl_set_read_time(unsigned int ms);
size_t fakenl_count(enum fakenl_call call);
size_t fakenl_open_sockets(void);
/* The socket opened last. */
int fakenl_fd(void);
/* Datagrams and errors that nobody has read yet. */
size_t fakenl_pending(void);
/* 1 if an option of SOL_SOCKET or SOL_NETLINK was set on a socket; its value. */
int fakenl_option(int fd, int level, int name, int *ret_value);

#endif
