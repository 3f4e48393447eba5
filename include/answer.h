/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer: what the daemon answers on its control socket. */
#ifndef CW_ANSWER_H
#define CW_ANSWER_H

#include "servicestate.h"

/* Opens the socket, if one is configured. A negative errno after having logged what went wrong. */
int answer_open(struct service *s);
/* Tells the incident to whoever follows. */
void answer_publish(struct service *s, const struct incident *incident);
/* Answers the client that has waited for this change. */
void answer_done(struct service *s, const struct change *change);

#endif
