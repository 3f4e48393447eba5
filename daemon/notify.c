/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "notify.h"

#ifdef HAVE_SYSTEMD
#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

/* Nobody has asked, or the manager is gone: nothing that the daemon could do about it. */

void notify_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
	struct timespec now;

	/* Type=notify-reload asks for the time, to tell this reload from an earlier one. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

uint64_t notify_watchdog_us(void)
{
	uint64_t us = 0;

	return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}

#else

void notify_ready(const char *status)
{
	(void)status;
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_watchdog(void)
{
}

uint64_t notify_watchdog_us(void)
{
	return 0;
}

#endif
