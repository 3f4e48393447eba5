/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "fakenl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
/* Wants the headers above it. */
#include <cmocka.h>

#define FIRST_FD    1000 /* no real descriptor has such a number here */
#define MAX_SOCKETS 256
#define MAX_OPTIONS 8
#define MAX_ITEMS   1024
/* No test needs nearly as many between two resets. */
#define TOO_MANY_CALLS 5000000

struct item {
	int fd; /* 0: read already */
	int error;
	uint32_t port_id;
	int64_t due_ms;
	size_t len;
	char *bytes;
};

struct fake_socket {
	bool open;
	struct {
		int level, name, value;
	} options[MAX_OPTIONS];
	size_t n_options;
	struct item flood; /* if it has bytes */
};

static struct {
	fakenl_kernel_fn *kernel;
	struct fake_socket sockets[MAX_SOCKETS];
	int n_sockets;
	struct item items[MAX_ITEMS];
	size_t n_items;
	struct {
		size_t skip, times;
		int error;
	} plans[FAKENL_CALLS];
	size_t counts[FAKENL_CALLS];
	size_t calls;
	int64_t now_ms;
	unsigned int read_ms;
} fake;

int __wrap_socket(int domain, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_close(int fd);
ssize_t __wrap_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
		      socklen_t addr_len);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
			socklen_t *addr_len);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
		    struct timespec *timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts);

static void drop_item(struct item *item)
{
	free(item->bytes);
	*item = (struct item){.fd = 0};
}

void fakenl_reset(fakenl_kernel_fn *kernel)
{
	for (size_t i = 0; i < fake.n_items; i++)
		drop_item(&fake.items[i]);
	for (int i = 0; i < fake.n_sockets; i++)
		drop_item(&fake.sockets[i].flood);
	memset(&fake, 0, sizeof(fake));
	fake.kernel = kernel;
	fake.now_ms = 10000;
}

static struct fake_socket *socket_of(int fd)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + fake.n_sockets || !fake.sockets[fd - FIRST_FD].open)
		fail_msg("descriptor %d is used and not open", fd);
	return &fake.sockets[fd - FIRST_FD];
}

/* Counts a call; true, with errno set, if it is to fail. */
static bool fails(enum fakenl_call call)
{
	fake.counts[call]++;
	if (++fake.calls > TOO_MANY_CALLS)
		fail_msg("spins: %d system calls and no end", TOO_MANY_CALLS);
	if (fake.plans[call].times == 0)
		return false;
	if (fake.plans[call].skip > 0) {
		fake.plans[call].skip--;
		return false;
	}
	if (fake.plans[call].times != FAKENL_FOR_EVER)
		fake.plans[call].times--;
	errno = fake.plans[call].error;
	return true;
}

/* Closes the gaps that reading left. */
static void compact_items(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < fake.n_items; i++) {
		if (fake.items[i].fd != 0)
			fake.items[kept++] = fake.items[i];
	}
	fake.n_items = kept;
}

static struct item *add_item(int fd)
{
	socket_of(fd);
	if (fake.n_items == MAX_ITEMS)
		compact_items();
	if (fake.n_items == MAX_ITEMS)
		fail_msg("more than %d datagrams", MAX_ITEMS);
	fake.items[fake.n_items] = (struct item){.fd = fd, .due_ms = fake.now_ms};
	return &fake.items[fake.n_items++];
}

static void fill_item(struct item *item, const void *bytes, size_t len, uint32_t port_id)
{
	/* Of its exact size, so that whoever reads past it is seen. */
	item->bytes = malloc(len > 0 ? len : 1);
	assert_non_null(item->bytes);
	memcpy(item->bytes, bytes, len);
	item->len = len;
	item->port_id = port_id;
}

void fakenl_deliver(int fd, const void *bytes, size_t len, uint32_t port_id, unsigned int delay_ms)
{
	struct item *item = add_item(fd);

	fill_item(item, bytes, len, port_id);
	item->due_ms += delay_ms;
}

void fakenl_deliver_error(int fd, int error)
{
	add_item(fd)->error = error;
}

