/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel: which one this is. */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#include <stdbool.h>

/* As of 6.6: kernel_is_since(6, 6). */
bool kernel_is_since(unsigned int version, unsigned int level);

#endif
