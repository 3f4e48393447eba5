/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan in a small world of its own, which changes while it is looked at. What the kernel really
 * shows is for the netns tests.
 */
#include "config.h"

#include "scan.h"
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SOCKETS 4000
#define HOLDERS 4000

static struct {
	struct sock_info sockets[SOCKETS]; /* one without state is none */
	size_t n;
	struct {
		pid_t pid;
		int fd;
		uint32_t inode;
	} holders[HOLDERS];
	size_t n_holders;
	struct in6_addr own; /* an address of ours beside loopback */
	bool tracks;
	bool twice;   /* a walk shows each socket two times */
	bool changed; /* the kernel says so of the second walk */
	int walk_error, owner_error, lookup_error, process_error;
	void (*before_lookup)(void);
	void (*before_second_walk)(void);
	unsigned int walks, lookups, locals;
	bool asked_for_details;
} w;

static struct ephemeral settings;
static struct scan *scan;

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	settings = (struct ephemeral){
		.low = 20000, .high = 20499, .reuse_loopback = true, .fin_timeout_s = 60};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scan_free(scan);
	scan = NULL;
	return 0;
}

/* --- the world --------------------------------------------------------------------------------*/

static struct sock_info *add(enum tcpstate state, const char *src, const char *dst)
{
	struct sock_info *info = &w.sockets[w.n++];

	assert_true(w.n <= SOCKETS);
	*info = (struct sock_info){.state = state,
				   .cookie = 1000 + w.n,
				   .inode = (uint32_t)(100000 - w.n),
				   .age_ms = 1000};
	assert_int_equal(endpoint_parse(src, &info->tuple.src), 0);
	if (dst)
		assert_int_equal(endpoint_parse(dst, &info->tuple.dst), 0);
	return info;
}

static struct sock_info *close_wait(const char *src, const char *dst)
{
	struct sock_info *info = add(TCPSTATE_CLOSE_WAIT, src, dst);

	info->rqueue = 1; /* the FIN */
	return info;
}

static void hold(const struct sock_info *info, pid_t pid, int fd)
{
	w.holders[w.n_holders].pid = pid;
	w.holders[w.n_holders].fd = fd;
	w.holders[w.n_holders++].inode = info->inode;
}

static int walk(void *ctx, tcpstate_set states, bool details, sockdump_each_fn *each,
		void *each_ctx, bool *ret_changed)
{
	assert_ptr_equal(ctx, &w);
	if (++w.walks == 2 && w.before_second_walk)
		w.before_second_walk();
	if (w.walk_error && w.walks == 2)
		return w.walk_error;
	if (w.walks == 1)
		w.asked_for_details = details;
	else
		assert_false(details);
	for (size_t i = 0; i < w.n; i++) {
		for (int times = 0; times <= w.twice; times++) {
			int err = 0;

			if (w.sockets[i].state != 0 && tcpstate_in(w.sockets[i].state, states))
				err = each(each_ctx, &w.sockets[i]);
			if (err < 0)
				return err;
		}
	}
	*ret_changed = w.changed && w.walks == 2;
	return 0;
}

static void look_up_one(const struct diag_request *request, struct diag_answer *answer)
{
	answer->error = -ENOENT;
	for (size_t i = 0; i < w.n; i++) {
		const struct sock_info *info = &w.sockets[i];

		if (info->state == TCPSTATE_LISTEN &&
		    info->tuple.src.port == request->socket.src.port &&
		    request->cookie == DIAGMSG_ANY_SOCKET && answer->error < 0)
			*answer = (struct diag_answer){0, *info};
		if (info->state == 0 || info->state == TCPSTATE_LISTEN ||
		    tuple_compare(&info->tuple, &request->socket) != 0)
			continue;
		if (info->ifindex != 0 && info->ifindex != request->socket.scope)
			continue;
		if (request->cookie == DIAGMSG_ANY_SOCKET || request->cookie == info->cookie)
			*answer = (struct diag_answer){0, *info};
	}
}

