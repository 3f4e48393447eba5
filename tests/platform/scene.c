/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "scene.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "lib/monotime.h"
#include "lib/sockets.h"

union endpoint scene_endpoint(const char *address, uint16_t port)
{
	union endpoint ep;

	must(endpoint_parse(address, port, &ep), "parse an address");
	return ep;
}

int scene_listen(const char *address)
{
	union endpoint at = scene_endpoint(address, SERVER_PORT);

	int fd = sock_listen(&at, 64, false);

	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		need(fd, "IPv6");
	return must(fd, "listen");
}

struct mine scene_mine(int listener, const char *address, uint16_t port)
{
	union endpoint src = scene_endpoint(address, port);
	union endpoint dst = scene_endpoint(address, SERVER_PORT);
	struct mine mine;

	must(mine_plant(listener, &src, &dst, &mine), "plant a mine");
	return mine;
}

static bool armed(void *arg)
{
	return mine_is_armed(*(int *)arg);
}

struct mine scene_mine_with_data(int listener, const char *address, uint16_t port, const char *data)
{
	struct mine mine = {
		.client = scene_endpoint(address, port),
		.server = scene_endpoint(address, SERVER_PORT),
	};
	int client = must(sock_connect(&mine.client, &mine.server, 3000), "connect");

	mine.fd = must(sock_accept(listener, 3000), "accept");
	must(write(client, data, strlen(data)) < 0 ? -errno : 0, "send data");
	must(mine_arm(client), "send the FIN");
	must(wait_until(armed, &client, 3000), "see the FIN acknowledged");
	must(mine_vanish(client), "let the client vanish");
	return mine;
}

const char *scene_lookup(int nl, const struct inet_diag_req_v2 *req)
{
	struct sockdiag_info info;
	int rc = sockdiag_get(nl, req, &info);

	return sockdiag_state_name(rc < 0 ? rc : info.msg.idiag_state);
}

int scene_collide(const struct mine *mine, int timeout_ms, double *ret_ms)
{
	int64_t start = mono_ns();
	int rc, fd = must(sock_connect_start(&mine->client, &mine->server), "begin to connect");

	rc = sock_connect_finish(fd, timeout_ms);
	*ret_ms = (double)(mono_ns() - start) / 1e6;
	sock_reset(fd);
	return rc;
}
