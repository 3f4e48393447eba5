/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcpstate: the kernel's TCP states (include/net/tcp_states.h), their names, and sets of them. */
#ifndef CW_TCPSTATE_H
#define CW_TCPSTATE_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers are the kernel's: sock_diag answers carry them in idiag_state. */
enum tcpstate {
	TCPSTATE_ESTABLISHED = 1,
	TCPSTATE_SYN_SENT,
	TCPSTATE_SYN_RECV,
	TCPSTATE_FIN_WAIT_1,
	TCPSTATE_FIN_WAIT_2,
	TCPSTATE_TIME_WAIT,
	TCPSTATE_CLOSE,
	TCPSTATE_CLOSE_WAIT,
	TCPSTATE_LAST_ACK,
	TCPSTATE_LISTEN,
	TCPSTATE_CLOSING,
	TCPSTATE_NEW_SYN_RECV,
};
#define TCPSTATE_COUNT 13 /* of array slots, the unused 0 included */

/* A set of states: bit n stands for state n, as in struct inet_diag_req_v2.idiag_states. */
typedef uint32_t tcpstate_set;

/* Every state above, and none that a newer kernel may have added (TCP_BOUND_INACTIVE, 6.8). */
#define TCPSTATE_SET_ALL (((tcpstate_set)1 << TCPSTATE_COUNT) - 2)

static inline tcpstate_set tcpstate_bit(enum tcpstate state)
{
	return (tcpstate_set)1 << state;
}

/* Its own FIN is sent: in these a socket outlives its descriptor. TIME_WAIT is a remnant of one. */
#define TCPSTATE_SET_FIN_SENT                                                                      \
	(tcpstate_bit(TCPSTATE_FIN_WAIT_1) | tcpstate_bit(TCPSTATE_FIN_WAIT_2) |                   \
	 tcpstate_bit(TCPSTATE_CLOSING) | tcpstate_bit(TCPSTATE_LAST_ACK))
/* The peer's FIN has come, and the socket is one still. */
#define TCPSTATE_SET_FIN_RECEIVED                                                                  \
	(tcpstate_bit(TCPSTATE_CLOSE_WAIT) | tcpstate_bit(TCPSTATE_LAST_ACK) |                     \
	 tcpstate_bit(TCPSTATE_CLOSING))

static inline bool tcpstate_in(enum tcpstate state, tcpstate_set set)
{
	return set & tcpstate_bit(state);
}

/* "close-wait", "syn-sent", ...; "unknown" for a number that is no state. Never NULL. */
const char *tcpstate_name(enum tcpstate state);
/* -EINVAL for a text that is no state's name, NULL included. */
int tcpstate_parse(const char *text, enum tcpstate *ret_state);
/*
 * Whether a socket in this state can be an occupant that collides: synchronised, so that the
 * kernel answers a SYN with a challenge ACK (or not at all) instead of giving way.
 */
bool tcpstate_can_be_stale(enum tcpstate state);

#endif