static void look_up(void *ctx, const struct diag_request *requests, size_t n,
		    struct diag_answer *ret_answers)
{
	assert_ptr_equal(ctx, &w);
	assert_in_range(n, 1, DIAG_BATCH_MAX);
	if (w.lookups++ == 0 && w.before_lookup)
		w.before_lookup();
	for (size_t i = 0; i < n; i++) {
		look_up_one(&requests[i], &ret_answers[i]);
		if (w.lookup_error)
			ret_answers[i].error = w.lookup_error;
	}
}

static bool is_local(void *ctx, const struct in6_addr *addr)
{
	assert_ptr_equal(ctx, &w);
	w.locals++;
	return addr_equal(addr, &w.own);
}

static bool tracks_connections(void *ctx)
{
	assert_ptr_equal(ctx, &w);
	return w.tracks;
}

static int owners(void *ctx, const uint32_t *inodes, size_t n, owner_found *found, void *found_ctx,
		  struct owner_view *ret_view)
{
	assert_ptr_equal(ctx, &w);
	if (w.owner_error)
		return w.owner_error;
	for (size_t i = 1; i < n; i++)
		assert_true(inodes[i - 1] < inodes[i]);
	for (size_t h = 0; h < w.n_holders; h++) {
		for (size_t i = 0; i < n; i++) {
			if (inodes[i] == w.holders[h].inode)
				found(found_ctx, i, w.holders[h].pid, w.holders[h].fd);
		}
	}
	*ret_view = (struct owner_view){.processes = 7, .denied = 1};
	return 0;
}

static int process(void *ctx, pid_t pid, struct owner_process *ret_process)
{
	assert_ptr_equal(ctx, &w);
	if (w.process_error)
		return w.process_error;
	*ret_process = (struct owner_process){
		.pid = pid, .comm = "leaker", .fd_limit = 1024, .fd_count = 12};
	return 0;
}

static const struct scan_ops ops = {walk, look_up, is_local, tracks_connections, owners, process};

static void run(void)
{
	scan_free(scan);
	scan = NULL;
	w.walks = w.lookups = w.locals = 0;
	assert_int_equal(scan_run(&ops, &w, &settings, &scan), 0);
}

static void expect(size_t mines, size_t half_closed, size_t remote, size_t uncertain)
{
	const size_t want[SCAN_KINDS] = {mines, half_closed, remote, uncertain};

	run();
	for (size_t kind = 0; kind < SCAN_KINDS; kind++) {
		size_t sum = 0;

		if (scan->counts[kind] != want[kind])
			fail_msg("%zu %s, not %zu", scan->counts[kind],
				 scan_kind_name((enum scan_kind)kind), want[kind]);
		for (size_t l = 0; l < scan->n_listeners; l++)
			sum += scan->listeners[l].counts[kind];
		assert_int_equal(sum, want[kind]);
	}
	assert_int_equal(scan->n_sockets, mines + half_closed + remote + uncertain);
}

/* --- what is a mine ---------------------------------------------------------------------------*/

static void nothing_is_nothing(void **state)
{
	(void)state;
	expect(0, 0, 0, 0);
	assert_int_equal(scan->n_listeners, 0);
	add(TCPSTATE_LISTEN, "127.0.0.1:80", NULL);
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:20000");
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:20000", "127.0.0.1:80");
	expect(0, 0, 0, 0);
	assert_int_equal(w.lookups, 0);
}

static void without_a_peer_it_is_a_mine(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	close_wait("[::1]:80", "[::1]:20000");
	expect(2, 0, 0, 0);
	assert_true(w.asked_for_details);
	assert_int_equal(w.locals, 0); /* nobody needs to ask about loopback */
}

