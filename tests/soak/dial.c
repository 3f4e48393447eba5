/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/monotime.h"
#include "lib/sockets.h"
#include "netns/check.h"

/* A SYN that was lost five times takes a minute. */
#define PATIENCE_MS 60000

void dials_begin(struct dials *dials, const struct place *place, uint16_t port,
		 struct stales *stales)
{
	struct dial *dial = &dials->list[dials->n];
	union endpoint end;

	assert_true(dials->n < DIALS_MAX);
	*dial = (struct dial){.place = place, .server = -1, .ms = -1, .start_ns = mono_ns()};
	dial->client = place_dial(place, port);
	/* The former client is in FIN_WAIT_2 still, or every port is taken at the moment. */
	if (dial->client == -EADDRINUSE || dial->client == -EADDRNOTAVAIL)
		return;
	must(dial->client, "begin to connect");
	must(endpoint_local(dial->client, &end), "name a client's end");
	dial->port = endpoint_port(&end);
	dial->met = stales_find(stales, place, dial->port);
	dials->n++;
}

static void note_end(struct dial *dial)
{
	dial->err = sock_error(dial->client);
	dial->ms = (long)((mono_ns() - dial->start_ns) / 1000000);
	fcntl(dial->client, F_SETFL, 0);
}

static void connect_all(struct dials *dials)
{
	int64_t deadline = mono_ns() + (int64_t)PATIENCE_MS * 1000000;
	struct pollfd pfds[DIALS_MAX];
	size_t left = dials->n;

	for (size_t i = 0; i < dials->n; i++)
		pfds[i] = (struct pollfd){.fd = dials->list[i].client, .events = POLLOUT};
	while (left > 0) {
		if (poll(pfds, dials->n, mono_ms_left(deadline)) == 0)
			fail_msg("%zu connects have not come to an end", left);
		for (size_t i = 0; i < dials->n; i++) {
			if (pfds[i].fd < 0 || !pfds[i].revents)
				continue;
			note_end(&dials->list[i]);
			pfds[i].fd = -1;
			left--;
		}
	}
}

static struct dial *find(struct dials *dials, const struct place *place, uint16_t port)
{
	for (size_t i = 0; i < dials->n; i++) {
		struct dial *dial = &dials->list[i];

		if (dial->place == place && dial->port == port && dial->server < 0)
			return dial;
	}
	return NULL;
}

static void accept_at(struct dials *dials, const struct place *place, bool strangers)
{
	int fd;

	while ((fd = accept4(place->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		union endpoint peer;
		struct dial *dial = NULL;

		if (endpoint_peer(fd, &peer) == 0)
			dial = find(dials, place, endpoint_port(&peer));
		if (dial)
			dial->server = fd;
		else if (strangers || place->redirected)
			close(fd);
		else
			fail_msg("a connection to %s that nobody has made", place_name(place));
	}
	assert_int_equal(errno, EAGAIN);
}

struct acceptance {
	struct dials *dials;
	struct place *places;
	bool strangers;
};

/* Or was reset after it had connected. */
static bool is_accepted(struct dial *dial)
{
	if (dial->place->waits || dial->err || dial->server >= 0)
		return true;
	if (sock_state(dial->client) == TCP_CLOSE)
		dial->err = ECONNRESET;
	return dial->err != 0;
}

static bool all_are_accepted(void *arg)
{
	const struct acceptance *acceptance = arg;
	bool all = true;

	for (int i = 0; i < PLACES; i++) {
		if (!acceptance->places[i].waits)
			accept_at(acceptance->dials, &acceptance->places[i], acceptance->strangers);
	}
	for (size_t i = 0; i < acceptance->dials->n; i++) {
		if (!is_accepted(&acceptance->dials->list[i]))
			all = false;
	}
	return all;
}

void dials_finish(struct dials *dials, struct place places[PLACES], bool strangers)
{
	struct acceptance acceptance = {dials, places, strangers};

	connect_all(dials);
	if (wait_until(all_are_accepted, &acceptance, PATIENCE_MS) == 0)
		return;
	for (size_t i = 0; i < dials->n; i++) {
		const struct dial *dial = &dials->list[i];

		if (dial->server < 0 && !dial->place->waits && !dial->err)
			fail_msg("a connect to %s from port %u, which met %s, was not accepted",
				 place_name(dial->place), dial->port,
				 dial->met ? "a stale socket" : "nobody");
	}
}
