/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reload: takes a configuration or a mode over, in this thread and in the workers. */
#ifndef CW_RELOAD_H
#define CW_RELOAD_H

#include "servicestate.h"

/* The mode in force under conf, and the word for who says so: "control", "option" or "file". */
enum mode reload_mode_of(const struct service *s, const struct conf *conf);
const char *reload_mode_source(const struct service *s);
/*
 * Whether this kernel can carry conf out: 0, or -EOPNOTSUPP, and error holds one line that says
 * what to do.
 */
int reload_check(const struct service *s, const struct conf *conf,
		 char error[static CONF_ERROR_SIZE]);
/* Applies what this thread itself uses of the configuration in force. */
void reload_apply(struct service *s);

/*
 * Reads the file again and gives it to the workers; client is answered when all have it. On
 * failure, a negative errno, the old configuration stays in force, and error, which was logged too,
 * holds one line.
 */
int reload_file(struct service *s, uint64_t client, char error[static CONF_ERROR_SIZE]);
/*
 * The same for a mode, which holds from now on whatever the options and the file say; error is not
 * logged.
 */
int reload_mode(struct service *s, enum mode mode, uint64_t client,
		char error[static CONF_ERROR_SIZE]);
/*
 * The oldest change that every worker has taken over; false if there is none. To be called until
 * then whenever a worker has called. What the change took out of use is released.
 */
bool reload_take_done(struct service *s, struct change *ret_change);
/* Tells the service manager what is in force, once no change is on its way. */
void reload_tell(const struct service *s);
/* Releases what is left; the workers have ended. */
void reload_close(struct service *s);

#endif
