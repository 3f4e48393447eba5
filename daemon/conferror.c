/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "conferror.h"
#include "conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of a longer file name only the end is shown, which tells more: the message must fit. */
#define FILE_NAME_SHOWN 160

__attribute__((format(printf, 3, 0))) static void
put(const struct conferror *error, unsigned int line, const char *fmt, va_list ap)
{
	size_t name_len = strlen(error->file);
	bool cut = name_len > FILE_NAME_SHOWN;
	const char *name = cut ? error->file + name_len - FILE_NAME_SHOWN : error->file;
	size_t len;

	if (line > 0)
		snprintf(error->text, CONF_ERROR_SIZE, "%s%s:%u: ", cut ? "..." : "", name, line);
	else
		snprintf(error->text, CONF_ERROR_SIZE, "%s%s: ", cut ? "..." : "", name);
	len = strlen(error->text);
	vsnprintf(error->text + len, CONF_ERROR_SIZE - len, fmt, ap);
}

int conferror_at(const struct conferror *error, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(error, line, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int conferror_file(const struct conferror *error, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(error, 0, fmt, ap);
	va_end(ap);
	return -err;
}

int conferror_nomem(const struct conferror *error)
{
	return conferror_file(error, ENOMEM, "out of memory");
}

const char *conferror_escape(char c, char buf[static 5])
{
	unsigned char byte = (unsigned char)c;

	switch (c) {
	case '\n':
		return strcpy(buf, "\\n");
	case '\r':
		return strcpy(buf, "\\r");
	case '\t':
		return strcpy(buf, "\\t");
	case '\f':
		return strcpy(buf, "\\f");
	case '"':
		return strcpy(buf, "\\\"");
	case '\\':
		return strcpy(buf, "\\\\");
	}
	if (byte < 0x20 || byte == 0x7f)
		snprintf(buf, 5, "\\x%02x", byte);
	else
		snprintf(buf, 5, "%c", c);
	return buf;
}

const char *conferror_quote(const char *text, size_t len, char buf[static CONFERROR_QUOTE_SIZE])
{
	const size_t limit = CONFERROR_QUOTE_SIZE - sizeof("...\"");
	size_t used = 0;
	bool cut = false;

	buf[used++] = '"';
	for (size_t i = 0; i < len && !cut; i++) {
		char escaped[5];
		size_t add = strlen(conferror_escape(text[i], escaped));

		cut = add > limit - used;
		if (!cut) {
			memcpy(buf + used, escaped, add);
			used += add;
		}
	}
	strcpy(buf + used, cut ? "...\"" : "\"");
	return buf;
}
