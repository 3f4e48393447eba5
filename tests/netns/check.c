/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

int check_rc(int rc, const char *what, const char *file, int line)
{
	if (rc < 0) {
		print_error("cannot %s: %s\n", what, strerror(-rc));
		_fail(file, line);
	}
	return rc;
}

bool is_emulated(void)
{
	return getenv("CLOSEWAITD_TEST_EMULATED") != NULL;
}
