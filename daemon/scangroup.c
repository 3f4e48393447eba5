/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chance is that of one listener and one source address, since that is what connect() draws a
 * port for (portdraw.c). Ports that a socket has got with bind() cannot be drawn either; of those
 * only the listeners' are known, since the kernel does not tell how another socket came by its
 * port.
 *
 * Growth is read off the ages. A socket becomes a mine only when its peer's FIN_WAIT_2 has ended,
 * tcp_fin_timeout after the FIN that its age counts from, so the window ends there and not now.
 */
#include "config.h"

#include "scangroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Growth is that of so much time at most, and of so much at least. */
#define GROWTH_WINDOW_MS 600000
#define GROWTH_LEAST_MS	 60000
#define MINUTE_MS	 60000

/* --- order ------------------------------------------------------------------------------------*/

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Whether two sockets of one listener have the same leaker. */
static int compare_leakers_of(const struct scan_socket *a, const struct scan_socket *b)
{
	int order = compare_numbers((uint64_t)a->pid, (uint64_t)b->pid);

	if (order == 0 && a->pid == 0)
		order = compare_numbers(a->uid, b->uid);
	if (order == 0 && a->pid == 0)
		order = compare_numbers(a->cgroup_id, b->cgroup_id);
	return order;
}

static int by_leaker(const void *a, const void *b)
{
	const struct scan_socket *left = a, *right = b;
	int order = endpoint_compare(&left->tuple.src, &right->tuple.src);

	if (order == 0)
		order = compare_leakers_of(left, right);
	if (order == 0)
		order = compare_numbers(left->kind, right->kind);
	if (order == 0)
		order = compare_numbers(right->age_ms, left->age_ms);
	return order ? order : tuple_compare(&left->tuple, &right->tuple);
}

static size_t total(const size_t counts[SCAN_KINDS])
{
	size_t sum = 0;

	for (size_t kind = 0; kind < SCAN_KINDS; kind++)
		sum += counts[kind];
	return sum;
}

/* Most mines first, then most others. */
static int compare_counts(const size_t a[SCAN_KINDS], const size_t b[SCAN_KINDS])
{
	int order = compare_numbers(b[SCAN_MINE], a[SCAN_MINE]);

	return order ? order : compare_numbers(total(b), total(a));
}

static int by_harm(const void *a, const void *b)
{
	const struct scan_listener *left = a, *right = b;
	int order = (left->share < right->share) - (left->share > right->share);

	if (order == 0)
		order = compare_counts(left->counts, right->counts);
	return order ? order : endpoint_compare(&left->local, &right->local);
}

static int by_mines(const void *a, const void *b)
{
	const struct scan_leaker *left = a, *right = b;
	int order = compare_counts(left->counts, right->counts);

	return order ? order : compare_leakers_of(left->sockets, right->sockets);
}

static int by_chance(const void *a, const void *b)
{
	const struct scan_client *left = a, *right = b;
	int order = (left->chance.share < right->chance.share) -
		    (left->chance.share > right->chance.share);

	if (order == 0)
		order = compare_numbers(right->mines, left->mines);
	return order ? order : memcmp(&left->addr, &right->addr, sizeof(left->addr));
}

static int by_group(const void *a, const void *b)
{
	const struct scan_taken *left = a, *right = b;

	return compare_numbers(left->group, right->group);
}

/* qsort() must not be given a null pointer, even for nothing. */
static void sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n > 1)
		qsort(array, n, size, compare);
}

/* --- listeners --------------------------------------------------------------------------------*/

/* How well a listening socket's address fits: 3 exactly, 2 and 1 wildcards, 0 not at all. */
static int fit(const struct scan_listening *listening, const struct endpoint *local)
{
	const struct in6_addr any_v4 = addr_from_v4(INADDR_ANY);

	if (listening->local.port != local->port)
		return 0;
	if (addr_equal(&listening->local.addr, &local->addr))
		return 3;
	if (addr_is_v4(&local->addr) && addr_equal(&listening->local.addr, &any_v4))
		return 2;
	return addr_equal(&listening->local.addr, &in6addr_any) ? 1 : 0;
}

const struct scan_listening *scangroup_listening(const struct scan_surroundings *around,
						 const struct endpoint *local)
{
	const struct scan_listening *best = NULL;
	int best_fit = 0;

	for (size_t i = 0; i < around->n_listening; i++) {
		int this_fit = fit(&around->listening[i], local);

		if (this_fit > best_fit) {
			best = &around->listening[i];
			best_fit = this_fit;
		}
	}
	return best;
}

