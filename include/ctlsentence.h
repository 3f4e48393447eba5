/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctlsentence: sentences for people, made of pieces, and printed as wide as the terminal is. */
#ifndef CW_CTLSENTENCE_H
#define CW_CTLSENTENCE_H

#include "ctlprint.h"

#include <stddef.h>

/* A sentence in the making; all zero is an empty one. What does not fit is cut off. */
struct sentence {
	size_t len;
	char text[1024];
};

void sentence_say(struct sentence *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* On stdout, wrapped between words if that is a terminal; empty again afterwards. */
void sentence_print(struct sentence *s, enum ctlprint_colour colour);

/* Columns of the terminal that stdout is; 0: it is none. */
size_t sentence_terminal_width(void);

#endif
