/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A member of the population: a healthy connection in one of the states that such have, whose data
 * is checked end to end. Functions that find something wrong return a negative errno.
 */
#ifndef SOAK_MEMBER_H
#define SOAK_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/endpoint.h"
#include "soak/chance.h"
#include "soak/keeper.h"
#include "soak/place.h"
#include "soak/stream.h"

enum member_kind {
	MEMBER_BUSY,
	MEMBER_IDLE,
	MEMBER_KEEPALIVE,   /* idle, with SO_KEEPALIVE on both sides */
	MEMBER_CLIENT_SHUT, /* CLOSE_WAIT, and the server still sends */
	MEMBER_SERVER_SHUT, /* the client is in CLOSE_WAIT and still sends */
	MEMBER_SLOW,	    /* CLOSE_WAIT with data that the server does not read */
	MEMBER_WAITING,	    /* the same, and nobody has accepted it */
	MEMBER_KINDS
};

#define SAVED_SYN_MAX 128

struct member {
	enum member_kind kind;
	const struct place *place;
	union endpoint client_end, server_end; /* as the server sees them */
	int client, server;		       /* server: -1 until it is accepted */
	struct stream up, down;		       /* from the client, to the client */
	uint8_t syn[SAVED_SYN_MAX];	       /* its own, from the IP header on */
	uint32_t syn_len;		       /* 0: not known */
	uint64_t client_cookie, server_cookie;
};

/*
 * Makes a member of two connected ends, which become its own. server is -1 for MEMBER_WAITING and
 * for no other.
 */
int member_init(struct member *m, enum member_kind kind, const struct place *place, int client,
		int server, uint32_t key);
/* What it has to do from time to time: sends, reads, checks. */
int member_go_on(struct member *m, struct chance *chance);
/* Another process goes on with one of its ends: member_lend(), anything else, member_take_back(). */
struct lent {
	struct member *member;
	bool client;
};
struct lent member_lend(struct member *m, const struct keeper *keeper, struct chance *chance);
int member_take_back(const struct lent *lent, const struct keeper *keeper);
/* Checks everything once more, in every direction that is open, and closes both ends. */
int member_finish(struct member *m);

const char *member_kind_name(enum member_kind kind);

#endif
