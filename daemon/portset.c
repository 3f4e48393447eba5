/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "portset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The number at *at, which moves behind it. */
static int take_port(const char **at, uint16_t *ret_port)
{
	unsigned long port;
	char *end;

	if (**at < '0' || **at > '9')
		return -EINVAL;
	port = strtoul(*at, &end, 10);
	if (port > UINT16_MAX)
		return -EINVAL;
	*at = end;
	*ret_port = (uint16_t)port;
	return 0;
}

int portset_add_list(struct portset *set, const char *text)
{
	const char *at = text;

	while (*at && *at != '\n') {
		uint16_t first, last;

		if (take_port(&at, &first) < 0)
			return -EINVAL;
		last = first;
		if (*at == '-') {
			at++;
			if (take_port(&at, &last) < 0 || last < first)
				return -EINVAL;
		}
		for (uint32_t port = first; port <= last; port++)
			portset_add(set, (uint16_t)port);
		if (*at == ',')
			at++;
		else if (*at && *at != '\n')
			return -EINVAL;
	}
	return 0;
}
