/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ownerstart: starts the owner server, a process of its own, where the configuration wants one. */
#ifndef CW_OWNERSTART_H
#define CW_OWNERSTART_H

#include "conf.h"

/*
 * 0: *ret_fd leads to the server, or is -1 if there is none: none is wanted, or the capabilities
 * are missing, which is logged. 1: this is the new process, and it has done its work: all that is
 * left is to end. -errno: it was logged.
 *
 * For stage 0 (isolate.h), before anything is open that the new process should not have. user: see
 * isolate_privileges().
 */
int ownerstart(const struct conf *conf, const char *user, int *ret_fd);

#endif
