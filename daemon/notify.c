/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of sd_notify(3) is a datagram and two variables of the environment, and is promised
 * not to change. libsystemd, which speaks it too, would bring six more libraries and a quarter of
 * the daemon's resident memory.
 */
#include "config.h"

#include "notify.h"
#include "clock.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Nobody has asked, or the manager is gone: nothing that the daemon could do about it. */
static void tell(const char *words)
{
	const char *address = getenv("NOTIFY_SOCKET");
	struct sockaddr_un manager = {.sun_family = AF_UNIX};
	size_t len = address ? strlen(address) : 0;
	int fd;

	if (len < 2 || len > sizeof(manager.sun_path) || !strchr("/@", address[0]))
		return;
	memcpy(manager.sun_path, address, len);
	/* An abstract address, which begins with a zero byte. */
	if (address[0] == '@')
		manager.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&manager,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void notify_ready(const char *status)
{
	char words[512];

	snprintf(words, sizeof(words), "READY=1\nSTATUS=%s", status);
	tell(words);
}

void notify_reloading(void)
{
	char words[64];

	/* Type=notify-reload asks for the time, to tell this reload from an earlier one. */
	snprintf(words, sizeof(words), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 clock_us(CLOCK_MONOTONIC));
	tell(words);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_watchdog(void)
{
	tell("WATCHDOG=1");
}

/* The whole of a variable as a number, 0 if it is none. */
static uint64_t number_of(const char *name)
{
	const char *text = getenv(name);
	unsigned long long value;
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	value = strtoull(text, &end, 10);
	return *end ? 0 : value;
}

uint64_t notify_watchdog_us(void)
{
	/* The environment may have been meant for a parent of ours. */
	if (getenv("WATCHDOG_PID") && number_of("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return number_of("WATCHDOG_USEC");
}
