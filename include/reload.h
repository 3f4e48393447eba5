/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reload: takes a configuration over, in this thread and in the workers. */
#ifndef CW_RELOAD_H
#define CW_RELOAD_H

#include "servicestate.h"

/* The mode in force under conf. */
enum mode reload_mode_of(const struct service *s, const struct conf *conf);
/* Whether this kernel can carry conf out; if not, error holds one line that says what to do. */
int reload_check(const struct service *s, const struct conf *conf,
		 char error[static CONF_ERROR_SIZE]);
/* Applies what this thread itself uses of the configuration in force. */
void reload_apply(struct service *s);

/*
 * Reads the file again and gives it to the workers; reload_finish() sees the end of it. On failure
 * the old configuration stays in force and error, which was logged too, holds one line.
 */
int reload_file(struct service *s, char error[static CONF_ERROR_SIZE]);
/* Ends the changes that every worker has taken over; to be called when one of them has called. */
void reload_finish(struct service *s);
/* Releases the changes that nobody will take over any more. */
void reload_abandon(struct service *s);

#endif
