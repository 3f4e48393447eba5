/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Needs no daemon and no rule: all it does is read, from the kernel and from /proc, with the rights
 * of whoever runs it. sock_diag tells everybody about all sockets; the descriptors of others'
 * processes are for root only.
 */
#include "config.h"

#include "ctlscan.h"

static int walk(void *ctx, tcpstate_set states, bool details, sockdump_each_fn *each,
		void *each_ctx, bool *ret_changed)
{
	(void)ctx;
	return sockdump_walk(states, details, each, each_ctx, ret_changed);
}

static void look_up(void *ctx, const struct diag_request *requests, size_t n,
		    struct diag_answer *ret_answers)
{
	const struct ctlscan_sources *sources = ctx;

	diag_lookup(sources->diag, requests, n, ret_answers);
}

static bool is_local(void *ctx, const struct in6_addr *addr)
{
	const struct ctlscan_sources *sources = ctx;

	return hostaddr_is_local(sources->host, addr);
}

static bool tracks_connections(void *ctx)
{
	(void)ctx;
	return hostaddr_tracks_connections();
}

static int owners(void *ctx, const uint32_t *inodes, size_t n, owner_found *found, void *found_ctx,
		  struct owner_view *ret_view)
{
	(void)ctx;
	return owner_walk(OWNER_PROC, inodes, n, found, found_ctx, ret_view);
}

static int process(void *ctx, pid_t pid, struct owner_process *ret_process)
{
	int err = owner_process(OWNER_PROC, pid, ret_process);

	(void)ctx;
	if (err == 0)
		owner_descriptors(OWNER_PROC, ret_process);
	return err;
}

static const struct scan_ops world = {walk, look_up, is_local, tracks_connections, owners, process};

int ctlscan_open(struct ctlscan_sources *sources)
{
	int err;

	*sources = (struct ctlscan_sources){NULL, NULL, NULL};
	if ((err = diag_open(&sources->diag)) < 0 || (err = hostaddr_open(&sources->host)) < 0 ||
	    (err = cgroup_open(CGROUP_WALK_TOOL_US, &sources->cgroups)) < 0)
		ctlscan_close(sources);
	return err;
}

void ctlscan_close(struct ctlscan_sources *sources)
{
	cgroup_close(sources->cgroups);
	hostaddr_close(sources->host);
	diag_close(sources->diag);
	*sources = (struct ctlscan_sources){NULL, NULL, NULL};
}

int ctlscan_run(struct ctlscan_sources *sources, const struct ephemeral *ephemeral,
		struct scan **ret_scan)
{
	return scan_run(&world, sources, ephemeral, ret_scan);
}
