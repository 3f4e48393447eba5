/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscalls: lists of system calls for isolate, each ended by NULL. By name: which of them an
 * architecture has, and under which number, libseccomp knows at run time.
 */
#ifndef CW_SYSCALLS_H
#define CW_SYSCALLS_H

/* What the daemon may do, whatever the arguments are. */
extern const char *const syscalls_daemon[];
/* What it never does, nor does a module of nsswitch.conf(5) in it. */
extern const char *const syscalls_deadly[];
/* What the owner server may do, whatever the arguments are. */
extern const char *const syscalls_owner_server[];

#endif
