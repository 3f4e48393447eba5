/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_CPUTIME_H
#define BENCH_CPUTIME_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Nanoseconds that all threads of a process have spent on a processor, in user space and in the
 * kernel, from /proc/PID/task/TID/schedstat; -1 if that cannot be read.
 */
int64_t cputime_of(pid_t pid);

#endif
