/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/netns.h"

static int add_range(struct ports *ports, long first, long last)
{
	if (first < 1 || last > 65535 || last < first ||
	    (size_t)(last - first) + 1 > PORTS_MAX - ports->count)
		return -EINVAL;
	for (long port = first; port <= last; port++)
		ports->list[ports->count++] = (uint16_t)port;
	return 0;
}

/* One decimal number at *text, which moves behind it; -1 if there is none. */
static long take_number(const char **text)
{
	long value;
	char *end;

	if (**text < '0' || **text > '9')
		return -1;
	value = strtol(*text, &end, 10);
	*text = end;
	return value;
}

static int add_list(struct ports *ports, const char *text)
{
	for (;;) {
		long first = take_number(&text), last = first;

		if (*text == '-') {
			text++;
			last = take_number(&text);
		}
		if (add_range(ports, first, last) < 0)
			return -EINVAL;
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

int ports_parse(const char *text, struct ports *ret_ports)
{
	struct ports ports = {.list = malloc(PORTS_MAX * sizeof(*ports.list))};
	int rc;

	if (!ports.list)
		return -ENOMEM;
	rc = add_list(&ports, text);
	if (rc < 0)
		ports_free(&ports);
	else
		*ret_ports = ports;
	return rc;
}

int ports_ephemeral(struct ports *ret_ports)
{
	char text[32], list[32];
	int first, last, rc;

	rc = netns_sysctl_get("ipv4/ip_local_port_range", text, sizeof(text));
	if (rc < 0)
		return rc;
	if (sscanf(text, "%d %d", &first, &last) != 2)
		return -EPROTO;
	snprintf(list, sizeof(list), "%d-%d", first, last);
	return ports_parse(list, ret_ports);
}

void ports_free(struct ports *ports)
{
	free(ports->list);
	*ports = (struct ports){0};
}