/* The peer in every state that a socket can have. */
static void with_a_peer_it_is_none(void **state)
{
	(void)state;
	for (int peer = 1; peer < TCPSTATE_COUNT; peer++) {
		bool lives = peer != TCPSTATE_LISTEN && peer != TCPSTATE_CLOSE &&
			     peer != TCPSTATE_SYN_SENT;

		w.n = 0;
		close_wait("127.0.0.1:80", "127.0.0.1:20000");
		add((enum tcpstate)peer, "127.0.0.1:20000", "127.0.0.1:80");
		if (peer == TCPSTATE_CLOSE_WAIT) {
			/* Each is the other's, if such a thing can be. */
			expect(0, 2, 0, 0);
			continue;
		}
		expect(!lives, lives, 0, 0);
		assert_int_equal(scan->listeners[0].colliding, peer == TCPSTATE_SYN_SENT);
	}
}

/* An IPv4 connection of an IPv6 socket is an IPv4 connection. */
static void families_are_one(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	w.sockets[0].tuple.src.addr = addr_from_v4(htonl(INADDR_LOOPBACK));
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20000", "127.0.0.1:80");
	close_wait("127.0.0.1:80", "127.0.0.1:20002");
	add(TCPSTATE_FIN_WAIT_2, "[::1]:20002", "[::1]:80");
	expect(1, 1, 0, 0);
}

static void almost_the_reverse_tuple_is_not(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20001", "127.0.0.1:80");
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.2:20000", "127.0.0.1:80");
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20000", "127.0.0.1:81");
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20000", "127.0.0.2:80");
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:80", "127.0.0.1:20000");
	expect(1, 0, 0, 0);
}

static void a_remote_peer_is_none_of_ours(void **state)
{
	struct endpoint own;

	(void)state;
	assert_int_equal(endpoint_parse("192.0.2.1:1", &own), 0);
	w.own = own.addr;
	for (int i = 0; i < 10; i++) {
		close_wait("192.0.2.1:80", "192.0.2.1:20000")->tuple.dst.port = htons(20000 + i);
		close_wait("192.0.2.1:80", "198.51.100.7:20000")->tuple.dst.port = htons(20000 + i);
	}
	expect(10, 0, 10, 0);
	assert_int_equal(w.locals, 2); /* one question for each address */
}

static void rewritten_destinations_make_uncertain(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	close_wait("127.0.0.1:81", "127.0.0.1:20000");
	close_wait("127.0.0.1:80", "127.0.0.1:20002");
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20000", "192.0.2.1:443");
	/* In a state that no living peer of a CLOSE_WAIT has. */
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:20002", "192.0.2.1:443");
	expect(3, 0, 0, 0);
	w.tracks = true;
	expect(1, 0, 0, 2);
	assert_int_equal(scan->tracks, true);
	w.sockets[3].state = TCPSTATE_FIN_WAIT_1;
	expect(1, 0, 0, 2);
	w.sockets[3].state = TCPSTATE_TIME_WAIT;
	expect(3, 0, 0, 0);
	/* Its own peer is certain, and may be another's too. */
	w.sockets[3] = w.sockets[4];
	w.sockets[3].state = TCPSTATE_FIN_WAIT_2;
	w.sockets[3].tuple = tuple_reverse(&w.sockets[0].tuple);
	expect(1, 1, 0, 1);
}

static void sockets_of_interfaces(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000")->ifindex = 5;
	expect(1, 0, 0, 0);
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20000", "127.0.0.1:80")->ifindex = 6;
	expect(0, 1, 0, 0);
	/* Twice the same tuple, which a walk may show side by side. */
	close_wait("127.0.0.1:80", "127.0.0.1:20000")->ifindex = 6;
	expect(0, 2, 0, 0);
}

static void what_comes_twice_counts_once(void **state)
{
	(void)state;
	w.twice = true;
	for (int i = 0; i < 100; i++)
		close_wait("127.0.0.1:80", "127.0.0.1:20000")->tuple.dst.port = htons(20000 + i);
	expect(100, 0, 0, 0);
}

/* --- while it is looked at --------------------------------------------------------------------*/

