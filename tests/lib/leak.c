/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/leak.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "lib/endpoint.h"

int leak_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* True while there may be more to accept now or later. */
static bool accept_one(int listener, bool verbose, long *held)
{
	char text[ENDPOINT_TEXT];
	union endpoint peer;
	socklen_t len = sizeof(peer);

	/* The descriptor is dropped on purpose: this is the leak. */
	if (accept4(listener, &peer.sa, &len, SOCK_CLOEXEC) < 0) {
		/* ECONNABORTED and EPROTO: this connection is dead, the listener is not. */
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
			return true;
		fprintf(stderr, "cannot accept: %s; holding %ld connections, accepting no more\n",
			strerror(errno), *held);
		return false;
	}
	++*held;
	if (verbose) {
		printf("accepted %s\n", endpoint_format(&peer, text));
		fflush(stdout);
	}
	return true;
}

long leak_serve(int listener, int signal_fd, bool verbose)
{
	struct pollfd pfds[] = {
		{.fd = signal_fd, .events = POLLIN},
		{.fd = listener, .events = POLLIN}, /* poll() skips a negative descriptor */
	};
	long held = 0;

	for (;;) {
		if (poll(pfds, 2, -1) < 0 && errno != EINTR)
			return held;
		if (pfds[0].revents)
			return held;
		if (pfds[1].revents && !accept_one(listener, verbose, &held))
			pfds[1].fd = -1;
	}
}
