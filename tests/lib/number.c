/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/number.h"

#include <errno.h>
#include <stdlib.h>

int number_parse(const char *text, long min, long max, long *ret_value)
{
	char *end;
	long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL; /* strtol() would take a sign and white space */
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return -EINVAL;
	*ret_value = value;
	return 0;
}
