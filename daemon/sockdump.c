/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump holds the sockets of one family, so there are two, one after the other on one netlink
 * socket. An IPv4 connection that an IPv6 socket carries comes with the second one.
 *
 * The kernel keeps its place in the table between two reads (inet_diag_dump_icsk()), and nothing of
 * ours locks anything meanwhile: a caller may take its time from step to step.
 */
#include "config.h"

#include "sockdump.h"
#include "clock.h"
#include "diagsock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel writes a piece while it is read; this is for a machine that hardly runs at all. */
#define DEADLINE_MS 2000

static const int families[] = {AF_INET, AF_INET6};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

struct sockdump {
	int fd;
	tcpstate_set states;
	bool details;
	bool changed;
	uint32_t seq; /* the number of families asked for so far, 0 at first */
	sockdump_each_fn *each;
	void *ctx;
	bool progress; /* in this step */
	char buf[DIAGSOCK_DUMP_SIZE] __attribute__((aligned(8)));
};

int sockdump_open(tcpstate_set states, bool details, struct sockdump **ret_dump)
{
	struct sockdump *dump;
	int fd;

	if (states == 0 || (states & ~TCPSTATE_SET_ALL))
		return -EINVAL;
	dump = calloc(1, sizeof(*dump));
	if (!dump)
		return -ENOMEM;
	fd = diagsock_open();
	if (fd < 0) {
		free(dump);
		return fd;
	}
	dump->fd = fd;
	dump->states = states;
	dump->details = details;
	*ret_dump = dump;
	return 0;
}

void sockdump_close(struct sockdump *dump)
{
	if (!dump)
		return;
	close(dump->fd);
	free(dump);
}

static int ask_next_family(struct sockdump *dump)
{
	int family = families[dump->seq++];
	size_t len =
		diagmsg_put_dump(dump->buf, dump->seq, family, NULL, dump->states, dump->details);

	return diagsock_send(dump->fd, dump->buf, len);
}

static int pass_on(void *ctx, const struct sock_info *info)
{
	struct sockdump *dump = ctx;

	dump->progress = true;
	return dump->each(dump->ctx, info);
}

int sockdump_step(struct sockdump *dump, sockdump_each_fn *each, void *ctx)
{
	int64_t deadline = clock_ms(CLOCK_MONOTONIC) + DEADLINE_MS;
	int done = dump->seq == 0 ? ask_next_family(dump) : 0;

	dump->each = each;
	dump->ctx = ctx;
	dump->progress = false;
	/* Every piece of a dump holds a socket or its end; the rest is not ours. */
	while (done == 0 && !dump->progress)
		done = diagsock_read_dump(dump->fd, dump->buf, dump->seq, deadline, pass_on, dump,
					  &dump->changed);
	if (done == 1 && dump->seq < N_FAMILIES)
		done = ask_next_family(dump);
	return done;
}

bool sockdump_changed(const struct sockdump *dump)
{
	return dump->changed;
}

int sockdump_walk(tcpstate_set states, bool details, sockdump_each_fn *each, void *ctx,
		  bool *ret_changed)
{
	struct sockdump *dump;
	int err = sockdump_open(states, details, &dump);

	if (err < 0)
		return err;
	do {
		err = sockdump_step(dump, each, ctx);
	} while (err == 0);
	if (err > 0 && ret_changed)
		*ret_changed = dump->changed;
	sockdump_close(dump);
	return err < 0 ? err : 0;
}
