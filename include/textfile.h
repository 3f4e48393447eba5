/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * textfile: a file that is written anew from time to time, for the textfile collector of
 * Prometheus' node exporter. Whoever reads it sees the old text or the new, never a part.
 */
#ifndef CW_TEXTFILE_H
#define CW_TEXTFILE_H

#include <stddef.h>
#include <stdint.h>

struct textfile;

/* Does nothing until it is configured. -errno. */
int textfile_open(struct textfile **ret_file);
/* Removes the file, since what it says is no longer true. */
void textfile_close(struct textfile *file);

/* path: "" for none. The first text is due at once. A file that is no longer wanted is removed. */
void textfile_configure(struct textfile *file, const char *path, uint64_t interval_ms);
/* Readable when the next text is due: call textfile_update() then. */
int textfile_fd(const struct textfile *file);
/* Trouble is logged when it begins and when it ends. */
void textfile_update(struct textfile *file, const char *text, size_t len);

#endif
