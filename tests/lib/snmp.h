/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_SNMP_H
#define TEST_SNMP_H

#include <stdint.h>

/*
 * A counter of the current network namespace by the names that the kernel gives it, for example
 * ("TcpExt", "TCPSYNChallenge") or ("Tcp", "RetransSegs"); -ENOENT if this kernel has no such one.
 */
int64_t snmp_counter(const char *group, const char *name);

#endif