static void close_all(void)
{
	for (size_t i = 0; i < w.n; i++)
		w.sockets[i].state = 0;
}

static void close_every_third(void)
{
	for (size_t i = 0; i < w.n; i += 3)
		w.sockets[i].state = i % 2 ? 0 : TCPSTATE_LAST_ACK;
}

static void reuse_the_tuple(void)
{
	w.sockets[0].cookie = 1;
	w.sockets[0].state = TCPSTATE_CLOSE_WAIT;
}

static void peer_appears(void)
{
	add(TCPSTATE_FIN_WAIT_2, "127.0.0.1:20000", "127.0.0.1:80");
}

static void claimant_appears(void)
{
	add(TCPSTATE_SYN_SENT, "127.0.0.1:20000", "127.0.0.1:80");
}

static void what_closes_meanwhile_is_no_mine(void **state)
{
	(void)state;
	w.before_lookup = close_every_third;
	for (int i = 0; i < 300; i++)
		close_wait("127.0.0.1:80", "127.0.0.1:20000")->tuple.dst.port = htons(20000 + i);
	expect(200, 0, 0, 0);
	w.before_lookup = close_all;
	expect(0, 0, 0, 0);
	assert_int_equal(scan->n_listeners, 0);
}

static void the_second_look_decides(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	w.before_lookup = reuse_the_tuple;
	expect(0, 0, 0, 0);
	w.before_lookup = peer_appears;
	expect(0, 1, 0, 0);
	w.n = 1;
	w.before_lookup = claimant_appears;
	expect(1, 0, 0, 0);
	assert_int_equal(scan->listeners[0].colliding, 1);
	/* A listener on the client's port answers for the peer that is not there. */
	w.n = 1;
	w.before_lookup = NULL;
	add(TCPSTATE_LISTEN, "127.0.0.1:20000", NULL);
	expect(1, 0, 0, 0);
}

static void a_failed_look_up_is_no_proof(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	w.lookup_error = -ETIMEDOUT;
	expect(0, 0, 0, 1);
}

static void a_failed_walk_is_told(void **state)
{
	(void)state;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	w.walk_error = -ENOBUFS;
	assert_int_equal(scan_run(&ops, &w, &settings, &scan), -ENOBUFS);
	assert_null(scan);
	w.walk_error = 0;
	w.changed = true;
	expect(1, 0, 0, 0);
	assert_true(scan->changed);
}

/* --- who leaks --------------------------------------------------------------------------------*/

static void leakers_are_named(void **state)
{
	const struct scan_listener *listener;

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct sock_info *info = close_wait("127.0.0.1:80", "127.0.0.1:20000");

		info->tuple.dst.port = htons((uint16_t)(20000 + i));
		info->rqueue = 11;
		info->age_ms = (uint32_t)(1000 * i);
		if (i < 20) {
			hold(info, 812, 100 + i);
		} else if (i < 25) {
			/* In the order of their pids, and the other way round. */
			hold(info, i % 2 ? 900 : 813, i % 2 ? 100 + i : 200 + i);
			hold(info, i % 2 ? 813 : 900, i % 2 ? 200 + i : 100 + i);
		} else {
			info->uid = 33;
			info->cgroup_id = 77;
		}
	}
	expect(30, 0, 0, 0);
	assert_int_equal(scan->n_listeners, 1);
	assert_int_equal(scan->unattributed, 5);
	listener = &scan->listeners[0];
	assert_int_equal(listener->n_leakers, 3);

	assert_int_equal(listener->leakers[0].process.pid, 812);
	assert_string_equal(listener->leakers[0].process.comm, "leaker");
	assert_int_equal(listener->leakers[0].counts[SCAN_MINE], 20);
	assert_int_equal(listener->leakers[0].unread, 200);
	assert_int_equal(listener->leakers[0].oldest_ms, 19000);
	assert_int_equal(listener->leakers[0].shared, 0);
	assert_int_equal(listener->leakers[0].sockets[0].fd, 119);
	assert_int_equal(listener->leakers[0].sockets[19].fd, 100);

	/* Several hold them: the lowest pid stands for all. */
	assert_int_equal(listener->leakers[2].process.pid, 813);
	assert_int_equal(listener->leakers[2].shared, 5);
	assert_int_equal(listener->leakers[2].sockets[0].fd, 224);
	assert_int_equal(listener->leakers[2].sockets[0].holders, 2);

	assert_int_equal(listener->leakers[1].process.pid, 0);
	assert_int_equal(listener->leakers[1].uid, 33);
	assert_int_equal(listener->leakers[1].cgroup_id, 77);
	assert_int_equal(listener->leakers[1].sockets[0].fd, -1);

	w.process_error = -ESRCH;
	run();
	assert_int_equal(scan->listeners[0].leakers[0].process.pid, 812);
	assert_string_equal(scan->listeners[0].leakers[0].process.comm, "");
	assert_int_equal(scan->listeners[0].leakers[0].process.fd_count, -1);

	w.owner_error = -ENOENT;
	run();
	assert_int_equal(scan->owner_error, -ENOENT);
	assert_int_equal(scan->unattributed, 30);
	assert_int_equal(scan->counts[SCAN_MINE], 30);
}

