/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctlsentence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Below this a text is no easier to read for being wrapped. */
#define WIDTH_LEAST 40

size_t sentence_terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

void sentence_say(struct sentence *s, const char *fmt, ...)
{
	size_t left = sizeof(s->text) - s->len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(s->text + s->len, left, fmt, ap);
	va_end(ap);
	s->len += (size_t)len < left ? (size_t)len : left - 1;
}

void sentence_print(struct sentence *s, enum ctlprint_colour colour)
{
	const char *text = s->text;
	size_t width = sentence_terminal_width(), column = 0;

	fputs(ctlprint_colour(colour), stdout);
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > 0 && width > 0 && column + 1 + word > width) {
			putchar('\n');
			column = 0;
		} else if (column > 0) {
			putchar(' ');
			column++;
		}
		fwrite(text, 1, word, stdout);
		column += word;
		text += word + strspn(text + word, " ");
	}
	printf("%s\n", ctlprint_colour(COLOUR_NONE));
	*s = (struct sentence){.len = 0};
}
