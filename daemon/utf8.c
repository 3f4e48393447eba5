/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "utf8.h"

#include <stdint.h>

/* RFC 3629: how many bytes a first byte announces, 0 for none that could be one. */
static size_t announced(unsigned char byte)
{
	if (byte < 0x80)
		return 1;
	if (byte >= 0xc2 && byte <= 0xdf)
		return 2;
	if (byte >= 0xe0 && byte <= 0xef)
		return 3;
	return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

size_t utf8_printable(const char *text)
{
	/* The least that so many bytes are needed for: less would be another form of the same. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	size_t len = announced(byte[0]);
	uint32_t code = len > 1 ? byte[0] & (0x7fU >> len) : byte[0];

	if (len == 0)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80) /* NUL too: nothing behind the end is read */
			return 0;
		code = code << 6 | (byte[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return code < ' ' || (code >= 0x7f && code <= 0x9f) ? 0 : len;
}
