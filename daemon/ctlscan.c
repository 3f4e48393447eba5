/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Needs no daemon and no rule: all it does is read, from the kernel and from /proc, with the rights
 * of whoever runs it. sock_diag tells everybody about all sockets; the descriptors of others'
 * processes are for root only.
 */
#include "config.h"

#include "ctlscan.h"
#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "hostaddr.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds between two scans with --watch. */
#define WATCH_MAX 3600

/* Where the scan looks. */
struct sources {
	struct diag *diag;
	struct hostaddr *host;
	struct cgroup_map *cgroups;
};

const char *ctlscan_clean(const char *text, char *buf, size_t size)
{
	size_t at = 0;

	while (*text && at + 4 < size) {
		size_t len = utf8_printable(text);

		if (len == 0)
			buf[at++] = '?';
		memcpy(buf + at, text, len);
		at += len;
		text += len > 0 ? len : 1;
	}
	buf[at] = '\0';
	return buf;
}

/* --- the scan's view of the world -------------------------------------------------------------*/

static int walk(void *ctx, tcpstate_set states, bool details, sockdump_each_fn *each,
		void *each_ctx, bool *ret_changed)
{
	(void)ctx;
	return sockdump_walk(states, details, each, each_ctx, ret_changed);
}

static void look_up(void *ctx, const struct diag_request *requests, size_t n,
		    struct diag_answer *ret_answers)
{
	const struct sources *sources = ctx;

	diag_lookup(sources->diag, requests, n, ret_answers);
}

static bool is_local(void *ctx, const struct in6_addr *addr)
{
	const struct sources *sources = ctx;

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

/* --- the command ------------------------------------------------------------------------------*/

static int open_sources(struct sources *sources)
{
	int err;

	if ((err = diag_open(&sources->diag)) < 0 || (err = hostaddr_open(&sources->host)) < 0 ||
	    (err = cgroup_open(&sources->cgroups)) < 0)
		ctl_complain("scan: cannot ask the kernel: %s", strerror(-err));
	return err;
}

static void close_sources(struct sources *sources)
{
	cgroup_close(sources->cgroups);
	hostaddr_close(sources->host);
	diag_close(sources->diag);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int tell(const struct ctl *ctl, const struct ctlscan_view *view)
{
	json_t *object;

	if (!ctl->json) {
		ctlscan_print(view);
		return CTL_OK;
	}
	object = ctlscan_object(view);
	if (!object) {
		ctl_complain("scan: %s", strerror(ENOMEM));
		return CTL_FAILED;
	}
	ctlclient_print(object);
	json_decref(object);
	return CTL_OK;
}

/* growth NULL: there is one scan only. */
static int scan_once(const struct ctl *ctl, struct sources *sources, struct ctlgrowth *growth,
		     bool fds)
{
	struct ctlscan_view view = {
		.cgroups = sources->cgroups, .realtime_ns = clock_ns(CLOCK_REALTIME), .fds = fds};
	struct ephemeral ephemeral;
	int status, err;

	if (ephemeral_read(EPHEMERAL_ROOT, &ephemeral) == 0)
		view.ephemeral = &ephemeral;
	err = scan_run(&world, sources, view.ephemeral, &view.scan);
	if (err < 0) {
		ctl_complain("scan: cannot read the kernel's sockets: %s", strerror(-err));
		return CTL_FAILED;
	}
	if (growth)
		ctlgrowth_update(growth, view.scan, (int64_t)(clock_ns(CLOCK_MONOTONIC) / 1000000));
	if (growth && !ctl->json && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout); /* home, and clear from there */
	status = tell(ctl, &view);
	if (status == CTL_OK && view.scan->counts[SCAN_MINE] > 0)
		status = CTL_FOUND;
	scan_free(view.scan);
	return status;
}

/* Until it is interrupted, its output has gone, or a scan fails. */
static int scan_again_and_again(const struct ctl *ctl, struct sources *sources,
				unsigned int seconds, bool fds)
{
	struct ctlgrowth *growth = ctlgrowth_new();
	int status = growth ? CTL_OK : CTL_FAILED;

	while (status == CTL_OK || status == CTL_FOUND) {
		status = scan_once(ctl, sources, growth, fds);
		if (fflush(stdout) != 0)
			break;
		if (status != CTL_FAILED)
			sleep(seconds);
	}
	ctlgrowth_free(growth);
	return status;
}

static int parse_seconds(const char *text, unsigned int *ret_seconds)
{
	unsigned long seconds;
	char *end;

	errno = 0;
	seconds = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || seconds < 1 || seconds > WATCH_MAX) {
		ctl_complain("scan: --watch: '%s' is no number of seconds: 1 to %d", text,
			     WATCH_MAX);
		return -EINVAL;
	}
	*ret_seconds = (unsigned int)seconds;
	return 0;
}

int ctl_scan(struct ctl *ctl, int argc, char **argv)
{
	const char *watch = NULL;
	bool fds = false;
	const struct ctl_option own[] = {
		{"fds", 0, &fds, NULL},
		{"watch", 'w', NULL, &watch},
	};
	struct sources sources = {NULL, NULL, NULL};
	unsigned int seconds = 0;
	int status = CTL_FAILED;

	if (ctl_arguments(ctl, argc, argv, own, sizeof(own) / sizeof(own[0]), 0) < 0)
		return CTL_USAGE;
	if (watch && parse_seconds(watch, &seconds) < 0)
		return CTL_USAGE;
	if (open_sources(&sources) == 0)
		status = watch ? scan_again_and_again(ctl, &sources, seconds, fds)
			       : scan_once(ctl, &sources, NULL, fds);
	close_sources(&sources);
	return status;
}
