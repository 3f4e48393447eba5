/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network namespace of the test's own: its traffic, rules and sysctls touch nobody else's. */
#ifndef TEST_NETNS_H
#define TEST_NETNS_H

#include <stddef.h>

/*
 * Moves the process into a new network namespace with lo up. 0 or a negative errno; -EPERM
 * without CAP_SYS_ADMIN. The namespace ends with its last process.
 */
int netns_enter(void);

/* Sets the interface flag IFF_UP. 0 or a negative errno. */
int netns_link_up(const char *ifname);

/* Writes, reads /proc/sys/net/NAME (slashes, no leading one), for example "ipv4/tcp_fin_timeout".
 * Reading gives the value without its line feed. 0 or a negative errno. */
int netns_sysctl_set(const char *name, const char *value);
int netns_sysctl_get(const char *name, char *ret_value, size_t size);

#endif
