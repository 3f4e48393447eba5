/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a test takes place: a network namespace of its own with a server, the real rules and the
 * real daemon. A test is one function; the stage runs it once for each way to reach the server
 * that it asks for, and in each mode.
 */
#ifndef NETNS_STAGE_H
#define NETNS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "daemon.h"
#include "lib/endpoint.h"
#include "lib/mine.h"

#define SERVER_PORT 8000
/* The first of the clients' ports; each mine of a test has its own. The kernel draws none of them for a
 * client that does not ask for one: its range begins at 32768. */
#define CLIENT_PORT  20000
#define QUEUE_NUMBER 61

/* How the client comes to the server. */
enum way {
	WAY_V4,	  /* IPv4 on both sides */
	WAY_V6,	  /* IPv6 on both sides */
	WAY_DUAL, /* a dual-stack listener on ::, an IPv4 client */
	WAY_MAPPED, /* an IPv4 listener, a client that connects an AF_INET6 socket to ::ffff:127.0.0.1 */
	WAY_COUNT
};
#define V4_ONLY	  (1U << WAY_V4)
#define V6_ONLY	  (1U << WAY_V6)
#define EVERY_WAY ((1U << WAY_COUNT) - 1)

#define IN_AUDIT   1U
#define IN_ENFORCE 2U
#define IN_BOTH	   (IN_AUDIT | IN_ENFORCE)

struct stage_test;

struct stage {
	const struct stage_test *test;
	enum way way;
	bool enforce;
	union endpoint server; /* as the client names it */
	int listener;
	struct daemon daemon;
	bool passed;
	int first_fd; /* every descriptor from here on is closed after the test */
};

typedef void stage_body(struct stage *stage);

struct stage_test {
	const char *name;
	stage_body *body;
	unsigned int ways; /* 0: the body chooses its own addresses, told that it is WAY_V4 */
	unsigned int modes;
};

/*
 * Runs the tests of one program; its result is main()'s. Exits 77 with the reason where they
 * cannot run. An argument selects the tests whose names match it (a pattern as of a shell).
 */
int stage_run(const char *theme, const struct stage_test *tests, size_t n, int argc, char **argv);

/* A numeric address, which must be one, with this port. */
union endpoint stage_end(const char *address, uint16_t port);
/* The client's end with this port. */
union endpoint stage_client(const struct stage *stage, uint16_t port);
/* Listens at the server's end. */
void stage_listen(struct stage *stage, int backlog);
/*
 * Starts the daemon and then puts the rules in. conf: what the test wants set, besides the mode,
 * or NULL.
 */
void stage_protect(struct stage *stage, const char *conf);
/*
 * The same in a container without root: the daemon is root of a user namespace, which has a network
 * of its own, and the test goes there. Before anything else of the stage. Skips the test where this
 * process may have no user namespace.
 */
void stage_protect_contained(struct stage *stage, const char *conf);
/* A mine of the client with this port on the stage's listener. */
struct mine stage_mine(struct stage *stage, uint16_t port);

/* Sends the FIN of a connected client and waits until it is acknowledged: FIN_WAIT_2, CLOSE_WAIT. */
void stage_half_close(int client_fd);

/* What came of a connect. */
struct attempt {
	int fd; /* -1 unless it is connected */
	int rc; /* 0, the kernel's negative errno, or -EINPROGRESS if time ran out */
	int64_t ms;
};

/* Connects from the client's end; an attempt that did not end in time is given up with a reset. */
struct attempt stage_connect(struct stage *stage, uint16_t port, int timeout_ms);
/* Fails the test unless it connects at once, without a retransmission; the connected socket. */
int stage_connects(struct stage *stage, uint16_t port);
/* The connection of this client, accepted; others that waited before it are closed. */
int stage_accept_from(struct stage *stage, uint16_t port);

/* How long an attempt may take that is not to be answered by a retransmission (1 s, RFC 6298). */
#define AT_ONCE_MS 700

/*
 * Drops every RST in OUTPUT, so that the kernel's own answer to a SYN, a challenge ACK and the RST
 * that this provokes, kills no occupant: what then happens to one was the daemon's doing.
 */
void stage_drop_resets(struct stage *stage);

/* The challenge ACKs that this namespace has sent in answer to a SYN. */
long stage_challenges(void);
/*
 * Fails the test unless it has sent so many. The reset of a destroy reaches the claimant, which sends its
 * SYN again 2 jiffies later (tcp_rcv_synsent_state_process()): where the daemon's thread had to wait that
 * long for the processor before its verdict, the second SYN meets the new connection, and is challenged.
 * So there may be one more for each SYN that was sent again; that no occupant was left to the kernel is
 * what the results "destroyed" say.
 */
void stage_expect_challenges(long count);
/* Waits until the queue was handed so many SYNs since it was bound. */
void stage_wait_queued(long count);

/* Fails the test unless the event is about the SYN of this client to the server. */
void stage_event_is_of(const struct stage *stage, const json_t *event, uint16_t port);

#endif
