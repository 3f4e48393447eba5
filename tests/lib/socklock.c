/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/socklock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAULT_MS 5000

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void *send_a_byte(void *arg)
{
	const struct socklock *lock = arg;

	send(lock->socket, lock->page, 1, MSG_NOSIGNAL);
	return NULL;
}

/* Faults on the page are reported instead of served. */
static int withhold(struct socklock *lock)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	lock->page =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lock->page == MAP_FAILED)
		return -errno;
	range.range.start = (uintptr_t)lock->page;
	range.range.len = page_size();
	lock->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (lock->faults < 0 || ioctl(lock->faults, UFFDIO_API, &api) < 0 ||
	    ioctl(lock->faults, UFFDIO_REGISTER, &range) < 0)
		return -errno;
	return 0;
}

static void clean_up(struct socklock *lock)
{
	if (lock->faults >= 0)
		close(lock->faults);
	if (lock->page != MAP_FAILED)
		munmap(lock->page, page_size());
}

int socklock_take(int socket, struct socklock *ret_lock)
{
	struct socklock *lock = ret_lock;
	struct pollfd fault;
	int rc;

	lock->socket = socket;
	lock->faults = -1;
	rc = withhold(lock);
	if (rc == 0)
		rc = -pthread_create(&lock->thread, NULL, send_a_byte, lock);
	if (rc < 0) {
		clean_up(lock);
		return rc;
	}
	/* tcp_sendmsg() copies with the lock held. */
	fault = (struct pollfd){.fd = lock->faults, .events = POLLIN};
	if (poll(&fault, 1, FAULT_MS) == 1)
		return 0;
	socklock_release(lock);
	return -ETIMEDOUT;
}

void socklock_release(struct socklock *lock)
{
	struct uffdio_zeropage zero = {
		.range = {.start = (uintptr_t)lock->page, .len = page_size()},
	};

	ioctl(lock->faults, UFFDIO_ZEROPAGE, &zero);
	pthread_join(lock->thread, NULL);
	clean_up(lock);
}