/* All that listen there with SO_REUSEPORT count as one, as long as they fit equally well. */
static void describe_queue(const struct scan_surroundings *around, struct scan_listener *listener)
{
	const struct scan_listening *best = scangroup_listening(around, &listener->local);

	for (size_t i = 0; best && i < around->n_listening; i++) {
		if (fit(&around->listening[i], &listener->local) != fit(best, &listener->local))
			continue;
		listener->listens = true;
		listener->queued += around->listening[i].queued;
		listener->backlog += around->listening[i].backlog;
	}
}

/* --- chances ----------------------------------------------------------------------------------*/

struct chances {
	const struct scan_surroundings *around;
	struct portset undrawn; /* by anybody: reserved, or bound by a listener */
	size_t next_taken;
};

static void add_bound(struct portset *set, const struct scan_surroundings *around)
{
	for (size_t i = 0; i < around->n_listening; i++)
		portset_add(set, ntohs(around->listening[i].local.port));
}

/* The groups come in their order, and so do the ports taken. */
static void add_taken(struct portset *set, struct chances *chances, uint32_t group)
{
	const struct scan_taken *taken = chances->around->taken;
	size_t *at = &chances->next_taken;

	for (; *at < chances->around->n_taken && taken[*at].group <= group; (*at)++) {
		if (taken[*at].group == group)
			portset_add(set, taken[*at].port);
	}
}

/* The n sockets of one group; does nothing if there is no mine among them. */
static int add_client(struct chances *chances, const struct scan_socket *sockets, size_t n,
		      struct scan_listener *listener)
{
	const struct ephemeral *ephemeral = chances->around->ephemeral;
	struct scan_client client = {.addr = sockets[0].tuple.dst.addr};
	struct portset taken = chances->undrawn, mined = {{0}};
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		if (sockets[i].kind != SCAN_MINE)
			continue;
		portset_add(&mined, ntohs(sockets[i].tuple.dst.port));
		client.mines++;
	}
	if (client.mines == 0)
		return 0;
	add_taken(&taken, chances, sockets[0].group);
	if (ephemeral) {
		const struct portdraw draw = {ephemeral->low, ephemeral->high, &taken, &mined};

		err = portdraw_chance(&draw, &client.chance);
	}
	listener->clients[listener->n_clients++] = client;
	if (client.chance.share > listener->share)
		listener->share = client.chance.share;
	return err;
}

/* The number of sockets from this one on that compare() finds equal. */
static size_t run(const struct scan_socket *sockets, size_t n,
		  bool (*equal)(const struct scan_socket *, const struct scan_socket *))
{
	size_t length = 1;

	while (length < n && equal(&sockets[length - 1], &sockets[length]))
		length++;
	return length;
}

static bool same_listener(const struct scan_socket *a, const struct scan_socket *b)
{
	return endpoint_compare(&a->tuple.src, &b->tuple.src) == 0;
}

static bool same_group(const struct scan_socket *a, const struct scan_socket *b)
{
	return a->group == b->group;
}

static bool same_leaker(const struct scan_socket *a, const struct scan_socket *b)
{
	return same_listener(a, b) && compare_leakers_of(a, b) == 0;
}

static size_t count_runs(const struct scan *scan,
			 bool (*equal)(const struct scan_socket *, const struct scan_socket *))
{
	size_t runs = 0;

	for (size_t i = 0; i < scan->n_sockets; runs++)
		i += run(scan->sockets + i, scan->n_sockets - i, equal);
	return runs;
}

/* The sockets are in the order of tuple_compare(). */
static int build_listeners(struct scan *scan, struct chances *chances)
{
	struct scan_client *clients = scan->clients;
	int err = 0;

	for (size_t i = 0; err == 0 && i < scan->n_sockets;) {
		size_t n = run(scan->sockets + i, scan->n_sockets - i, same_listener);
		struct scan_listener *listener = &scan->listeners[scan->n_listeners++];

		*listener = (struct scan_listener){.local = scan->sockets[i].tuple.src,
						   .clients = clients};
		describe_queue(chances->around, listener);
		for (size_t end = i + n; err == 0 && i < end;) {
			size_t length = run(scan->sockets + i, end - i, same_group);

			err = add_client(chances, scan->sockets + i, length, listener);
			i += length;
		}
		sort(listener->clients, listener->n_clients, sizeof(*clients), by_chance);
		clients += listener->n_clients;
	}
	return err;
}

/* --- leakers ----------------------------------------------------------------------------------*/

