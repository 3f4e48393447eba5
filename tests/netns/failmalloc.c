/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To be preloaded: memory that runs out once, at the allocation that the test has chosen. The
 * allocator is glibc's, under the names by which it is there before the first symbol is looked up.
 *
 * Allocations of two libraries do not count, which do not survive a failure: libconfig's, of which
 * conf.c sees to it that there is none, and those of seccomp_load(), at the very end of a start.
 */
#include "failmalloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);

static struct failmalloc *shared;
/* How deep: it calls itself. volatile: to a compiler malloc() reads nothing of ours. */
static _Thread_local volatile int in_library;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAILMALLOC");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory != MAP_FAILED)
		shared = memory;
}

static bool fails(void)
{
	long left;

	if (!shared || in_library)
		return false;
	left = atomic_load(&shared->countdown);
	while (left > 0 && !atomic_compare_exchange_weak(&shared->countdown, &left, left - 1))
		;
	if (left != 1)
		return false;
	atomic_fetch_add(&shared->failed, 1);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	return fails() ? NULL : __libc_realloc(memory, size);
}

void config_init(config_t *config)
{
	union {
		void *symbol;
		void (*call)(config_t *config);
	} real;

	in_library++;
	real.symbol = dlsym(RTLD_NEXT, "config_init");
	real.call(config);
	in_library--;
}

int config_read_string(config_t *config, const char *text)
{
	union {
		void *symbol;
		int (*call)(config_t *config, const char *text);
	} real;
	int result;

	in_library++;
	real.symbol = dlsym(RTLD_NEXT, "config_read_string");
	result = real.call(config, text);
	in_library--;
	return result;
}

int seccomp_load(const scmp_filter_ctx filter)
{
	union {
		void *symbol;
		int (*call)(const scmp_filter_ctx filter);
	} real;
	int result;

	in_library++;
	real.symbol = dlsym(RTLD_NEXT, "seccomp_load");
	result = real.call(filter);
	in_library--;
	return result;
}
