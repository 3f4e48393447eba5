/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fakemnl: libmnl's sockets, for modules that ask the kernel one question at a time. What was asked is
 * kept, what is answered is written by the test.
 *
 * The linker puts these in the place of the library's (FAKEMNL_WRAP in local.mk).
 */
#ifndef CW_TEST_FAKEMNL_H
#define CW_TEST_FAKEMNL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKEMNL_REQUESTS 4
#define FAKEMNL_ANSWERS	 8

struct fakemnl_message {
	char bytes[256] __attribute__((aligned(8)));
};

struct fakemnl {
	int bus; /* that has to be asked for */
	bool no_socket, no_bind, no_deadline;
	unsigned int opened, closed;
	int send_error;
	/* The last requests, the oldest first. */
	struct fakemnl_message requests[FAKEMNL_REQUESTS];
	size_t n_requests;
	/* The next answers, each a datagram; none is one that does not come in time. */
	struct fakemnl_message answers[FAKEMNL_ANSWERS];
	size_t n_answers, n_read;
};

extern struct fakemnl fakemnl;

/* Everything as new: no socket, no message, no failure. */
void fakemnl_reset(int bus);

/* Adds an answer; seq is added to the number of the request. */
struct nlmsghdr *fakemnl_answer(uint16_t type, uint16_t flags, uint32_t seq);
void fakemnl_answer_error(int error);
/* Answers and requests are gone, and so is send_error. */
void fakemnl_forget(void);

/* Fails the test if there were not so many requests. */
const struct nlmsghdr *fakemnl_request(size_t i);

#endif
