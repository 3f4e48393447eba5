/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conftext: the text of a configuration, checked and made ready for libconfig. */
#ifndef CW_CONFTEXT_H
#define CW_CONFTEXT_H

#include "conferror.h"

#include <stddef.h>

/*
 * Returns a text that libconfig reads as the len bytes of text mean, every value on the line
 * where it stands there; the caller frees it. -EINVAL with the error for what libconfig would
 * misread, pass over in silence, or complain about in a wrong place; -ENOMEM. text[len] is NUL.
 */
int conftext_prepare(const char *text, size_t len, const struct conferror *error, char **ret_text);

/* The line with that number, without what surrounds it, and its length; "" where there is none. */
const char *conftext_line(const char *text, unsigned int line, size_t *ret_len);

#endif
