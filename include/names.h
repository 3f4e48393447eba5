/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names: tables of words for enums, shared by every module that turns one to and from text. */
#ifndef CW_NAMES_H
#define CW_NAMES_H

#include <stddef.h>

/* A table is an array of words indexed by the enum; a NULL slot has no word. */
#define NAMES_LEN(table) (sizeof(table) / sizeof((table)[0]))

/* The word at index, "unknown" where there is none. */
const char *names_get(const char *const table[], size_t len, unsigned int index);
/* The index of a word, -EINVAL for a text that is not in the table, NULL included. */
int names_find(const char *const table[], size_t len, const char *text);

#endif
