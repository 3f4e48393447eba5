/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rqueue and wqueue: unread bytes of a CLOSE_WAIT socket, accept queue of a listener. */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "scene.h"

#define BACKLOG 2

static uint32_t rqueue(int nl, const struct mine *mine)
{
	const struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;

	must(sockdiag_get(nl, &req, &info), "look the mine up");
	must(info.msg.idiag_state == TCP_CLOSE_WAIT ? 0 : -ENOTCONN, "find it in CLOSE_WAIT");
	return info.msg.idiag_rqueue;
}

static void read_bytes(int fd, size_t len)
{
	char data[16];

	must(read(fd, data, len) < 0 ? -errno : 0, "read");
}

static void unread(int nl)
{
	int listener = scene_listen("127.0.0.1");
	struct mine mine = scene_mine_with_data(listener, "127.0.0.1", CLIENT_PORT, "hello");

	fact_is("rqueue with 5 unread bytes and the FIN", "6", "%u", rqueue(nl, &mine));
	read_bytes(mine.fd, 3);
	fact_is("rqueue with 2 unread bytes and the FIN", "3", "%u", rqueue(nl, &mine));
	read_bytes(mine.fd, 2);
	/* The FIN lies in the same buffer as the last bytes, and is taken with them. */
	fact_is("rqueue when all bytes are read", "0", "%u", rqueue(nl, &mine));
	close(mine.fd);

	mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1);
	fact_is("rqueue when only the FIN came", "1", "%u", rqueue(nl, &mine));
	read_bytes(mine.fd, 1);
	fact_is("rqueue after read() has returned 0", "0", "%u", rqueue(nl, &mine));
	close(mine.fd);
	close(listener);
}

static struct inet_diag_msg ask_listener(int nl, const union endpoint *at)
{
	union endpoint nobody = scene_endpoint("127.0.0.1", CLIENT_PORT);
	const struct inet_diag_req_v2 req = sockdiag_request(at, &nobody);
	struct sockdiag_info info;

	must(sockdiag_get(nl, &req, &info), "look the listener up");
	must(info.msg.idiag_state == TCP_LISTEN ? 0 : -ENOTCONN, "find it in LISTEN");
	return info.msg;
}

static void accept_queue(int nl)
{
	union endpoint at = scene_endpoint("127.0.0.1", SERVER_PORT);
	int listener = must(sock_listen(&at, BACKLOG, false), "listen");
	int64_t overflows;
	int fds[BACKLOG + 1], late;

	fact_is("rqueue, wqueue of an idle listener with backlog 2", "0, 2", "%u, %u",
		ask_listener(nl, &at).idiag_rqueue, ask_listener(nl, &at).idiag_wqueue);
	for (int i = 0; i <= BACKLOG; i++)
		fds[i] = must(sock_connect(NULL, &at, 3000), "connect");
	fact_is("rqueue, wqueue with a full accept queue", "3, 2", "%u, %u",
		ask_listener(nl, &at).idiag_rqueue, ask_listener(nl, &at).idiag_wqueue);

	overflows = snmp_counter("TcpExt", "ListenOverflows");
	late = must(sock_connect_start(NULL, &at), "begin to connect");
	fact_is("one more connect, within 300 ms", "EINPROGRESS", "%s",
		errname(sock_connect_finish(late, 300)));
	fact_holds(snmp_counter("TcpExt", "ListenOverflows") > overflows,
		   "ListenOverflows in that time", "+%lld",
		   (long long)(snmp_counter("TcpExt", "ListenOverflows") - overflows));
	sock_reset(late);
	for (int i = 0; i <= BACKLOG; i++)
		sock_reset(fds[i]);
	close(listener);
}

int main(void)
{
	int nl;

	fact_begin("diag-queues");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	unread(nl);
	accept_queue(nl);
	return fact_end();
}
