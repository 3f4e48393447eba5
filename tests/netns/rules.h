/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real rules, put into the caller's network namespace by the built closewaitd-rules. */
#ifndef NETNS_RULES_H
#define NETNS_RULES_H

/* The program: $CLOSEWAITD_RULES, or conf/closewaitd-rules. */
const char *rules_program(void);

/*
 * "closewaitd-rules up" with this configuration file, on the backend that it finds usable.
 * Replaces what an earlier up left. 0 or a negative errno: it has said why on stderr.
 */
int rules_up(const char *conf_path);

/* "closewaitd-rules down". 0 or a negative errno: it has said why on stderr. */
int rules_down(void);

/* How many SYNs the queues of this namespace were handed since they were bound; -ENOENT without one. */
long rules_queued(void);
/* The same of one queue, -ENOENT while nobody is bound to it. */
long rules_queued_to(unsigned int queue);
/* How many of them all queues still hold. */
long rules_held(void);

#endif