/* The order in which the kernel lists them, and in which they are found, must not matter. */
static void what_is_not_accepted_is_the_listeners(void **state)
{
	static const char *const at[] = {"[::]:80", "0.0.0.0:80", "127.0.0.1:80", "127.0.0.2:80",
					 "127.0.0.1:81"};
	const struct scan_listener *listener;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct sock_info *info = add(TCPSTATE_LISTEN, at[i], NULL);

		info->rqueue = (uint32_t)i;
		info->wqueue = 128;
		hold(info, 500 + i, 3);
		hold(info, 600 + i, 3);
	}
	for (int i = 0; i < 7; i++) {
		struct sock_info *info = close_wait("127.0.0.1:80", "127.0.0.1:20000");

		info->tuple.dst.port = htons((uint16_t)(20000 + i));
		info->inode = 0;
	}
	expect(7, 0, 0, 0);
	listener = &scan->listeners[0];
	assert_int_equal(listener->n_leakers, 1);
	assert_int_equal(listener->leakers[0].process.pid, 502);
	assert_int_equal(listener->leakers[0].not_accepted, 7);
	assert_int_equal(listener->leakers[0].sockets[0].fd, -1);
	assert_true(listener->listens);
	assert_int_equal(listener->queued, 2);
	assert_int_equal(listener->backlog, 128);
	assert_int_equal(scan->unattributed, 0);

	/* Without the exact one the IPv4 wildcard comes first, then the other. */
	w.sockets[2].state = 0;
	run();
	assert_int_equal(scan->listeners[0].leakers[0].process.pid, 501);
	w.sockets[1].state = 0;
	run();
	assert_int_equal(scan->listeners[0].leakers[0].process.pid, 500);
	w.sockets[0].state = 0;
	run();
	assert_false(scan->listeners[0].listens);
	assert_int_equal(scan->unattributed, 0);
	assert_int_equal(scan->listeners[0].leakers[0].process.pid, 0);
}

static void queues_of_one_address_add_up(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct sock_info *info = add(TCPSTATE_LISTEN, "127.0.0.1:80", NULL);

		info->rqueue = 3;
		info->wqueue = 128;
	}
	add(TCPSTATE_LISTEN, "0.0.0.0:80", NULL)->wqueue = 4096;
	close_wait("127.0.0.1:80", "127.0.0.1:20000");
	expect(1, 0, 0, 0);
	assert_int_equal(scan->listeners[0].queued, 12);
	assert_int_equal(scan->listeners[0].backlog, 512);
}

