/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of a scan:
 *
 * 1. A walk over the CLOSE_WAIT sockets, with ages. They are sorted by local endpoint and peer, so
 *    that the next walk finds each by bisection.
 * 2. A walk over all other sockets, none of which is kept. A socket on the reverse tuple is the
 *    peer, whatever its state, and so is the small one that FIN_WAIT_2 becomes when nobody holds it
 *    any more; only SYN_SENT is not: that is a client who is colliding at this moment, and proves
 *    that the peer is gone. Sockets of the same client to the same listener take ports that it
 *    cannot draw meanwhile.
 * 3. Judgement. Without a peer, and with a peer's address that is ours, a socket is a suspect.
 *    Where connection tracking is at work, a destination may be rewritten on the way (REDIRECT,
 *    DNAT), so that the living peer is connected, as it sees it, to somebody else: a socket on the
 *    same source endpoint in a state that a living peer can be in makes the suspect uncertain. A
 *    rewritten source (SNAT of a local connection) cannot be seen from here.
 * 4. A walk over the processes, for the holders.
 * 5. The suspects are looked up once more, each in one go with its peer and after it: the peer does
 *    not exist, and then the socket still does, in CLOSE_WAIT, so there was a moment without a
 *    peer. What closed during the scan drops out here. Only now is a suspect called a mine.
 */
#include "config.h"

#include "scan.h"
#include "judge.h"
#include "scangroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Each takes two requests. */
#define SUSPECTS_AT_ONCE (DIAG_BATCH_MAX / 2)

/* The states of the second walk. */
#define OTHER_STATES                                                                               \
	(TCPSTATE_SET_ALL & ~(tcpstate_bit(TCPSTATE_CLOSE_WAIT) | tcpstate_bit(TCPSTATE_CLOSE)))

/* What is known of a CLOSE_WAIT socket before it is judged. */
enum mark {
	MARK_PEER = 1,	    /* its peer exists */
	MARK_ELSEWHERE = 2, /* a living peer's state, on the peer's endpoint, to somewhere else */
};

struct work {
	const struct scan_ops *ops;
	void *ctx;
	const struct ephemeral *ephemeral;
	struct scan *scan;
	size_t room; /* for sockets */
	uint8_t *marks;
	uint32_t *by_peer; /* indices of the sockets, by their peers' endpoints; NULL: not needed */
	struct scan_listening *listening;
	size_t n_listening, listening_room;
	struct scan_taken *taken;
	size_t n_taken, taken_room;
};

const char *scan_kind_name(enum scan_kind kind)
{
	switch (kind) {
	case SCAN_MINE:
		return "mine";
	case SCAN_HALF_CLOSED:
		return "half-closed";
	case SCAN_REMOTE:
		return "remote";
	case SCAN_UNCERTAIN:
		return "uncertain";
	}
	return "unknown";
}

/* Makes room for one more element; false without memory. */
static bool make_room(void **array, size_t n, size_t *room, size_t size)
{
	size_t larger = *room ? 2 * *room : 256;
	void *moved;

	if (n < *room)
		return true;
	moved = reallocarray(*array, larger, size);
	if (!moved)
		return false;
	*array = moved;
	*room = larger;
	return true;
}

/* --- the first walk ---------------------------------------------------------------------------*/

static int keep_socket(void *ctx, const struct sock_info *info)
{
	struct work *w = ctx;
	void *sockets = w->scan->sockets;

	if (info->state != TCPSTATE_CLOSE_WAIT)
		return 0;
	if (!make_room(&sockets, w->scan->n_sockets, &w->room, sizeof(struct scan_socket)))
		return -ENOMEM;
	w->scan->sockets = sockets;
	w->scan->sockets[w->scan->n_sockets++] = (struct scan_socket){
		.tuple = info->tuple,
		.cookie = info->cookie,
		.cgroup_id = info->cgroup_id,
		.age_ms = info->age_ms,
		.unread = sock_info_unread(info),
		.inode = info->inode,
		.ifindex = info->ifindex,
		.uid = info->uid,
		.fd = -1,
	};
	return 0;
}

static int compare_sockets(const void *a, const void *b)
{
	const struct scan_socket *left = a, *right = b;
	int order = tuple_compare(&left->tuple, &right->tuple);

	return order ? order : (left->cookie > right->cookie) - (left->cookie < right->cookie);
}

static bool same_group(const struct tuple *a, const struct tuple *b)
{
	return endpoint_equal(&a->src, &b->src) && addr_equal(&a->dst.addr, &b->dst.addr);
}

