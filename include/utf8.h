/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utf8: which bytes of a name that somebody else has chosen can be written as they are. */
#ifndef CW_UTF8_H
#define CW_UTF8_H

#include <stddef.h>

/*
 * The length of the UTF-8 character that text begins with; 0 if it begins with none, with a NUL or
 * with a control character (C0, DEL, C1), which a terminal would obey.
 */
size_t utf8_printable(const char *text);

#endif