void fakenl_flood(int fd, const void *bytes, size_t len, uint32_t port_id)
{
	struct item *item = &socket_of(fd)->flood;

	drop_item(item);
	fill_item(item, bytes, len, port_id);
}

void fakenl_fail(enum fakenl_call call, size_t skip, size_t times, int error)
{
	fake.plans[call].skip = skip;
	fake.plans[call].times = times;
	fake.plans[call].error = error;
}

int64_t fakenl_now_ms(void)
{
	return fake.now_ms;
}

void fakenl_set_read_time(unsigned int ms)
{
	fake.read_ms = ms;
}

size_t fakenl_count(enum fakenl_call call)
{
	return fake.counts[call];
}

size_t fakenl_open_sockets(void)
{
	size_t open = 0;

	for (int i = 0; i < fake.n_sockets; i++)
		open += fake.sockets[i].open;
	return open;
}

int fakenl_fd(void)
{
	return FIRST_FD + fake.n_sockets - 1;
}

size_t fakenl_pending(void)
{
	size_t pending = 0;

	for (size_t i = 0; i < fake.n_items; i++)
		pending += fake.items[i].fd != 0;
	return pending;
}

int fakenl_option(int fd, int level, int name, int *ret_value)
{
	const struct fake_socket *socket = socket_of(fd);

	for (size_t i = 0; i < socket->n_options; i++) {
		if (socket->options[i].level == level && socket->options[i].name == name) {
			*ret_value = socket->options[i].value;
			return 1;
		}
	}
	return 0;
}

/* --- what the linker puts in ------------------------------------------------------------------ */

int __wrap_socket(int domain, int type, int protocol)
{
	(void)protocol;
	assert_int_equal(domain, AF_NETLINK);
	assert_true(type & SOCK_CLOEXEC);
	if (fails(FAKENL_SOCKET))
		return -1;
	assert_true(fake.n_sockets < MAX_SOCKETS);
	fake.sockets[fake.n_sockets].open = true;
	return FIRST_FD + fake.n_sockets++;
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_nl *local = (const void *)addr;

	socket_of(fd);
	assert_int_equal(len, sizeof(*local));
	assert_int_equal(local->nl_family, AF_NETLINK);
	/* The kernel chooses the port id, and there are no groups to listen to. */
	assert_int_equal(local->nl_pid, 0);
	assert_int_equal(local->nl_groups, 0);
	return fails(FAKENL_BIND) ? -1 : 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct fake_socket *socket = socket_of(fd);

	if (fails(FAKENL_SETSOCKOPT))
		return -1;
	assert_int_equal(len, sizeof(int));
	assert_true(socket->n_options < MAX_OPTIONS);
	socket->options[socket->n_options].level = level;
	socket->options[socket->n_options].name = name;
	memcpy(&socket->options[socket->n_options].value, value, len);
	socket->n_options++;
	return 0;
}

int __wrap_close(int fd)
{
	struct fake_socket *socket = socket_of(fd);

	socket->open = false;
	drop_item(&socket->flood);
	for (size_t i = 0; i < fake.n_items; i++) {
		if (fake.items[i].fd == fd)
			drop_item(&fake.items[i]);
	}
	return 0;
}

ssize_t __wrap_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
		      socklen_t addr_len)
{
	const struct sockaddr_nl *to = (const void *)addr;

	(void)flags;
	socket_of(fd);
	assert_int_equal(addr_len, sizeof(*to));
	assert_int_equal(to->nl_family, AF_NETLINK);
	assert_int_equal(to->nl_pid, 0);
	assert_int_equal(to->nl_groups, 0);
	if (fails(FAKENL_SENDTO))
		return -1;
	if (fake.kernel)
		fake.kernel(fd, buf, len);
	return (ssize_t)len;
}

static struct item *next_item(int fd)
{
	for (size_t i = 0; i < fake.n_items; i++) {
		if (fake.items[i].fd == fd && fake.items[i].due_ms <= fake.now_ms)
			return &fake.items[i];
	}
	return socket_of(fd)->flood.bytes ? &socket_of(fd)->flood : NULL;
}

