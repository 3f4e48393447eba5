/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conffile: the bytes of a configuration file, if it is one that may be trusted. */
#ifndef CW_CONFFILE_H
#define CW_CONFFILE_H

#include "conferror.h"

#include <stddef.h>

/*
 * Reads a whole regular file of at most 1 MiB that not everybody may write to; never waits, as
 * opening a FIFO or a device would. The caller frees *ret_text; a NUL that is not counted follows
 * the last byte. A negative errno with the error.
 */
int conffile_read(const struct conferror *error, const char *path, char **ret_text,
		  size_t *ret_len);

#endif