static double growth_with_ages(uint32_t step_ms, int n)
{
	w.n = 0;
	for (int i = 0; i < n; i++) {
		struct sock_info *info = close_wait("127.0.0.1:80", "127.0.0.1:20000");

		info->tuple.dst.port = htons((uint16_t)(20000 + i));
		info->age_ms = 60000 + step_ms * (uint32_t)(i + 1);
		hold(info, 812, i);
	}
	expect((size_t)n, 0, 0, 0);
	return scan->listeners[0].leakers[0].growth_known ? scan->listeners[0].leakers[0].growth
							  : NAN;
}

/* What leaked within the last minute is not a mine yet: its peer is still in FIN_WAIT_2. */
static void growth_is_read_off_the_ages(void **state)
{
	(void)state;
	assert_true(isnan(growth_with_ages(1000, 59)));
	assert_true(fabs(growth_with_ages(1000, 60) - 60) < 1e-9);
	assert_true(fabs(growth_with_ages(2000, 3000) - 30) < 1e-9);
	assert_true(fabs(growth_with_ages(600000, 5) - 0.1) < 1e-9);
	/* Long ago, and never since. */
	w.n = 0;
	close_wait("127.0.0.1:80", "127.0.0.1:20000")->age_ms = 86400000;
	expect(1, 0, 0, 0);
	assert_true(scan->listeners[0].leakers[0].growth_known);
	assert_true(scan->listeners[0].leakers[0].growth == 0);
}

/* --- how often it hurts -----------------------------------------------------------------------*/

static void plant(const char *server, const char *client, uint16_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close_wait(server, client)->tuple.dst.port = htons((uint16_t)(first + 2 * i));
}

static void expect_share(double share)
{
	run();
	if (fabs(scan->listeners[0].share - share) > 1e-9)
		fail_msg("share %.6f, not %.6f", scan->listeners[0].share, share);
}

static void chances_are_of_a_client_and_a_listener(void **state)
{
	const struct scan_listener *listener;

	(void)state;
	plant("127.0.0.1:80", "127.0.0.1:1", 20000, 25);
	plant("127.0.0.1:80", "127.0.0.2:1", 20000, 50);
	plant("127.0.0.1:81", "127.0.0.1:1", 20000, 100);
	plant("127.0.0.1:82", "127.0.0.1:1", 20001, 200);
	expect_share(0.4);
	assert_int_equal(scan->n_listeners, 3);
	listener = &scan->listeners[1];
	assert_int_equal(ntohs(listener->local.port), 80);
	assert_int_equal(listener->n_clients, 2);
	assert_int_equal(listener->clients[0].mines, 50);
	assert_true(fabs(listener->clients[0].chance.share - 0.2) < 1e-9);
	assert_true(fabs(listener->clients[1].chance.share - 0.1) < 1e-9);
	/* Many mines, none of which connect() draws. */
	listener = &scan->listeners[2];
	assert_int_equal(listener->counts[SCAN_MINE], 200);
	assert_true(listener->share == 0);
	assert_int_equal(listener->clients[0].chance.mines, 0);
}

static void ports_that_cannot_be_drawn(void **state)
{
	(void)state;
	plant("127.0.0.1:80", "127.0.0.1:1", 20000, 25);
	expect_share(25.0 / 250);
	portset_add(&settings.reserved, 20000);
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 249);
	assert_int_equal(scan->listeners[0].clients[0].chance.mines, 24);
	/* A listener's port, whatever its address. */
	add(TCPSTATE_LISTEN, "192.0.2.1:20004", NULL);
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 248);
	assert_int_equal(scan->listeners[0].clients[0].chance.mines, 23);
	/* A living connection of that client to that listener. */
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:20100", "127.0.0.1:80");
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 247);
	/* Of others, or to others: no matter. */
	add(TCPSTATE_ESTABLISHED, "127.0.0.2:20110", "127.0.0.1:80");
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:20112", "127.0.0.1:81");
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:20114", "127.0.0.2:80");
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 247);
	/* TIME_WAIT only where it may not be drawn again. */
	add(TCPSTATE_TIME_WAIT, "127.0.0.1:20120", "127.0.0.1:80");
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 247);
	settings.reuse_loopback = false;
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 246);
	/* Those of several clients, in no order. */
	plant("127.0.0.1:80", "127.0.0.2:1", 20000, 10);
	add(TCPSTATE_ESTABLISHED, "127.0.0.2:20200", "127.0.0.1:80");
	add(TCPSTATE_ESTABLISHED, "127.0.0.1:20202", "127.0.0.1:80");
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 245);
	assert_int_equal(scan->listeners[0].clients[1].chance.ports, 246);
	/* The client leaks as well: its side waits for a close. */
	close_wait("127.0.0.1:20130", "127.0.0.1:80");
	run();
	assert_int_equal(scan->listeners[0].clients[0].chance.ports, 244);
}

