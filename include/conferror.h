/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conferror: the one line of text that says what is wrong with a configuration, and where. */
#ifndef CW_CONFERROR_H
#define CW_CONFERROR_H

#include <stddef.h>

/* Where the text goes: room for CONF_ERROR_SIZE bytes, and the name that stands for the file. */
struct conferror {
	const char *file;
	char *text;
};

/* Room for a quoted value, NUL included: enough to recognise it, little enough for one line. */
#define CONFERROR_QUOTE_SIZE 72

/* "FILE:LINE: ..."; returns -EINVAL. */
int conferror_at(const struct conferror *error, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE: ...", for what is wrong with the file as a whole; returns -err. */
int conferror_file(const struct conferror *error, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE: ..."; returns -ENOMEM. */
int conferror_nomem(const struct conferror *error);

/*
 * One character of a string as libconfig reads it back, NUL-terminated, at most 4 bytes long:
 * itself, or an escape.
 */
const char *conferror_escape(char c, char buf[static 5]);
/* Writes len bytes of text in double quotes, escaped, cut with "..." where it is too long. */
const char *conferror_quote(const char *text, size_t len, char buf[static CONFERROR_QUOTE_SIZE]);

#endif
