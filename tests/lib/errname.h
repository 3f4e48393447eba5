/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_ERRNAME_H
#define TEST_ERRNAME_H

/*
 * "ECONNREFUSED" for ECONNREFUSED, the errors that sockets and netlink give; "errno" for another
 * number, "OK" for 0. The sign does not matter. A constant string: errno itself is left alone.
 */
const char *errname(int err);

#endif
