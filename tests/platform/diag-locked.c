/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket that its process keeps locked, and what waits for that: a look-up that asks for
 * INET_DIAG_INFO (tcp_get_info()) and SOCK_DESTROY (tcp_abort()) do, within sendto(), and before Linux
 * 6.9 every other look-up behind them (sock_diag_mutex).
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "lib/errname.h"
#include "lib/kernel.h"
#include "lib/monotime.h"
#include "lib/socklock.h"
#include "scene.h"

/* What does not wait for the lock is done at once. */
#define AT_ONCE_MS 1000

struct request {
	pthread_t thread;
	struct inet_diag_req_v2 req;
	bool destroy;
	int rc;
	atomic_bool done;
};

static void *carry_out(void *arg)
{
	struct request *r = arg;
	int nl = sockdiag_open();
	struct sockdiag_info info;

	r->rc = r->destroy ? sockdiag_destroy(nl, &r->req) : sockdiag_get(nl, &r->req, &info);
	close(nl);
	atomic_store(&r->done, true);
	return NULL;
}

static bool is_done(void *arg)
{
	return atomic_load(&((struct request *)arg)->done);
}

/* In a thread of its own; whether it was done at once. */
static bool begin(struct request *r, const struct inet_diag_req_v2 *req, bool info, bool destroy)
{
	*r = (struct request){.req = *req, .destroy = destroy};
	if (!info)
		r->req.idiag_ext = 0;
	must(-pthread_create(&r->thread, NULL, carry_out, r), "start a thread");
	return wait_until(is_done, r, AT_ONCE_MS) == 0;
}

static const char *when(bool at_once)
{
	return at_once ? "at once" : "not before the lock is free";
}

static int finish(struct request *r)
{
	pthread_join(r->thread, NULL);
	return r->rc;
}

int main(void)
{
	struct inet_diag_req_v2 locked, other;
	struct request plain, info, elsewhere, destroy;
	struct mine mine, bystander;
	struct socklock lock;
	int listener;

	fact_begin("diag-locked");
	listener = scene_listen("127.0.0.1");
	mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	bystander = scene_mine(listener, "127.0.0.1", CLIENT_PORT + 1);
	locked = sockdiag_request(&mine.server, &mine.client);
	other = sockdiag_request(&bystander.server, &bystander.client);
	need(socklock_take(mine.fd, &lock), "userfaultfd");

	fact_is("a look-up of a locked socket, without INET_DIAG_INFO", when(true), "%s",
		when(begin(&plain, &locked, false, false)));
	fact_is("a look-up with it", when(false), "%s", when(begin(&info, &locked, true, false)));
	fact_is("meanwhile a look-up of another socket", when(kernel_is_since(6, 9)), "%s",
		when(begin(&elsewhere, &other, true, false)));
	fact_is("SOCK_DESTROY of the locked one", when(false), "%s",
		when(begin(&destroy, &locked, true, true)));
	socklock_release(&lock);
	fact_is("the look-up without INET_DIAG_INFO", "OK", "%s", errname(finish(&plain)));
	fact_is("that of another socket", "OK", "%s", errname(finish(&elsewhere)));
	/* What was sent meets nobody, whose reset may be quicker. */
	fact("that with it, when the lock was free", "%s", errname(finish(&info)));
	fact("SOCK_DESTROY then", "%s", errname(finish(&destroy)));
	return fact_end();
}
