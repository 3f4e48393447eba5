/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kstat: what the kernel counts about TCP in this network namespace (/proc/net/netstat, snmp). */
#ifndef CW_KSTAT_H
#define CW_KSTAT_H

#include <stdint.h>

/* Counts since the namespace was made. */
struct kstat {
	uint64_t syn_challenges; /* TCPSYNChallenge: SYNs that met a connected socket */
	uint64_t active_opens;	 /* ActiveOpens: connects, to whatever host */
	/* SYNs and last ACKs of handshakes that met a full accept queue (tcp_conn_request()). */
	uint64_t listen_overflows;
	uint64_t listen_drops; /* those, and what a listener drops for other reasons */
};

/* -errno of reading, -EBADMSG if a counter is not there; nothing is stored then. */
int kstat_read(struct kstat *ret_kstat);
/*
 * The counter name of a group, from text in the form of those files: a line "group: NAME..." and
 * a line "group: NUMBER..." below it. -EBADMSG if it is not there.
 */
int kstat_find(const char *text, const char *group, const char *name, uint64_t *ret_value);

#endif