/*
 * One datagram as the kernel copies it out: cut to size, with MSG_TRUNC in ret_flags. Returns its
 * whole length; -1 with errno set.
 */
static ssize_t read_one(int fd, void *buf, size_t size, bool peek, struct sockaddr_nl *ret_from,
			int *ret_flags)
{
	struct item *item = next_item(fd);
	size_t len;

	if (!item) {
		errno = EAGAIN;
		return -1;
	}
	if (item->error) {
		errno = item->error;
		drop_item(item);
		return -1;
	}
	len = item->len;
	memcpy(buf, item->bytes, len < size ? len : size);
	*ret_flags = len > size ? MSG_TRUNC : 0;
	*ret_from = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = item->port_id};
	if (!peek && item != &socket_of(fd)->flood)
		drop_item(item);
	return (ssize_t)len;
}

static bool begin_read(int fd, int flags)
{
	socket_of(fd);
	/* No one comes to wake a test that sleeps. */
	if (!(flags & MSG_DONTWAIT) && !next_item(fd))
		fail_msg("sleeps, and nothing is on its way");
	fake.now_ms += fake.read_ms;
	return !fails(FAKENL_RECV);
}

ssize_t __wrap_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
			socklen_t *addr_len)
{
	struct sockaddr_nl from = {.nl_family = AF_UNSPEC};
	int out_flags = 0;
	ssize_t got;

	if (!begin_read(fd, flags))
		return -1;
	got = read_one(fd, buf, len, flags & MSG_PEEK, &from, &out_flags);
	if (got < 0)
		return -1;
	if (addr) {
		assert_int_equal(*addr_len, sizeof(from));
		memcpy(addr, &from, sizeof(from));
	}
	return (size_t)got > len && !(flags & MSG_TRUNC) ? (ssize_t)len : got;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	return __wrap_recvfrom(fd, buf, len, flags, NULL, NULL);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
		    struct timespec *timeout)
{
	unsigned int count = 0;

	assert_null(timeout);
	/* Else it would wait until all of msgs are filled. */
	assert_true(flags & (MSG_DONTWAIT | MSG_WAITFORONE));
	if (!begin_read(fd, flags))
		return -1;
	while (count < n) {
		struct msghdr *hdr = &msgs[count].msg_hdr;
		const struct item *item = next_item(fd);
		ssize_t got;

		/* An error is kept for the next call if there is something to return. */
		if (count > 0 && (!item || item->error))
			break;
		assert_int_equal(hdr->msg_namelen, sizeof(struct sockaddr_nl));
		assert_int_equal(hdr->msg_iovlen, 1);
		got = read_one(fd, hdr->msg_iov->iov_base, hdr->msg_iov->iov_len, false,
			       hdr->msg_name, &hdr->msg_flags);
		if (got < 0)
			return -1;
		if ((size_t)got > hdr->msg_iov->iov_len)
			got = (ssize_t)hdr->msg_iov->iov_len;
		msgs[count++].msg_len = (unsigned int)got;
	}
	return (int)count;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int64_t end = fake.now_ms + timeout;
	int64_t wake = end + 1;

	assert_int_equal(n, 1);
	assert_int_equal(fds->events, POLLIN);
	socket_of(fds->fd);
	if (timeout < 0)
		fail_msg("poll() without a deadline");
	if (fails(FAKENL_POLL))
		return -1;
	if (next_item(fds->fd))
		wake = fake.now_ms;
	for (size_t i = 0; i < fake.n_items; i++) {
		if (fake.items[i].fd == fds->fd && fake.items[i].due_ms < wake)
			wake = fake.items[i].due_ms;
	}
	if (wake > end) {
		fake.now_ms = end;
		return 0;
	}
	if (wake > fake.now_ms)
		fake.now_ms = wake;
	fds->revents = POLLIN;
	return 1;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_ts)
{
	assert_int_equal(clock, CLOCK_MONOTONIC);
	*ret_ts = (struct timespec){.tv_sec = fake.now_ms / 1000,
				    .tv_nsec = fake.now_ms % 1000 * 1000000};
	return 0;
}
