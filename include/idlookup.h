/* SPDX-License-Identifier: GPL-2.0-or-later */
/* idlookup: the numbers of users and groups. */
#ifndef CW_IDLOOKUP_H
#define CW_IDLOOKUP_H

#include <sys/types.h>

/*
 * A name, or a number in decimal digits, which wins. -ENOENT: nobody has that name or no user can
 * have that number; -ENOMEM; else the errno of the look-up.
 */
int idlookup_user(const char *text, uid_t *ret_uid);
/* A name only. The same errors. */
int idlookup_group(const char *name, gid_t *ret_gid);

#endif
