/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctltable: rows under headings, in columns as wide as need be, in as many as there is room for. */
#ifndef CW_CTLTABLE_H
#define CW_CTLTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CTLTABLE_COLUMNS_MAX 16

struct ctltable_column {
	const char *title;
	bool right; /* aligned */
	unsigned int
		worth; /* what is worth least goes first where room is short; 0: always stays */
};

struct ctltable;

/* columns outlives the table. NULL if there is no memory. */
struct ctltable *ctltable_new(const struct ctltable_column *columns, size_t n);
void ctltable_free(struct ctltable *table);
/* Copies one text for each column. false if there is no memory. */
bool ctltable_add(struct ctltable *table, const char *const cells[]);
/*
 * Leaves out columns in which all cells are empty, then those that do not fit; the last column is
 * cut if it still has to be. width 0: as much as it takes. Texts are UTF-8 and of one cell for each
 * character. dim and plain switch the colour of the headings, or are "".
 */
void ctltable_print(const struct ctltable *table, FILE *out, size_t width, const char *dim,
		    const char *plain);

#endif
