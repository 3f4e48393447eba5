/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctltable.h"

#include <stdlib.h>
#include <string.h>

/* Between two columns, and what a text that was cut ends with. */
#define GAP	 2
#define ELLIPSIS "..."

struct ctltable {
	const struct ctltable_column *columns;
	size_t n_columns;
	char **cells; /* row by row */
	size_t n_rows, room;
};

struct layout {
	size_t widths[CTLTABLE_COLUMNS_MAX]; /* 0: not shown */
	size_t last;			     /* the last one shown */
};

struct ctltable *ctltable_new(const struct ctltable_column *columns, size_t n)
{
	struct ctltable *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->n_columns = n;
	return table;
}

void ctltable_free(struct ctltable *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_rows * table->n_columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

bool ctltable_add(struct ctltable *table, const char *const cells[])
{
	char **row;

	if (table->n_rows == table->room) {
		size_t room = table->room ? 2 * table->room : 16;
		char **moved = reallocarray(table->cells, room * table->n_columns, sizeof(*moved));

		if (!moved)
			return false;
		table->cells = moved;
		table->room = room;
	}
	row = table->cells + table->n_rows * table->n_columns;
	for (size_t i = 0; i < table->n_columns; i++) {
		row[i] = strdup(cells[i]);
		if (!row[i]) {
			while (i-- > 0)
				free(row[i]);
			return false;
		}
	}
	table->n_rows++;
	return true;
}

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += !continues(*text);
	return width;
}

/* The bytes of the first characters of a text. */
static size_t bytes_of(const char *text, size_t characters)
{
	size_t len = 0;

	while (text[len] && (characters > 0 || continues(text[len])))
		characters -= !continues(text[len++]);
	return len;
}

static const char *cell(const struct ctltable *table, size_t row, size_t column)
{
	return table->cells[row * table->n_columns + column];
}

static size_t widest(const struct ctltable *table, size_t column)
{
	size_t width = 0;

	for (size_t row = 0; row < table->n_rows; row++) {
		size_t this_width = width_of(cell(table, row, column));

		width = this_width > width ? this_width : width;
	}
	if (width == 0)
		return 0;
	return width_of(table->columns[column].title) > width
		       ? width_of(table->columns[column].title)
		       : width;
}

static size_t total(const struct ctltable *table, const struct layout *layout)
{
	size_t sum = 0;

	for (size_t i = 0; i < table->n_columns; i++)
		sum += layout->widths[i] ? layout->widths[i] + GAP : 0;
	return sum > 0 ? sum - GAP : 0;
}

/* false: all columns that may go are gone. */
static bool drop_one(const struct ctltable *table, struct layout *layout)
{
	size_t least = table->n_columns;

	for (size_t i = 0; i < table->n_columns; i++) {
		if (layout->widths[i] == 0 || table->columns[i].worth == 0)
			continue;
		if (least == table->n_columns ||
		    table->columns[i].worth < table->columns[least].worth)
			least = i;
	}
	if (least == table->n_columns)
		return false;
	layout->widths[least] = 0;
	return true;
}

static void lay_out(const struct ctltable *table, size_t width, struct layout *layout)
{
	for (size_t i = 0; i < table->n_columns; i++)
		layout->widths[i] = widest(table, i);
	while (width > 0 && total(table, layout) > width && drop_one(table, layout))
		;
	layout->last = 0;
	for (size_t i = 0; i < table->n_columns; i++) {
		if (layout->widths[i] > 0)
			layout->last = i;
	}
	if (width > 0 && total(table, layout) > width) {
		size_t excess = total(table, layout) - width;
		size_t *last = &layout->widths[layout->last];

		/* At least so much that one sees that something is there. */
		*last = *last > excess + strlen(ELLIPSIS) ? *last - excess : strlen(ELLIPSIS) + 1;
	}
}

static void print_cell(const struct ctltable *table, const struct layout *layout, FILE *out,
		       size_t column, const char *text)
{
	size_t width = layout->widths[column], needed = width_of(text);
	int padding = needed < width ? (int)(width - needed) : 0;

	if (width == 0)
		return;
	if (table->columns[column].right)
		fprintf(out, "%*s", padding, "");
	if (needed > width)
		fprintf(out, "%.*s%s", (int)bytes_of(text, width - strlen(ELLIPSIS)), text,
			ELLIPSIS);
	else
		fputs(text, out);
	if (column == layout->last)
		return;
	fprintf(out, "%*s", table->columns[column].right ? GAP : padding + GAP, "");
}

void ctltable_print(const struct ctltable *table, FILE *out, size_t width, const char *dim,
		    const char *plain)
{
	struct layout layout;

	lay_out(table, width, &layout);
	fputs(dim, out);
	for (size_t i = 0; i < table->n_columns; i++)
		print_cell(table, &layout, out, i, table->columns[i].title);
	fprintf(out, "%s\n", plain);
	for (size_t row = 0; row < table->n_rows; row++) {
		for (size_t i = 0; i < table->n_columns; i++)
			print_cell(table, &layout, out, i, cell(table, row, i));
		fputc('\n', out);
	}
}
