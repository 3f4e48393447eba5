/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctlclient: closewaitctl's end of the control socket. Errors are said on stderr; what is returned
 * as int is an exit status.
 */
#ifndef CW_CTLCLIENT_H
#define CW_CTLCLIENT_H

#include "ctl.h"

#include <jansson.h>

struct ctlclient;

/*
 * Whether somebody answers on the socket: CTL_OK, CTL_NO_DAEMON or CTL_DENIED. Where others wait
 * for a daemon that takes no connections, 10 s at most.
 */
int ctlclient_open(const struct ctl *ctl, struct ctlclient **ret_client);
/* The same without a word, for who can do without the daemon. */
int ctlclient_try(const struct ctl *ctl, struct ctlclient **ret_client);
void ctlclient_close(struct ctlclient *client);

/* Sends a request, whose reference it takes; "version" is added. */
int ctlclient_send(struct ctlclient *client, json_t *request);
/*
 * One line of what the daemon sends, an object, which the caller releases. patient: waits without
 * end, else 10 s.
 */
int ctlclient_receive(struct ctlclient *client, bool patient, json_t **ret_line);
/* CTL_OK if this last line of an answer is a consent; else says what the daemon says. */
int ctlclient_check(const json_t *answer);

/* All of that for a request whose answer is one line; the caller releases it. */
int ctlclient_ask(const struct ctl *ctl, json_t *request, json_t **ret_answer);
/* Writes an object as one line. */
void ctlclient_print(const json_t *object);

#endif
