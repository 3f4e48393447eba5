/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctlscan.h"
#include "clock.h"
#include "ctl.h"
#include "ctloptions.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds between two scans with --watch. */
#define WATCH_MAX 3600

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

/* --- the command ------------------------------------------------------------------------------*/

static int tell(const struct ctl *ctl, const struct ctlscan_view *view)
{
	int err = 0;

	if (ctl->json)
		err = ctlscan_write(view, stdout);
	else
		ctlscan_print(view);
	if (err < 0)
		ctl_complain("scan: cannot write it: %s", strerror(-err));
	return err < 0 ? CTL_FAILED : CTL_OK;
}

/* growth NULL: there is one scan only. */
static int scan_once(const struct ctl *ctl, struct ctlscan_sources *sources,
		     struct ctlgrowth *growth, bool fds)
{
	struct ctlscan_view view = {
		.cgroups = sources->cgroups, .realtime_ns = clock_ns(CLOCK_REALTIME), .fds = fds};
	struct ephemeral ephemeral;
	int status, err;

	if (ephemeral_read(EPHEMERAL_ROOT, &ephemeral) == 0)
		view.ephemeral = &ephemeral;
	err = ctlscan_run(sources, view.ephemeral, &view.scan);
	if (err < 0) {
		ctl_complain("scan: cannot read the kernel's sockets: %s", strerror(-err));
		return CTL_FAILED;
	}
	if (growth)
		ctlgrowth_update(growth, view.scan, clock_ms(CLOCK_MONOTONIC));
	if (growth && !ctl->json && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout); /* home, and clear from there */
	status = tell(ctl, &view);
	if (status == CTL_OK && view.scan->counts[SCAN_MINE] > 0)
		status = CTL_FOUND;
	scan_free(view.scan);
	return status;
}

/* Until it is interrupted, its output has gone, or a scan fails. */
static int scan_again_and_again(const struct ctl *ctl, struct ctlscan_sources *sources,
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
	struct ctlscan_sources sources;
	unsigned int seconds = 0;
	int status = CTL_FAILED;
	int err;

	if (ctl_arguments(ctl, argc, argv, own, sizeof(own) / sizeof(own[0]), 0) < 0)
		return CTL_USAGE;
	if (watch && parse_seconds(watch, &seconds) < 0)
		return CTL_USAGE;
	err = ctlscan_open(&sources);
	if (err < 0)
		ctl_complain("scan: cannot ask the kernel: %s", strerror(-err));
	else
		status = watch ? scan_again_and_again(ctl, &sources, seconds, fds)
			       : scan_once(ctl, &sources, NULL, fds);
	ctlscan_close(&sources);
	return status;
}
