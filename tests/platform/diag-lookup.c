/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact lookups: what is found, in which order, and what the request's fields mean. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "lib/sockets.h"
#include "scene.h"

static void lookup_order(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	union endpoint free_client = scene_endpoint("127.0.0.1", CLIENT_PORT + 1);
	union endpoint no_server = scene_endpoint("127.0.0.1", SERVER_PORT + 1);
	struct inet_diag_req_v2 req = sockdiag_request(&mine.server, &mine.client);
	struct sockdiag_info info;

	fact_is("lookup of an occupied tuple, local side first", "CLOSE_WAIT", "%s",
		scene_lookup(nl, &req));
	req.idiag_states = 1 << TCP_ESTABLISHED;
	fact_is("the same with a states mask of ESTABLISHED only", "CLOSE_WAIT", "%s",
		scene_lookup(nl, &req));
	req = sockdiag_request(&mine.client, &mine.server);
	fact_is("lookup of the vanished client's side", "ENOENT", "%s", scene_lookup(nl, &req));

	req = sockdiag_request(&mine.server, &free_client);
	fact_is("lookup of a free tuple with a listener", "LISTEN", "%s", scene_lookup(nl, &req));
	must(sockdiag_get(nl, &req, &info), "look the listener up");
	fact_is("peer port in the listener's answer", "0", "%u", info.msg.id.idiag_dport);
	req = sockdiag_request(&no_server, &free_client);
	fact_is("lookup of a free tuple without a listener", "ENOENT", "%s",
		scene_lookup(nl, &req));
	close(mine.fd);
}

static void cookies(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 2);
	struct inet_diag_req_v2 req = sockdiag_request(&mine.server, &mine.client);
	struct sockdiag_info first, second;

	must(sockdiag_get(nl, &req, &first), "look the mine up");
	must(sockdiag_get(nl, &req, &second), "look the mine up again");
	fact_is("the cookie of a socket stays the same", "yes", "%s",
		memcmp(first.msg.id.idiag_cookie, second.msg.id.idiag_cookie, 8) ? "no" : "yes");

	memcpy(req.id.idiag_cookie, first.msg.id.idiag_cookie, 8);
	fact_is("lookup with the right cookie", "CLOSE_WAIT", "%s", scene_lookup(nl, &req));
	req.id.idiag_cookie[0] ^= 1;
	fact_is("lookup with a stale cookie", "ENOENT", "%s", scene_lookup(nl, &req));
	memset(req.id.idiag_cookie, 0, 8);
	fact_is("lookup with cookie {0,0}", "ENOENT", "%s", scene_lookup(nl, &req));
	close(mine.fd);
}

static bool has_no_inode(int nl, const struct inet_diag_req_v2 *req)
{
	struct sockdiag_info info;

	must(sockdiag_get(nl, req, &info), "look the server side up");
	return info.msg.idiag_inode == 0;
}

static void inodes(int nl, int listener)
{
	union endpoint src = scene_endpoint("127.0.0.1", CLIENT_PORT + 3);
	union endpoint dst = scene_endpoint("127.0.0.1", SERVER_PORT);
	struct inet_diag_req_v2 req = sockdiag_request(&dst, &src);
	int server, client = must(sock_connect(&src, &dst, 3000), "connect");

	fact_is("inode of a connection in the accept queue", "0", "%s",
		has_no_inode(nl, &req) ? "0" : "not 0");
	server = must(sock_accept(listener, 3000), "accept");
	fact_is("inode after accept()", "not 0", "%s", has_no_inode(nl, &req) ? "0" : "not 0");
	sock_reset(client);
	close(server);
}

int main(void)
{
	int nl, listener;

	fact_begin("diag-lookup");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	lookup_order(nl, listener);
	cookies(nl, listener);
	inodes(nl, listener);
	return fact_end();
}
