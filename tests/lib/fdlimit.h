/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_FDLIMIT_H
#define TEST_FDLIMIT_H

/* Raises the soft limit of open descriptors to the hard one; returns what it now is. */
long fdlimit_raise(void);

#endif
