/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/kernel.h"

#include <stdio.h>
#include <sys/utsname.h>

bool kernel_is_since(unsigned int version, unsigned int level)
{
	unsigned int v = 0, l = 0;
	struct utsname kernel;

	return uname(&kernel) == 0 && sscanf(kernel.release, "%u.%u", &v, &l) == 2 &&
	       (v > version || (v == version && l >= level));
}
