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

/* --- numbers of our own -----------------------------------------------------------------------*/

static int set(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* The number of the next byte of one of the queues, of a socket in repair mode. */
static int get_number(int fd, int queue, uint32_t *ret_number)
{
	socklen_t len = sizeof(*ret_number);
	int rc = set(fd, TCP_REPAIR_QUEUE, queue);

	if (rc == 0 && getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, ret_number, &len) < 0)
		rc = -errno;
	return rc;
}

static int set_number(int fd, int queue, uint32_t number)
{
	int rc = set(fd, TCP_REPAIR_QUEUE, queue);

	return rc < 0 ? rc : set(fd, TCP_QUEUE_SEQ, (int)number);
}

/* A connection out of nothing, in repair mode. */
static int conjure(const union endpoint *local, const union endpoint *peer, uint32_t sent,
		   uint32_t received)
{
	const struct tcp_repair_window window = {
		.snd_wl1 = received,
		.snd_wnd = 1 << 16,
		.max_window = 1 << 16,
		.rcv_wnd = 1 << 16,
		.rcv_wup = received,
	};
	int rc, fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	rc = set(fd, TCP_REPAIR, TCP_REPAIR_ON);
	if (rc == 0)
		rc = set_number(fd, TCP_SEND_QUEUE, sent);
	if (rc == 0)
		rc = set_number(fd, TCP_RECV_QUEUE, received);
	if (rc == 0 &&
	    (bind(fd, &local->sa, endpoint_len(local)) < 0 ||
	     connect(fd, &peer->sa, endpoint_len(peer)) < 0 ||
	     setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)) < 0))
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* Puts sockets of other numbers in the place of a connection's two. */
static int move_ahead(const struct mine *mine, int *client_fd, int *server_fd, uint32_t ahead)
{
	uint32_t sent, received;
	union endpoint local, peer;
	int rc;

	rc = endpoint_local(*server_fd, &local);
	if (rc == 0)
		rc = endpoint_peer(*server_fd, &peer);
	if (rc == 0)
		rc = set(*client_fd, TCP_REPAIR, TCP_REPAIR_ON);
	if (rc == 0)
		rc = set(*server_fd, TCP_REPAIR, TCP_REPAIR_ON);
	if (rc == 0)
		rc = get_number(*server_fd, TCP_SEND_QUEUE, &sent);
	if (rc == 0)
		rc = get_number(*server_fd, TCP_RECV_QUEUE, &received);
	if (rc < 0)
		return rc;
	close(*client_fd);
	close(*server_fd);
	*client_fd = conjure(&mine->client, &mine->server, received, sent + ahead);
	*server_fd = conjure(&local, &peer, sent + ahead, received);
	if (*client_fd < 0 || *server_fd < 0)
		return *client_fd < 0 ? *client_fd : *server_fd;
	rc = set(*server_fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
	return rc < 0 ? rc : set(*client_fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

/* --- planting ---------------------------------------------------------------------------------*/

struct planting {
	bool honest;
	uint32_t ahead;
};

static int plant(int listener, const union endpoint *src, const union endpoint *dst,
		 const struct planting *how, struct mine *ret_mine)
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
	if (rc >= 0 && how->ahead > 0)
		rc = move_ahead(&mine, &client_fd, &mine.fd, how->ahead);
	if (rc < 0) {
		if (client_fd >= 0)
			sock_reset(client_fd);
		if (mine.fd >= 0)
			close(mine.fd);
		return rc;
	}
	rc = how->honest ? vanish_honest(client_fd, &mine) : mine_abandon(client_fd);
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
	const struct planting how = {.honest = false};

	return plant(listener, src, dst, &how, ret_mine);
}

int mine_plant_honest(int listener, const union endpoint *src, const union endpoint *dst,
		      struct mine *ret_mine)
{
	const struct planting how = {.honest = true};

	return plant(listener, src, dst, &how, ret_mine);
}

int mine_plant_ahead(int listener, const union endpoint *src, const union endpoint *dst,
		     uint32_t ahead, struct mine *ret_mine)
{
	const struct planting how = {.ahead = ahead};

	return plant(listener, src, dst, &how, ret_mine);
}
