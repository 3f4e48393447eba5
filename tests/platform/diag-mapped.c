/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 connections of a dual-stack listener: which question finds them, and what is answered. */
#include "config.h"

#include <unistd.h>

#include "fact.h"
#include "scene.h"

static const char *family_name(int family)
{
	return family == AF_INET ? "AF_INET" : family == AF_INET6 ? "AF_INET6" : "another";
}

static void ask(int nl, const char *name, const union endpoint *local, const union endpoint *peer,
		const char *want)
{
	const struct inet_diag_req_v2 req = sockdiag_request(local, peer);
	struct sockdiag_info info;
	int rc = sockdiag_get(nl, &req, &info);

	if (rc < 0)
		fact_is(name, want, "%s", sockdiag_state_name(rc));
	else
		fact_is(name, want, "%s %s", family_name(info.msg.idiag_family),
			sockdiag_state_name(info.msg.idiag_state));
}

/* A careless client copies the answer's id, addresses included, into its next request. */
static void copied_answer(int nl, const struct mine *mine)
{
	struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;

	must(sockdiag_get(nl, &req, &info), "look the mine up");
	fact_is("the answer's address begins like ::ffff:", "yes", "%s",
		info.msg.id.idiag_src[0] == 0 && info.msg.id.idiag_src[1] == 0 &&
				info.msg.id.idiag_src[2] == htonl(0xffff)
			? "yes"
			: "no");
	req.id = info.msg.id;
	fact_is("AF_INET request with the answer's addresses", "ENOENT", "%s",
		scene_lookup(nl, &req));
	req.sdiag_family = AF_INET6;
	fact_is("AF_INET6 request with the answer's addresses", "CLOSE_WAIT", "%s",
		scene_lookup(nl, &req));
}

/* The other way round: may every question be an AF_INET6 one? */
static void plain_listener(int nl)
{
	int listener = scene_listen("127.0.0.1");
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 2);
	union endpoint server = endpoint_mapped(&mine.server);
	union endpoint client = endpoint_mapped(&mine.client);

	ask(nl, "AF_INET6 lookup with ::ffff: addresses of an AF_INET listener's connection",
	    &server, &client, "AF_INET CLOSE_WAIT");
	close(mine.fd);
	close(listener);
}

int main(void)
{
	union endpoint mapped_server, mapped_client, free_client;
	struct mine v4, v6;
	int nl, listener;

	fact_begin("diag-mapped");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("::");
	v4 = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	v6 = scene_mine(listener, "::1", CLIENT_PORT);
	mapped_server = endpoint_mapped(&v4.server);
	mapped_client = endpoint_mapped(&v4.client);
	free_client = scene_endpoint("127.0.0.1", CLIENT_PORT + 1);

	ask(nl, "AF_INET lookup of an IPv4 connection", &v4.server, &v4.client,
	    "AF_INET6 CLOSE_WAIT");
	ask(nl, "AF_INET6 lookup of it with ::ffff: addresses", &mapped_server, &mapped_client,
	    "AF_INET6 CLOSE_WAIT");
	ask(nl, "AF_INET6 lookup of an IPv6 connection", &v6.server, &v6.client,
	    "AF_INET6 CLOSE_WAIT");
	ask(nl, "AF_INET lookup of a free IPv4 tuple", &v4.server, &free_client, "AF_INET6 LISTEN");
	copied_answer(nl, &v4);
	close(v4.fd);
	close(v6.fd);
	close(listener);
	plain_listener(nl);
	return fact_end();
}
