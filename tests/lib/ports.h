/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of ports, in the order given, in host byte order. */
#ifndef TEST_PORTS_H
#define TEST_PORTS_H

#include <stddef.h>
#include <stdint.h>

/* The longest list: every port once. */
#define PORTS_MAX 65535

struct ports {
	uint16_t *list;
	size_t count;
};

/* "40000-40099,50000". 0, -EINVAL if the text is not that, -ENOMEM. Zeroed structs are empty. */
int ports_parse(const char *text, struct ports *ret_ports);

/* net.ipv4.ip_local_port_range of this network namespace. 0 or a negative errno. */
int ports_ephemeral(struct ports *ret_ports);

void ports_free(struct ports *ports);

#endif