static void tell_growth(struct scan_leaker *leaker, const struct ephemeral *ephemeral)
{
	uint64_t lag_ms = ephemeral ? (uint64_t)ephemeral->fin_timeout_s * 1000 : 0;
	uint64_t window_ms;
	size_t grown = 0;

	if (!ephemeral || leaker->counts[SCAN_MINE] == 0 ||
	    leaker->oldest_ms < lag_ms + GROWTH_LEAST_MS)
		return;
	window_ms = leaker->oldest_ms - lag_ms;
	if (window_ms > GROWTH_WINDOW_MS)
		window_ms = GROWTH_WINDOW_MS;
	for (size_t i = 0; i < leaker->counts[SCAN_MINE]; i++) {
		uint32_t age_ms = leaker->sockets[i].age_ms;

		grown += age_ms > lag_ms && age_ms <= lag_ms + window_ms;
	}
	leaker->growth_known = true;
	leaker->growth = (double)grown * MINUTE_MS / (double)window_ms;
}

/* The n sockets of one leaker. */
static struct scan_leaker describe_leaker(const struct scan_ops *ops, void *ctx,
					  const struct ephemeral *ephemeral,
					  const struct scan_socket *sockets, size_t n)
{
	struct scan_leaker leaker = {
		.process = {.fd_count = -1},
		.uid = sockets[0].uid,
		.cgroup_id = sockets[0].cgroup_id,
		.sockets = sockets,
		.n_sockets = n,
	};

	for (size_t i = 0; i < n; i++) {
		leaker.counts[sockets[i].kind]++;
		leaker.not_accepted += sockets[i].inode == 0;
		leaker.shared += sockets[i].holders > 1;
		leaker.unread += sockets[i].unread;
		/* The mines come first, if there are any. */
		if (sockets[i].kind == sockets[0].kind || sockets[0].kind != SCAN_MINE)
			leaker.oldest_ms = sockets[i].age_ms > leaker.oldest_ms ? sockets[i].age_ms
										: leaker.oldest_ms;
	}
	tell_growth(&leaker, ephemeral);
	if (sockets[0].pid != 0 && ops->process(ctx, sockets[0].pid, &leaker.process) < 0)
		leaker.process = (struct owner_process){.pid = sockets[0].pid, .fd_count = -1};
	return leaker;
}

/* The sockets are sorted by_leaker(), and the listeners are still in their order. */
static void build_leakers(struct scan *scan, const struct scan_ops *ops, void *ctx,
			  const struct ephemeral *ephemeral)
{
	struct scan_leaker *leakers = scan->leakers;
	size_t at = 0;

	for (size_t l = 0; l < scan->n_listeners; l++) {
		struct scan_listener *listener = &scan->listeners[l];
		size_t end = at + run(scan->sockets + at, scan->n_sockets - at, same_listener);

		listener->leakers = leakers;
		while (at < end) {
			size_t n = run(scan->sockets + at, end - at, same_leaker);

			listener->leakers[listener->n_leakers++] =
				describe_leaker(ops, ctx, ephemeral, scan->sockets + at, n);
			at += n;
		}
		sort(listener->leakers, listener->n_leakers, sizeof(*leakers), by_mines);
		leakers += listener->n_leakers;
	}
}

static void count(struct scan *scan)
{
	struct scan_listener *listener = scan->listeners;

	for (size_t i = 0; i < scan->n_sockets; i++) {
		const struct scan_socket *s = &scan->sockets[i];

		if (i > 0 && !same_listener(s, s - 1))
			listener++;
		listener->counts[s->kind]++;
		listener->colliding += s->colliding;
		scan->counts[s->kind]++;
		scan->unattributed += s->inode != 0 && s->pid == 0;
	}
}

int scangroup_build(struct scan *scan, const struct scan_ops *ops, void *ctx,
		    struct scan_surroundings *around)
{
	struct chances chances = {.around = around};
	int err;

	scan->listeners = calloc(count_runs(scan, same_listener) + 1, sizeof(*scan->listeners));
	scan->clients = calloc(count_runs(scan, same_group) + 1, sizeof(*scan->clients));
	if (!scan->listeners || !scan->clients)
		return -ENOMEM;
	sort(around->taken, around->n_taken, sizeof(*around->taken), by_group);
	if (around->ephemeral)
		chances.undrawn = around->ephemeral->reserved;
	add_bound(&chances.undrawn, around);
	err = build_listeners(scan, &chances);
	if (err < 0)
		return err;

	sort(scan->sockets, scan->n_sockets, sizeof(*scan->sockets), by_leaker);
	scan->leakers = calloc(count_runs(scan, same_leaker) + 1, sizeof(*scan->leakers));
	if (!scan->leakers)
		return -ENOMEM;
	build_leakers(scan, ops, ctx, around->ephemeral);
	count(scan);
	sort(scan->listeners, scan->n_listeners, sizeof(*scan->listeners), by_harm);
	return 0;
}
