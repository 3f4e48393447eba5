/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isolate: gives up, in stages, what the daemon does not need. The stages are in isolate.c. */
#ifndef CW_ISOLATE_H
#define CW_ISOLATE_H

#include <stddef.h>

/*
 * Stage 1: becomes user (NULL: stays who it is), keeps CAP_NET_ADMIN and no other capability, and
 * can never gain one again. Before any thread is started. On failure error holds one line;
 * -errno is returned.
 */
int isolate_privileges(const char *user, char *error, size_t size);
/*
 * Stage 2: from here on a system call outside the list kills the process, in every thread. On
 * failure error holds one line; -errno is returned.
 */
int isolate_system_calls(char *error, size_t size);

#endif