static void without_settings_there_is_no_chance(void **state)
{
	(void)state;
	plant("127.0.0.1:80", "127.0.0.1:1", 20000, 25);
	assert_int_equal(scan_run(&ops, &w, NULL, &scan), 0);
	assert_int_equal(scan->counts[SCAN_MINE], 25);
	assert_true(scan->listeners[0].share == 0);
	assert_int_equal(scan->listeners[0].clients[0].mines, 25);
	assert_false(scan->listeners[0].leakers[0].growth_known);
}

static void what_hurts_most_comes_first(void **state)
{
	static const uint16_t order[] = {83, 80, 81, 84, 82, 85};

	(void)state;
	plant("127.0.0.1:80", "127.0.0.1:1", 20000, 20);
	plant("127.0.0.1:81", "127.0.0.1:1", 20000, 10);
	plant("127.0.0.1:82", "127.0.0.1:1", 20001, 30);
	plant("127.0.0.1:83", "127.0.0.1:1", 20000, 40);
	plant("127.0.0.1:84", "127.0.0.1:1", 20001, 50);
	plant("127.0.0.1:85", "198.51.100.7:1", 20001, 60);
	expect(150, 0, 60, 0);
	assert_int_equal(scan->n_listeners, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(ntohs(scan->listeners[i].local.port), order[i]);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(scan_kind_name(SCAN_MINE), "mine");
	assert_string_equal(scan_kind_name(SCAN_HALF_CLOSED), "half-closed");
	assert_string_equal(scan_kind_name(SCAN_REMOTE), "remote");
	assert_string_equal(scan_kind_name(SCAN_UNCERTAIN), "uncertain");
	assert_string_equal(scan_kind_name((enum scan_kind)99), "unknown");
}

#define SCAN_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(nothing_is_nothing),
		SCAN_TEST(without_a_peer_it_is_a_mine),
		SCAN_TEST(with_a_peer_it_is_none),
		SCAN_TEST(families_are_one),
		SCAN_TEST(almost_the_reverse_tuple_is_not),
		SCAN_TEST(a_remote_peer_is_none_of_ours),
		SCAN_TEST(rewritten_destinations_make_uncertain),
		SCAN_TEST(sockets_of_interfaces),
		SCAN_TEST(what_comes_twice_counts_once),
		SCAN_TEST(what_closes_meanwhile_is_no_mine),
		SCAN_TEST(the_second_look_decides),
		SCAN_TEST(a_failed_look_up_is_no_proof),
		SCAN_TEST(a_failed_walk_is_told),
		SCAN_TEST(leakers_are_named),
		SCAN_TEST(what_is_not_accepted_is_the_listeners),
		SCAN_TEST(queues_of_one_address_add_up),
		SCAN_TEST(growth_is_read_off_the_ages),
		SCAN_TEST(chances_are_of_a_client_and_a_listener),
		SCAN_TEST(ports_that_cannot_be_drawn),
		SCAN_TEST(without_settings_there_is_no_chance),
		SCAN_TEST(what_hurts_most_comes_first),
		SCAN_TEST(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
