/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fast way leans on TCP_REPAIR: closing a socket in repair mode disconnects it silently,
 * without a FIN or RST. That is the state an honest close() reaches tcp_fin_timeout later. The FIN
 * must have been acknowledged before: the acknowledgement of a FIN is a delayed one, and if it
 * came after the client had vanished it would be answered with an RST, which kills the mine.
 */
#include "config.h"

#include "lib/mine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"

/* For what loopback does by itself: a handshake, the acknowledgement of a FIN. */
#define LOOPBACK_MS 5000

int mine_arm(int client_fd)
{
	return shutdown(client_fd, SHUT_WR) < 0 ? -errno : 0;
}

bool mine_is_armed(int client_fd)
{
	return sock_state(client_fd) == TCP_FIN_WAIT2;
}

int mine_vanish(int client_fd)
{
	const int on = 1;

	if (setsockopt(client_fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		return -errno;
	return close(client_fd) < 0 ? -errno : 0;
}

static bool armed(void *arg)
{
	return mine_is_armed(*(int *)arg);
}

static bool client_gone(void *arg)
{
	const struct mine *mine = arg;

	return sockdiag_state(&mine->client, &mine->server) == 0;
}

int mine_abandon(int client_fd)
{
	int rc = mine_arm(client_fd);

	if (rc == 0)
		rc = wait_until(armed, &client_fd, LOOPBACK_MS);
	if (rc == 0)
		rc = mine_vanish(client_fd);
	if (rc < 0)
		sock_reset(client_fd);
	return rc;
}

static int vanish_honest(int client_fd, struct mine *mine)
{
	char fin_timeout[16];
	int rc;

	close(client_fd);
	rc = netns_sysctl_get("ipv4/tcp_fin_timeout", fin_timeout, sizeof(fin_timeout));
	if (rc < 0)
		return rc;
	return wait_until(client_gone, mine, atoi(fin_timeout) * 1000 + LOOPBACK_MS);
}

/* Accepts the connection of this very client, not another one that waited in the queue. */
static int accept_from(int listener, const union endpoint *client)
{
	int rc, fd = sock_accept(listener, LOOPBACK_MS);
	union endpoint peer, want;

	if (fd < 0)
		return fd;
	rc = endpoint_peer(fd, &peer);
	if (rc == 0) {
		/* Either side may see IPv4 as v4-mapped: a dual-stack listener, such a client. */
		want = endpoint_mapped(client);
		peer = endpoint_mapped(&peer);
		if (memcmp(&peer.v6, &want.v6, sizeof(want.v6)) != 0)
			rc = -EBUSY;
	} else if (rc == -ENOTCONN) {
		rc = -EBUSY; /* an older connection, reset while it waited */
	}
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int plant(int listener, const union endpoint *src, const union endpoint *dst, bool honest,
		 struct mine *ret_mine)
{
	struct mine mine = {.fd = -1};
	int rc, client_fd = sock_connect(src, dst, LOOPBACK_MS);

	if (client_fd < 0)
		return client_fd;
	rc = endpoint_local(client_fd, &mine.client);
	if (rc == 0)
		rc = endpoint_peer(client_fd, &mine.server);
	if (rc == 0)
		rc = mine.fd = accept_from(listener, &mine.client);
	if (rc < 0) {
		sock_reset(client_fd);
		return rc;
	}
	rc = honest ? vanish_honest(client_fd, &mine) : mine_abandon(client_fd);
	if (rc == 0 && sock_state(mine.fd) != TCP_CLOSE_WAIT)
		rc = -ENOTCONN; /* a firewall or the kernel has reset it meanwhile */
	if (rc < 0) {
		close(mine.fd);
		return rc;
	}
	*ret_mine = mine;
	return 0;
}

int mine_plant(int listener, const union endpoint *src, const union endpoint *dst,
	       struct mine *ret_mine)
{
	return plant(listener, src, dst, false, ret_mine);
}

int mine_plant_honest(int listener, const union endpoint *src, const union endpoint *dst,
		      struct mine *ret_mine)
{
	return plant(listener, src, dst, true, ret_mine);
}
