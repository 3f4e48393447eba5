/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/stale.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mine.h"
#include "lib/sockets.h"
#include "netns/check.h"

struct leaving {
	const struct place *place;
	uint16_t port;
	int client, server;
};

void stales_init(struct stales *stales)
{
	*stales = (struct stales){.leaving = NULL};
	for (int i = 0; i < THERE_COUNT; i++) {
		for (int k = 0; k < SOURCE_PORTS; k++)
			stales->at[i][k].fd = -1;
	}
}

void stales_release(struct stales *stales)
{
	free(stales->leaving);
	stales->leaving = NULL;
}

static uint16_t port_of(int client)
{
	union endpoint end;

	must(endpoint_local(client, &end), "name a client's end");
	return endpoint_port(&end);
}

static void add(struct stales *stales, const struct place *place, uint16_t port, int server,
		bool honest)
{
	struct stale *stale = &stales->at[place->way][port - SOURCE_PORT_FIRST];
	socklen_t len = sizeof(stale->cookie);

	assert_int_equal(stale->fd, -1);
	stale->fd = server;
	stale->honest = honest;
	assert_int_equal(getsockopt(server, SOL_SOCKET, SO_COOKIE, &stale->cookie, &len), 0);
	stales->count[place->way]++;
}

void stales_leak(struct stales *stales, const struct place *place, int client, int server,
		 bool honest)
{
	if (honest) {
		add(stales, place, port_of(client), server, true);
		close(client);
		return;
	}
	must(mine_arm(client), "send a client's FIN");
	if (stales->n_leaving == stales->room) {
		stales->room += 64;
		stales->leaving = realloc(stales->leaving, stales->room * sizeof(*stales->leaving));
		assert_non_null(stales->leaving);
	}
	stales->leaving[stales->n_leaving++] =
		(struct leaving){place, port_of(client), client, server};
}

void stales_go_on(struct stales *stales)
{
	size_t kept = 0;

	for (size_t i = 0; i < stales->n_leaving; i++) {
		const struct leaving leaving = stales->leaving[i];

		if (mine_is_armed(leaving.client)) {
			must(mine_vanish(leaving.client), "let a client vanish");
		} else if (sock_state(leaving.client) == TCP_CLOSE) {
			/* Reset meanwhile, where its packets were not rewritten: gone as well. */
			close(leaving.client);
			if (stales_find(stales, leaving.place, leaving.port)) {
				close(leaving.server); /* its port has come again already */
				continue;
			}
		} else {
			stales->leaving[kept++] = leaving;
			continue;
		}
		add(stales, leaving.place, leaving.port, leaving.server, false);
	}
	stales->n_leaving = kept;
}

struct stale *stales_find(struct stales *stales, const struct place *place, uint16_t port)
{
	struct stale *stale;

	if (place->waits || port < SOURCE_PORT_FIRST || port >= SOURCE_PORT_FIRST + SOURCE_PORTS)
		return NULL;
	stale = &stales->at[place->way][port - SOURCE_PORT_FIRST];
	return stale->fd >= 0 ? stale : NULL;
}

uint16_t stales_pick(const struct stales *stales, const struct place *place, struct chance *chance)
{
	uint32_t first = chance_below(chance, SOURCE_PORTS);

	if (place->waits || stales->count[place->way] == 0)
		return 0;
	for (uint32_t i = 0; i < SOURCE_PORTS; i++) {
		uint32_t k = (first + i) % SOURCE_PORTS;

		if (stales->at[place->way][k].fd >= 0)
			return (uint16_t)(SOURCE_PORT_FIRST + k);
	}
	return 0;
}

static void drop(struct stales *stales, enum way_there way, struct stale *stale)
{
	close(stale->fd);
	stale->fd = -1;
	stales->count[way]--;
}

void stales_remove(struct stales *stales, const struct place *place, struct stale *stale)
{
	drop(stales, place->way, stale);
}

long stales_sweep(struct stales *stales)
{
	long ended = 0;

	for (int way = 0; way < THERE_COUNT; way++) {
		for (int k = 0; k < SOURCE_PORTS; k++) {
			struct stale *stale = &stales->at[way][k];

			if (stale->fd < 0 || sock_state(stale->fd) != TCP_CLOSE)
				continue;
			drop(stales, (enum way_there)way, stale);
			ended++;
		}
	}
	return ended;
}
