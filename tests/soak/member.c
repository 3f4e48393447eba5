/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/member.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/monotime.h"
#include "lib/sockets.h"
#include "netns/check.h"

/* For what loopback does by itself. */
#define PATIENCE_MS 5000
/* What a slow server leaves unread: less than the smallest receive buffer. */
#define UNREAD_BYTES 1500
#define MOST_BYTES   512

static const struct {
	const char *name;
	bool client_shut, server_shut, unread;
} kinds[MEMBER_KINDS] = {
	[MEMBER_BUSY] = {"busy", false, false, false},
	[MEMBER_IDLE] = {"idle", false, false, false},
	[MEMBER_KEEPALIVE] = {"keep-alive", false, false, false},
	[MEMBER_CLIENT_SHUT] = {"half-closed by the client", true, false, false},
	[MEMBER_SERVER_SHUT] = {"half-closed by the server", false, true, false},
	[MEMBER_SLOW] = {"unread", true, false, true},
	[MEMBER_WAITING] = {"not accepted", true, false, true},
};

const char *member_kind_name(enum member_kind kind)
{
	return kinds[kind].name;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static void keep_alive(int fd)
{
	static const struct {
		int level, name;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE},
		{IPPROTO_TCP, TCP_KEEPIDLE},
		{IPPROTO_TCP, TCP_KEEPINTVL},
	};
	const int one = 1; /* on; a second */

	for (size_t i = 0; i < COUNT_OF(options); i++)
		assert_int_equal(
			setsockopt(fd, options[i].level, options[i].name, &one, sizeof(one)), 0);
}

/* Now that the server's end is there. */
static void take_server(struct member *m, int server)
{
	socklen_t len = sizeof(m->syn);

	m->server = server;
	m->server_cookie = cookie_of(server);
	if (getsockopt(server, IPPROTO_TCP, TCP_SAVED_SYN, m->syn, &len) == 0)
		m->syn_len = len;
}

/* Of the two streams and the descriptors, what an end has to do with. */
static struct stream *out_of(struct member *m, bool client)
{
	return client ? &m->up : &m->down;
}

static bool is_open(const struct member *m, bool from_client)
{
	return from_client ? !kinds[m->kind].client_shut : !kinds[m->kind].server_shut;
}

static int fd_of(const struct member *m, bool client)
{
	return client ? m->client : m->server;
}

int member_init(struct member *m, enum member_kind kind, const struct place *place, int client,
		int server, uint32_t key)
{
	int rc = 0;

	*m = (struct member){
		.kind = kind,
		.place = place,
		.server_end = place->answered,
		.client = client,
		.server = -1,
		.up = {.key = key},
		.down = {.key = ~key},
		.client_cookie = cookie_of(client),
	};
	assert_int_equal(server < 0, kind == MEMBER_WAITING);
	must(endpoint_local(client, &m->client_end), "name a client's end");
	if (server >= 0)
		take_server(m, server);
	if (kind == MEMBER_KEEPALIVE) {
		keep_alive(client);
		keep_alive(server);
	}
	if (kinds[kind].unread)
		rc = stream_send(&m->up, client, UNREAD_BYTES);
	if (rc >= 0 && kinds[kind].client_shut && shutdown(client, SHUT_WR) < 0)
		rc = -errno;
	if (rc >= 0 && kinds[kind].server_shut && shutdown(server, SHUT_WR) < 0)
		rc = -errno;
	return rc < 0 ? rc : 0;
}

/* At the end of what one end has sent there is a FIN if it has shut its side, and no other end. */
static int receive(struct member *m, bool from_client)
{
	struct stream *stream = out_of(m, from_client);
	int rc = stream_receive(stream, fd_of(m, !from_client));

	if (rc < 0)
		return rc;
	if (rc == 1 && (is_open(m, from_client) || stream->received != stream->sent))
		return -EPIPE; /* an end of file too early */
	return 0;
}

static int exchange(struct member *m, bool from_client, size_t bytes)
{
	int rc = 0;

	if (m->server < 0)
		return 0;
	if (is_open(m, from_client))
		rc = stream_send(out_of(m, from_client), fd_of(m, from_client), bytes);
	if (rc >= 0 && !(from_client && kinds[m->kind].unread))
		rc = receive(m, from_client);
	return rc < 0 ? rc : 0;
}

int member_go_on(struct member *m, struct chance *chance)
{
	size_t bytes = 1 + chance_below(chance, MOST_BYTES);
	int rc;

	if (m->kind == MEMBER_IDLE || m->kind == MEMBER_KEEPALIVE)
		return 0;
	rc = exchange(m, true, bytes);
	if (rc == 0)
		rc = exchange(m, false, bytes);
	return rc;
}

struct lent member_lend(struct member *m, const struct keeper *keeper, struct chance *chance)
{
	const struct lent lent = {m, m->server < 0 || chance_one_in(chance, 2)};
	const struct handed handed = {
		.out = *out_of(m, lent.client),
		.in = *out_of(m, !lent.client),
		.sends = is_open(m, lent.client) && m->kind != MEMBER_WAITING,
		/* An end of file is the member's own business. */
		.reads = is_open(m, !lent.client) && !kinds[m->kind].unread,
	};

	keeper_hand_over(keeper, fd_of(m, lent.client), &handed);
	return lent;
}

int member_take_back(const struct lent *lent, const struct keeper *keeper)
{
	struct member *m = lent->member;
	struct handed handed;
	int fd = keeper_take_back(keeper, &handed);

	if (lent->client)
		m->client = fd;
	else
		m->server = fd;
	out_of(m, lent->client)->sent = handed.out.sent;
	out_of(m, !lent->client)->received = handed.in.received;
	return handed.rc;
}

/* Reads on until everything is there. */
static int receive_all(struct member *m, bool from_client)
{
	int64_t deadline = mono_ns() + (int64_t)PATIENCE_MS * 1000000;
	const struct stream *stream = out_of(m, from_client);
	struct pollfd pfd = {.fd = fd_of(m, !from_client), .events = POLLIN};
	int rc;

	while ((rc = receive(m, from_client)) == 0 && stream->received < stream->sent) {
		if (poll(&pfd, 1, mono_ms_left(deadline)) == 0)
			return -ETIMEDOUT;
	}
	return rc;
}

static int accept_it(struct member *m)
{
	const uint16_t port = endpoint_port(&m->client_end);
	union endpoint peer;
	int fd;

	/* Where clients wait there is one at a time. */
	fd = sock_accept(m->place->listener, PATIENCE_MS);
	if (fd < 0)
		return fd;
	take_server(m, fd);
	if (endpoint_peer(fd, &peer) < 0)
		return -ENOTCONN;
	return endpoint_port(&peer) == port ? 0 : -EBADMSG;
}

static int check_to_the_end(struct member *m)
{
	int rc = 0;

	if (m->server < 0)
		rc = accept_it(m);
	for (int from_client = 0; rc == 0 && from_client < 2; from_client++) {
		if (is_open(m, from_client))
			rc = stream_send(out_of(m, from_client), fd_of(m, from_client), MOST_BYTES);
		if (rc >= 0)
			rc = receive_all(m, from_client);
	}
	if (rc == 0)
		rc = -sock_error(m->client);
	if (rc == 0)
		rc = -sock_error(m->server);
	return rc;
}

int member_finish(struct member *m)
{
	int rc = check_to_the_end(m);

	sock_reset(m->client);
	if (m->server >= 0)
		close(m->server);
	m->client = m->server = -1;
	return rc;
}
