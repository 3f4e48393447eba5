/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SOCK_DESTROY: the probe for support, the cookie that keeps it from the wrong socket. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/kernel.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "scene.h"

/* No socket has port 0 on both ends. */
static struct inet_diag_req_v2 impossible(void)
{
	union endpoint nowhere = scene_endpoint("127.0.0.1", 0);

	return sockdiag_request(&nowhere, &nowhere);
}

static struct inet_diag_req_v2 with_cookie(int nl, const struct mine *mine)
{
	struct inet_diag_req_v2 req = sockdiag_request(&mine->server, &mine->client);
	struct sockdiag_info info;

	must(sockdiag_get(nl, &req, &info), "look the mine up");
	memcpy(req.id.idiag_cookie, info.msg.id.idiag_cookie, sizeof(req.id.idiag_cookie));
	return req;
}

static void probe(int nl)
{
	const struct inet_diag_req_v2 req = impossible();
	int rc = sockdiag_destroy(nl, &req);

	if (rc == -EOPNOTSUPP)
		fact_skip("this kernel is built without CONFIG_INET_DIAG_DESTROY");
	fact_is("SOCK_DESTROY of an impossible tuple", "ENOENT", "%s", errname(rc));
}

/* In a child that is no longer root: its exit status is the errno. */
static const char *destroy_unprivileged(const struct inet_diag_req_v2 *req)
{
	int status;
	pid_t pid = fork();

	must(pid < 0 ? -errno : 0, "fork");
	if (pid == 0) {
		if (setuid(65534) < 0)
			_exit(EXIT_FAILURE);
		_exit(-sockdiag_destroy(sockdiag_open(), req));
	}
	must(waitpid(pid, &status, 0) < 0 ? -errno : 0, "wait for the child");
	return errname(WEXITSTATUS(status));
}

/* The kernel asks for the right only when it has found the socket: the probe cannot tell. */
static void unprivileged(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 3);
	const struct inet_diag_req_v2 nothing = impossible(), req = with_cookie(nl, &mine);

	fact_is("SOCK_DESTROY of an impossible tuple without CAP_NET_ADMIN", "ENOENT", "%s",
		destroy_unprivileged(&nothing));
	fact_is("SOCK_DESTROY of a mine without CAP_NET_ADMIN", "EPERM", "%s",
		destroy_unprivileged(&req));
	fact_is("the mine then", "CLOSE_WAIT", "%s", scene_lookup(nl, &req));
	close(mine.fd);
}

static void the_right_socket(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	const struct inet_diag_req_v2 req = with_cookie(nl, &mine);
	double ms;

	fact_is("SOCK_DESTROY of a mine with its cookie", "OK", "%s",
		errname(sockdiag_destroy(nl, &req)));
	fact_is("once more", "ENOENT", "%s", errname(sockdiag_destroy(nl, &req)));
	fact_is("a connect from its client's port then", "OK", "%s",
		errname(scene_collide(&mine, 3000, &ms)));
	close(must(sock_accept(listener, 3000), "accept"));
	close(mine.fd);
}

/* The tuple has a new socket, whose cookie differs. */
static void successor(int nl, int listener)
{
	struct mine old = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1), new;
	struct inet_diag_req_v2 req = with_cookie(nl, &old);

	must(sockdiag_destroy(nl, &req), "destroy the first mine");
	close(old.fd);
	new = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1);
	fact_is("SOCK_DESTROY of a successor with the old cookie", "ENOENT", "%s",
		errname(sockdiag_destroy(nl, &req)));
	req = sockdiag_request(&new.server, &new.client);
	fact_is("the successor then", "CLOSE_WAIT", "%s", scene_lookup(nl, &req));
	close(new.fd);
}

static void drop_fins(const char *verb)
{
	must(run_iptables(AF_INET, verb, "OUTPUT", "-p", "tcp", "--sport", "8000", "--tcp-flags",
			  "FIN", "FIN", "-j", "DROP", NULL),
	     "drop the server's FINs");
}

/*
 * One whose process has closed it, with a FIN that nobody acknowledges. Before bac76cf89816, of Linux
 * 6.11 and some older ones since, it stays, and has nothing left to send that could end it.
 */
static void closed_by_its_process(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 4);
	const struct inet_diag_req_v2 req = with_cookie(nl, &mine);
	const char *expected = "ENOENT";

	drop_fins("-A");
	close(mine.fd);
	fact_is("a mine that was closed, its FIN lost", "LAST_ACK", "%s", scene_lookup(nl, &req));
	fact_is("SOCK_DESTROY of it", "OK", "%s", errname(sockdiag_destroy(nl, &req)));
	if (!kernel_is_since(6, 11) && strcmp(scene_lookup(nl, &req), "LAST_ACK") == 0)
		expected = "LAST_ACK";
	fact_is("it then", expected, "%s", scene_lookup(nl, &req));
	drop_fins("-D");
	/* A FIN that is sent again would meet the reset of its vanished client, after 0.2, 0.6, 1.4 s. */
	nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
	fact_is("it after 2 s in which FINs come through", expected, "%s", scene_lookup(nl, &req));
}

static void vanished_tuple(int nl, int listener)
{
	struct mine mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 2);
	struct inet_diag_req_v2 cookie = with_cookie(nl, &mine);
	struct inet_diag_req_v2 no_cookie = sockdiag_request(&mine.server, &mine.client);
	double ms;

	close(mine.fd); /* FIN to nobody, RST: the tuple is free */
	fact_is("lookup of a vanished tuple", "LISTEN", "%s", scene_lookup(nl, &no_cookie));
	fact_is("SOCK_DESTROY of a vanished tuple with the cookie", "ENOENT", "%s",
		errname(sockdiag_destroy(nl, &cookie)));
	fact_is("the listener then", "LISTEN", "%s", scene_lookup(nl, &no_cookie));

	fact_is("SOCK_DESTROY of a vanished tuple without a cookie", "OK", "%s",
		errname(sockdiag_destroy(nl, &no_cookie)));
	fact_is("the listener then, which was destroyed", "ENOENT", "%s",
		scene_lookup(nl, &no_cookie));
	fact_is("a connect to its port", "ECONNREFUSED", "%s",
		errname(scene_collide(&mine, 3000, &ms)));
}

int main(void)
{
	int nl, listener;

	fact_begin("diag-destroy");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	probe(nl);
	listener = scene_listen("127.0.0.1");
	unprivileged(nl, listener);
	the_right_socket(nl, listener);
	successor(nl, listener);
	closed_by_its_process(nl, listener);
	vanished_tuple(nl, listener);
	return fact_end();
}
