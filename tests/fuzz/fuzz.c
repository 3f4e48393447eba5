/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fuzz_broken(const char *what, const char *file, int line)
{
	/* Not stderr, which a target may have put somewhere else. */
	dprintf(STDERR_FILENO, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

uint8_t fuzz_byte(struct fuzz_bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->next++;
}

unsigned int fuzz_below(struct fuzz_bytes *bytes, unsigned int below)
{
	return fuzz_byte(bytes) % below;
}

uint32_t fuzz_u32(struct fuzz_bytes *bytes)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | fuzz_byte(bytes);
	return value;
}
