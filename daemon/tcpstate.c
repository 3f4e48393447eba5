/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tcpstate.h"
#include "names.h"

static const char *const names[TCPSTATE_COUNT] = {
	[TCPSTATE_ESTABLISHED] = "established",
	[TCPSTATE_SYN_SENT] = "syn-sent",
	[TCPSTATE_SYN_RECV] = "syn-recv",
	[TCPSTATE_FIN_WAIT_1] = "fin-wait-1",
	[TCPSTATE_FIN_WAIT_2] = "fin-wait-2",
	[TCPSTATE_TIME_WAIT] = "time-wait",
	[TCPSTATE_CLOSE] = "close",
	[TCPSTATE_CLOSE_WAIT] = "close-wait",
	[TCPSTATE_LAST_ACK] = "last-ack",
	[TCPSTATE_LISTEN] = "listen",
	[TCPSTATE_CLOSING] = "closing",
	[TCPSTATE_NEW_SYN_RECV] = "new-syn-recv",
};

const char *tcpstate_name(enum tcpstate state)
{
	return names_get(names, TCPSTATE_COUNT, state);
}

int tcpstate_parse(const char *text, enum tcpstate *ret_state)
{
	int index = names_find(names, TCPSTATE_COUNT, text);

	if (index < 0)
		return index;
	*ret_state = (enum tcpstate)index;
	return 0;
}

bool tcpstate_can_be_stale(enum tcpstate state)
{
	const tcpstate_set can =
		tcpstate_bit(TCPSTATE_CLOSE_WAIT) | tcpstate_bit(TCPSTATE_FIN_WAIT_1) |
		tcpstate_bit(TCPSTATE_FIN_WAIT_2) | tcpstate_bit(TCPSTATE_LAST_ACK) |
		tcpstate_bit(TCPSTATE_CLOSING) | tcpstate_bit(TCPSTATE_ESTABLISHED);

	return tcpstate_in(state, can);
}
