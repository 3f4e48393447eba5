/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockfile: a listening unix socket and the file that names it. */
#ifndef CW_SOCKFILE_H
#define CW_SOCKFILE_H

#include <sys/types.h>

struct sockfile;

/* Room for any message: a path, a reason, and what to do. */
#define SOCKFILE_ERROR_SIZE 512

/* The file gets what the process creates files with. */
#define SOCKFILE_KEEP_USER  ((uid_t)-1)
#define SOCKFILE_KEEP_GROUP ((gid_t)-1)

/*
 * Listens at path, which only user and group may then connect to (mode 0660). The last folder of
 * path is made if it is missing, and is user's, who may thus remove the socket again. What a
 * crashed process left there is replaced; a socket that somebody answers on, or a file that is none
 * (also one that comes there meanwhile), is not (-EADDRINUSE, -EEXIST). On failure, also by
 * another errno, error holds one line that names the path and says what to do.
 */
int sockfile_open(const char *path, uid_t user, gid_t group, struct sockfile **ret_file,
		  char error[static SOCKFILE_ERROR_SIZE]);
/* Removes the file too, unless it is no longer this one. */
void sockfile_close(struct sockfile *file);
/* Non-blocking, to accept connections from. */
int sockfile_fd(const struct sockfile *file);

#endif