/* Sorts them, takes out those that came twice, and numbers their groups. */
static void order_sockets(struct scan *scan)
{
	struct scan_socket *sockets = scan->sockets;
	size_t kept = 0;

	if (scan->n_sockets > 0)
		qsort(sockets, scan->n_sockets, sizeof(*sockets), compare_sockets);
	for (size_t i = 0; i < scan->n_sockets; i++) {
		if (kept > 0 && compare_sockets(&sockets[i], &sockets[kept - 1]) == 0)
			continue;
		sockets[kept] = sockets[i];
		if (kept > 0)
			sockets[kept].group =
				sockets[kept - 1].group +
				!same_group(&sockets[kept].tuple, &sockets[kept - 1].tuple);
		kept++;
	}
	scan->n_sockets = kept;
}

/* --- the second walk --------------------------------------------------------------------------*/

/* The first socket whose tuple is not below this one. */
static size_t find(const struct scan *scan, const struct tuple *tuple)
{
	size_t first = 0, behind = scan->n_sockets;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (tuple_compare(&scan->sockets[middle].tuple, tuple) < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

/* Sockets on other interfaces may have the same tuple; which one the peer belongs to is open. */
static void mark_peer(struct work *w, const struct sock_info *info, const struct tuple *reverse,
		      size_t first)
{
	struct scan *scan = w->scan;

	for (size_t i = first;
	     i < scan->n_sockets && tuple_compare(&scan->sockets[i].tuple, reverse) == 0; i++) {
		if (info->state == TCPSTATE_SYN_SENT)
			scan->sockets[i].colliding = true;
		else
			w->marks[i] |= MARK_PEER;
	}
}

static bool can_be_drawn_again(const struct work *w, const struct sock_info *info)
{
	if (info->state != TCPSTATE_TIME_WAIT || !w->ephemeral)
		return false;
	return addr_is_loopback(&info->tuple.dst.addr) ? w->ephemeral->reuse_loopback
						       : w->ephemeral->reuse_always;
}

/* at: where the socket's peer stands, or would stand: beside others of its group. */
static int mark_taken(struct work *w, const struct sock_info *info, const struct tuple *reverse,
		      size_t at)
{
	const struct scan_socket *neighbour = NULL;
	void *taken = w->taken;

	if (at < w->scan->n_sockets && same_group(&w->scan->sockets[at].tuple, reverse))
		neighbour = &w->scan->sockets[at];
	else if (at > 0 && same_group(&w->scan->sockets[at - 1].tuple, reverse))
		neighbour = &w->scan->sockets[at - 1];
	if (!neighbour || can_be_drawn_again(w, info))
		return 0;
	if (!make_room(&taken, w->n_taken, &w->taken_room, sizeof(*w->taken)))
		return -ENOMEM;
	w->taken = taken;
	w->taken[w->n_taken++] = (struct scan_taken){neighbour->group, ntohs(info->tuple.src.port)};
	return 0;
}

static const struct endpoint *peer_of(const struct work *w, size_t rank)
{
	return &w->scan->sockets[w->by_peer[rank]].tuple.dst;
}

/* Marks the first of those with this peer; spread_marks() does the others. */
static void mark_elsewhere(struct work *w, const struct endpoint *peer)
{
	size_t first = 0, behind = w->scan->n_sockets;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (endpoint_compare(peer_of(w, middle), peer) < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	if (first < w->scan->n_sockets && endpoint_compare(peer_of(w, first), peer) == 0)
		w->marks[w->by_peer[first]] |= MARK_ELSEWHERE;
}

static void spread_marks(struct work *w)
{
	for (size_t i = 1; w->by_peer && i < w->scan->n_sockets; i++) {
		if (endpoint_compare(peer_of(w, i), peer_of(w, i - 1)) == 0)
			w->marks[w->by_peer[i]] |= w->marks[w->by_peer[i - 1]] & MARK_ELSEWHERE;
	}
}

static int keep_listening(struct work *w, const struct sock_info *info)
{
	void *listening = w->listening;

	if (!make_room(&listening, w->n_listening, &w->listening_room, sizeof(*w->listening)))
		return -ENOMEM;
	w->listening = listening;
	w->listening[w->n_listening++] = (struct scan_listening){
		.local = info->tuple.src,
		.inode = info->inode,
		.queued = info->rqueue,
		.backlog = info->wqueue,
	};
	return 0;
}

static int take_other(void *ctx, const struct sock_info *info)
{
	struct work *w = ctx;
	struct tuple reverse = tuple_reverse(&info->tuple);
	size_t at;

	if (info->state == TCPSTATE_LISTEN)
		return keep_listening(w, info);
	at = find(w->scan, &reverse);
	mark_peer(w, info, &reverse, at);
	if (w->by_peer && tcpstate_in(info->state, judge_peer_states(TCPSTATE_CLOSE_WAIT)))
		mark_elsewhere(w, &info->tuple.src);
	return mark_taken(w, info, &reverse, at);
}

static int compare_by_peer(const void *a, const void *b, void *arg)
{
	const struct scan_socket *sockets = arg;

	return endpoint_compare(&sockets[*(const uint32_t *)a].tuple.dst,
				&sockets[*(const uint32_t *)b].tuple.dst);
}

static int prepare_marks(struct work *w)
{
	size_t n = w->scan->n_sockets;

	w->marks = calloc(n + 1, sizeof(*w->marks));
	if (!w->marks)
		return -ENOMEM;
	if (!w->scan->tracks)
		return 0;
	w->by_peer = calloc(n + 1, sizeof(*w->by_peer));
	if (!w->by_peer)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		w->by_peer[i] = (uint32_t)i;
	qsort_r(w->by_peer, n, sizeof(*w->by_peer), compare_by_peer, w->scan->sockets);
	return 0;
}

/* A client may leak as well: then its sockets are in the same state, and take ports. */
static int take_own(struct work *w)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < w->scan->n_sockets; i++) {
		const struct sock_info info = {.tuple = w->scan->sockets[i].tuple,
					       .state = TCPSTATE_CLOSE_WAIT};

		err = take_other(w, &info);
	}
	return err;
}

static int walk_twice(struct work *w)
{
	bool changed = false, changed_again = false;
	int err = w->ops->walk(w->ctx, tcpstate_bit(TCPSTATE_CLOSE_WAIT), true, keep_socket, w,
			       &changed);

	if (err < 0)
		return err;
	order_sockets(w->scan);
	w->scan->tracks = w->ops->tracks_connections(w->ctx);
	err = prepare_marks(w);
	if (err == 0)
		err = w->ops->walk(w->ctx, OTHER_STATES, false, take_other, w, &changed_again);
	if (err == 0)
		err = take_own(w);
	w->scan->changed = changed || changed_again;
	return err;
}

/* --- judgement --------------------------------------------------------------------------------*/

static bool is_local(const struct work *w, const struct in6_addr *addr)
{
	return addr_is_loopback(addr) || w->ops->is_local(w->ctx, addr);
}

static void judge(struct work *w)
{
	const struct scan_socket *before = NULL;
	bool local = false;

	spread_marks(w);
	for (size_t i = 0; i < w->scan->n_sockets; i++) {
		struct scan_socket *s = &w->scan->sockets[i];

		if (!before || before->group != s->group)
			local = is_local(w, &s->tuple.dst.addr);
		before = s;
		if (w->marks[i] & MARK_PEER)
			s->kind = SCAN_HALF_CLOSED;
		else if (!local)
			s->kind = SCAN_REMOTE;
		else if (w->marks[i] & MARK_ELSEWHERE)
			s->kind = SCAN_UNCERTAIN;
		else
			s->kind = SCAN_MINE;
	}
}

/* --- holders ----------------------------------------------------------------------------------*/

/* An inode that is sought, and whose it is. */
struct sought {
	uint32_t inode;
	bool listens;
	uint32_t index;
};

struct seekers {
	struct work *work;
	struct sought *sought;
};

static int compare_sought(const void *a, const void *b)
{
	const struct sought *left = a, *right = b;

	return (left->inode > right->inode) - (left->inode < right->inode);
}

static void found_holder(void *ctx, size_t index, pid_t pid, int fd)
{
	const struct seekers *seekers = ctx;
	const struct sought *sought = &seekers->sought[index];

	if (sought->listens) {
		struct scan_listening *listening = &seekers->work->listening[sought->index];

		if (listening->pid == 0 || pid < listening->pid)
			listening->pid = pid;
	} else {
		struct scan_socket *s = &seekers->work->scan->sockets[sought->index];

		s->holders++;
		if (s->pid == 0 || pid < s->pid) {
			s->pid = pid;
			s->fd = fd;
		}
	}
}

static size_t fill_sought(const struct work *w, struct sought *sought)
{
	size_t n = 0;

	for (size_t i = 0; i < w->scan->n_sockets; i++) {
		if (w->scan->sockets[i].inode != 0)
			sought[n++] =
				(struct sought){w->scan->sockets[i].inode, false, (uint32_t)i};
	}
	for (size_t i = 0; i < w->n_listening; i++)
		sought[n++] = (struct sought){w->listening[i].inode, true, (uint32_t)i};
	qsort(sought, n, sizeof(*sought), compare_sought);
	return n;
}

static int find_holders(struct work *w)
{
	size_t room = w->scan->n_sockets + w->n_listening + 1;
	struct seekers seekers = {w, calloc(room, sizeof(struct sought))};
	uint32_t *inodes = calloc(room, sizeof(*inodes));
	int err = -ENOMEM;
	size_t n;

	if (seekers.sought && inodes) {
		n = fill_sought(w, seekers.sought);
		for (size_t i = 0; i < n; i++)
			inodes[i] = seekers.sought[i].inode;
		/* The sockets are worth telling without their holders too. */
		w->scan->owner_error =
			w->ops->owners(w->ctx, inodes, n, found_holder, &seekers, &w->scan->view);
		err = 0;
	}
	free(seekers.sought);
	free(inodes);
	return err;
}

static void attribute_unaccepted(struct scan *scan, const struct scan_surroundings *around)
{
	for (size_t i = 0; i < scan->n_sockets; i++) {
		struct scan_socket *s = &scan->sockets[i];
		const struct scan_listening *listening = NULL;

		if (s->inode == 0)
			listening = scangroup_listening(around, &s->tuple.src);
		if (listening)
			s->pid = listening->pid;
	}
}

/* --- the suspects once more -------------------------------------------------------------------*/

/* What the second look says; false: the socket is not in CLOSE_WAIT any more. */
static bool confirm(struct scan_socket *s, const struct diag_answer *peer,
		    const struct diag_answer *self)
{
	if (self->error == -ENOENT)
		return false;
	if (self->error == 0 && self->info.state != TCPSTATE_CLOSE_WAIT)
		return false;
	if (self->error < 0 || (peer->error < 0 && peer->error != -ENOENT))
		s->kind = SCAN_UNCERTAIN;
	else if (peer->error == 0 && peer->info.state == TCPSTATE_SYN_SENT)
		s->colliding = true;
	else if (peer->error == 0 && peer->info.state != TCPSTATE_LISTEN &&
		 peer->info.state != TCPSTATE_CLOSE)
		s->kind = SCAN_HALF_CLOSED;
	return true;
}

static void look_again(const struct work *w, struct scan_socket *const *suspects, size_t n,
		       bool *ret_there)
{
	struct diag_request requests[DIAG_BATCH_MAX] = {0};
	struct diag_answer answers[DIAG_BATCH_MAX];

	for (size_t i = 0; i < n; i++) {
		struct tuple self = suspects[i]->tuple;

		/* What is bound to an interface is found by no other. */
		if (suspects[i]->ifindex != 0)
			self.scope = suspects[i]->ifindex;
		requests[2 * i] =
			(struct diag_request){tuple_reverse(&self), DIAGMSG_ANY_SOCKET, false};
		requests[2 * i + 1] = (struct diag_request){self, suspects[i]->cookie, false};
	}
	w->ops->lookup(w->ctx, requests, 2 * n, answers);
	for (size_t i = 0; i < n; i++)
		ret_there[i] = confirm(suspects[i], &answers[2 * i], &answers[2 * i + 1]);
}

static void confirm_suspects(struct work *w)
{
	struct scan *scan = w->scan;
	size_t kept = 0;

	for (size_t i = 0; i < scan->n_sockets;) {
		struct scan_socket *suspects[SUSPECTS_AT_ONCE];
		bool there[SUSPECTS_AT_ONCE];
		size_t first = i, n = 0, answered = 0;

		for (; i < scan->n_sockets && n < SUSPECTS_AT_ONCE; i++) {
			if (scan->sockets[i].kind == SCAN_MINE)
				suspects[n++] = &scan->sockets[i];
		}
		if (n > 0)
			look_again(w, suspects, n, there);
		for (size_t j = first; j < i; j++) {
			bool suspect = answered < n && suspects[answered] == &scan->sockets[j];

			if (!suspect || there[answered])
				scan->sockets[kept++] = scan->sockets[j];
			answered += suspect;
		}
	}
	scan->n_sockets = kept;
}

int scan_run(const struct scan_ops *ops, void *ctx, const struct ephemeral *ephemeral,
	     struct scan **ret_scan)
{
	struct work w = {.ops = ops, .ctx = ctx, .ephemeral = ephemeral};
	int err = -ENOMEM;

	w.scan = calloc(1, sizeof(*w.scan));
	if (w.scan)
		err = walk_twice(&w);
	if (err == 0) {
		judge(&w);
		err = find_holders(&w);
	}
	if (err == 0) {
		struct scan_surroundings around = {w.listening, w.n_listening, w.taken, w.n_taken,
						   ephemeral};

		confirm_suspects(&w);
		attribute_unaccepted(w.scan, &around);
		err = scangroup_build(w.scan, ops, ctx, &around);
	}
	free(w.marks);
	free(w.by_peer);
	free(w.listening);
	free(w.taken);
	if (err < 0)
		scan_free(w.scan);
	else
		*ret_scan = w.scan;
	return err;
}

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	free(scan->listeners);
	free(scan->leakers);
	free(scan->clients);
	free(scan->sockets);
	free(scan);
}
