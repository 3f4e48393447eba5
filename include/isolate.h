/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isolate: gives up, in stages, what the daemon does not need. The stages are in isolate.c. */
#ifndef CW_ISOLATE_H
#define CW_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>

enum isolate_role {
	ISOLATE_DAEMON,	      /* keeps CAP_NET_ADMIN */
	ISOLATE_OWNER_SERVER, /* keeps CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH */
};
#define ISOLATE_ROLE_COUNT 2

/* Whether the process has what a role would keep. */
bool isolate_is_capable(enum isolate_role role);
/*
 * Stage 1: becomes user (NULL: stays who it is), keeps the capabilities of its role and no other,
 * and can never gain one again. Before any thread is started. On failure error holds one line;
 * -errno is returned.
 */
int isolate_privileges(enum isolate_role role, const char *user, char *error, size_t size);
/*
 * Stage 2: from here on only the system calls of the role are made, in every thread. To the daemon
 * any other seems not to be there (ENOSYS), but to run a program and the like kills it; every other
 * one kills the owner server. On failure error holds one line; -errno is returned.
 */
int isolate_system_calls(enum isolate_role role, char *error, size_t size);

#endif
