/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "model.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- chance --------------------------------------------------------------------------------- */

/* splitmix64: any seed will do, and a failing run is repeated from it. */
static uint64_t next_random(struct model *model)
{
	uint64_t z = model->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t model_random(struct model *model, uint32_t below)
{
	return (uint32_t)(next_random(model) >> 32) % below;
}

static bool chance(struct model *model, unsigned int permille)
{
	return permille > 0 && model_random(model, 1000) < permille;
}

enum tcpstate model_random_state(struct model *model)
{
	for (;;) {
		enum tcpstate state = (enum tcpstate)(1 + model_random(model, TCPSTATE_COUNT - 1));

		if (state != TCPSTATE_LISTEN)
			return state;
	}
}

/* --- the world ------------------------------------------------------------------------------ */

void model_init(struct model *model, uint64_t seed)
{
	memset(model, 0, sizeof(*model));
	model->random = seed;
	model->next_cookie = 1;
	model->now_us = 1000000;
}

void model_clear(struct model *model)
{
	memset(model->sockets, 0, model->n_slots * sizeof(model->sockets[0]));
	model->n_slots = 0;
}

struct sock_info *model_add(struct model *model, const struct tuple *tuple, enum tcpstate state)
{
	for (size_t i = 0; i < MODEL_SOCKETS; i++) {
		struct sock_info *socket = &model->sockets[i];

		if (socket->state != 0)
			continue;
		if (i == model->n_slots)
			model->n_slots++;
		*socket = (struct sock_info){
			.tuple = *tuple,
			.state = state,
			.cookie = model->next_cookie++,
			.cgroup_id = 1 + i % 3,
			.age_ms = 60000,
			.rqueue = 1,
			.inode = 1000 + (uint32_t)i,
			.uid = 33,
			.has_age = true,
		};
		return socket;
	}
	assert(!"the model's table of sockets is full");
	return NULL;
}

struct sock_info *model_listen(struct model *model, const struct endpoint *local, uint32_t backlog)
{
	const struct tuple tuple = {.src = *local};
	struct sock_info *socket = model_add(model, &tuple, TCPSTATE_LISTEN);

	socket->rqueue = 0;
	socket->wqueue = backlog;
	return socket;
}

void model_remove(struct sock_info *socket)
{
	memset(socket, 0, sizeof(*socket));
}

/* A socket without scope is bound to no interface and takes what comes in on any. */
static bool scope_fits(const struct sock_info *socket, uint32_t scope)
{
	return socket->tuple.scope == 0 || socket->tuple.scope == scope;
}

struct sock_info *model_find(struct model *model, const struct tuple *tuple)
{
	for (size_t i = 0; i < model->n_slots; i++) {
		struct sock_info *socket = &model->sockets[i];

		if (socket->state != 0 && socket->state != TCPSTATE_LISTEN &&
		    socket->state != TCPSTATE_CLOSE && scope_fits(socket, tuple->scope) &&
		    endpoint_equal(&socket->tuple.src, &tuple->src) &&
		    endpoint_equal(&socket->tuple.dst, &tuple->dst))
			return socket;
	}
	return NULL;
}

static bool listens_on(const struct sock_info *socket, const struct endpoint *local)
{
	const struct in6_addr any_v4 = addr_from_v4(htonl(INADDR_ANY));
	const struct in6_addr *addr = &socket->tuple.src.addr;

	if (socket->tuple.src.port != local->port)
		return false;
	return addr_equal(addr, &local->addr) || addr_equal(addr, &in6addr_any) ||
	       (addr_equal(addr, &any_v4) && addr_is_v4(&local->addr));
}

static struct sock_info *find_listener(struct model *model, const struct tuple *tuple)
{
	for (size_t i = 0; i < model->n_slots; i++) {
		struct sock_info *socket = &model->sockets[i];

		if (socket->state == TCPSTATE_LISTEN && scope_fits(socket, tuple->scope) &&
		    listens_on(socket, &tuple->src))
			return socket;
	}
	return NULL;
}

static struct sock_info *kernel_finds(struct model *model, const struct tuple *tuple,
				      uint64_t cookie)
{
	struct sock_info *socket = model_find(model, tuple);

	if (!socket)
		socket = find_listener(model, tuple);
	if (socket && cookie != DIAGMSG_ANY_SOCKET && cookie != socket->cookie)
		return NULL;
	return socket;
}

int model_answer(struct model *model, const struct diag_request *request,
		 struct sock_info *ret_info)
{
	const struct sock_info *socket = kernel_finds(model, &request->socket, request->cookie);

	if (!socket)
		return -ENOENT;
	*ret_info = *socket;
	if (!request->details) {
		ret_info->has_age = false;
		ret_info->age_ms = 0;
	}
	return 0;
}

int model_kill(struct model *model, const struct tuple *tuple, uint64_t cookie,
	       struct sock_info *ret_victim)
{
	struct sock_info *socket = kernel_finds(model, tuple, cookie);

	if (!socket)
		return -ENOENT;
	*ret_victim = *socket;
	model_remove(socket);
	return 0;
}

void model_own_address(struct model *model, const struct in6_addr *addr, uint32_t ifindex)
{
	assert(model->n_locals < MODEL_LOCALS);
	model->locals[model->n_locals].addr = *addr;
	model->local_ifindex[model->n_locals++] = ifindex;
}

bool model_owns(const struct model *model, const struct in6_addr *addr)
{
	for (size_t i = 0; i < model->n_locals; i++) {
		if (addr_equal(&model->locals[i].addr, addr))
			return true;
	}
	return addr_is_loopback(addr);
}

static uint32_t interface_of(const struct model *model, const struct in6_addr *addr)
{
	for (size_t i = 0; i < model->n_locals && !model->interface_lost; i++) {
		if (addr_equal(&model->locals[i].addr, addr))
			return model->local_ifindex[i];
	}
	return 0;
}

/* Sockets that are bound and no more: asked for as a state of their own, told as CLOSE (6.8). */
#define BOUND_INACTIVE ((tcpstate_set)1 << 13)

/* The sockets in one of states on a local endpoint; the first of them, if any. */
static size_t count_on(const struct model *model, const struct endpoint *local, tcpstate_set states,
		       struct sock_info *ret_first)
{
	size_t count = 0;

	for (size_t i = 0; i < model->n_slots; i++) {
		const struct sock_info *socket = &model->sockets[i];

		tcpstate_set state = socket->state == TCPSTATE_CLOSE ? BOUND_INACTIVE
								     : tcpstate_bit(socket->state);

		if (socket->state == 0 || !(state & states) ||
		    !endpoint_equal(&socket->tuple.src, local))
			continue;
		if (count++ == 0)
			*ret_first = *socket;
	}
	return count;
}

/* --- what goes wrong ------------------------------------------------------------------------ */

void model_fail(struct model *model, enum model_call call, size_t nth, size_t index, int error)
{
	assert(model->n_faults < MODEL_FAULTS);
	model->faults[model->n_faults++] = (struct model_fault){call, nth, index, error};
}

static int planned_fault(const struct model *model, enum model_call call, size_t index)
{
	for (size_t i = 0; i < model->n_faults; i++) {
		const struct model_fault *f = &model->faults[i];

		if (f->call == call &&
		    (f->nth == MODEL_ALWAYS || f->nth + 1 == model->calls[call]) &&
		    (f->index == MODEL_ALWAYS || f->index == index))
			return f->error;
	}
	return 0;
}

static int fault(struct model *model, enum model_call call, size_t index)
{
	static const int errors[] = {-ETIMEDOUT, -EBADMSG, -ENOBUFS, -EPERM,  -EBUSY,
				     -EINTR,	 -ENOMEM,  -EAGAIN,  -EINVAL, -ECONNREFUSED};
	int error = planned_fault(model, call, index);

	if (error == 0 && chance(model, model->fault_permille))
		error = errors[model_random(model, sizeof(errors) / sizeof(errors[0]))];
	return error;
}

/* Something happens to a socket of one of the batch's SYNs. */
static void change_world(struct model *model)
{
	const struct mitigate_syn *syn = &model->syns[model_random(model, (uint32_t)model->n_syns)];
	bool client = model_random(model, 2);
	struct tuple tuple = client ? syn->tuple : tuple_reverse(&syn->tuple);
	struct sock_info *socket = model_find(model, &tuple);

	switch (model_random(model, 5)) {
	case 0: /* vanishes; what is left is the listener, where there is one */
		if (socket)
			model_remove(socket);
		break;
	case 1: /* another socket is on the tuple */
		if (socket)
			model_remove(socket);
		model_add(model, &tuple, model_random_state(model));
		break;
	case 2: /* moves on */
		if (socket)
			socket->state = model_random_state(model);
		break;
	case 3: /* the handshake is completed elsewhere */
		if (socket && client)
			socket->state = TCPSTATE_ESTABLISHED;
		break;
	case 4: /* gives way to a listener on its very address */
		if (socket)
			model_remove(socket);
		if (!find_listener(model, &tuple))
			model_listen(model, &tuple.src, 128);
		break;
	}
}

/* --- the calls ------------------------------------------------------------------------------ */

static void breach(struct model *model, const char *rule)
{
	if (!model->breach)
		model->breach = rule;
}

static void enter(struct model *model, enum model_call call)
{
	if (call == MODEL_REPORT && model->calls[MODEL_VERDICTS] == 0)
		breach(model, "an incident was reported before the verdicts");
	if (call != MODEL_REPORT && model->calls[MODEL_VERDICTS] > 0)
		breach(model, "the kernel was called after the verdicts");
	if (model->before)
		model->before(model, call, model->calls[call]);
	if (model->n_syns > 0 && chance(model, model->change_permille))
		change_world(model);
	model->calls[call]++;
	model->now_us += model->latency_us[call];
}

static void op_lookup(void *ctx, const struct diag_request *requests, size_t n,
		      struct diag_answer *ret_answers)
{
	struct model *model = ctx;

	enter(model, MODEL_LOOKUP);
	for (size_t i = 0; i < n; i++) {
		struct model_lookup *log = &model->lookups[model->n_lookups];
		struct diag_answer *answer = &ret_answers[i];

		/* Nothing of an answer may be used unless it says that it is one. */
		memset(&answer->info, 0x5a, sizeof(answer->info));
		answer->error = fault(model, MODEL_LOOKUP, i);
		if (answer->error == 0)
			answer->error = model_answer(model, &requests[i], &answer->info);
		if (model->n_lookups == sizeof(model->lookups) / sizeof(model->lookups[0])) {
			breach(model, "more look-ups than three for each SYN");
			continue;
		}
		log->request = requests[i];
		log->answer = *answer;
		model->n_lookups++;
	}
}

static void op_destroy(void *ctx, const struct diag_request *requests, size_t n, int *ret_errors)
{
	struct model *model = ctx;

	enter(model, MODEL_DESTROY);
	for (size_t i = 0; i < n; i++) {
		struct model_destroy log = {.request = requests[i]};

		log.error = fault(model, MODEL_DESTROY, i);
		if (log.error == 0)
			log.error = model_kill(model, &requests[i].socket, requests[i].cookie,
					       &log.victim);
		ret_errors[i] = log.error;
		if (model->n_destroys == QUEUE_BATCH_MAX)
			breach(model, "more destroys than SYNs");
		else
			model->destroys[model->n_destroys++] = log;
	}
}

static int op_sockets_on(void *ctx, const struct endpoint *local, tcpstate_set states,
			 struct sock_info *ret_infos, size_t max, size_t *ret_count)
{
	struct model *model = ctx;
	struct model_dump log = {.local = *local};

	enter(model, MODEL_SOCKETS_ON);
	log.error = fault(model, MODEL_SOCKETS_ON, 0);
	if (log.error == 0) {
		log.count = count_on(model, local, states, &log.first);
		if (log.count > 0 && max > 0)
			ret_infos[0] = log.first;
		*ret_count = log.count;
	}
	if (model->n_dumps == QUEUE_BATCH_MAX)
		breach(model, "more dumps than SYNs");
	else
		model->dumps[model->n_dumps++] = log;
	return log.error;
}

static bool op_destroys_closed(void *ctx)
{
	const struct model *model = ctx;

	return !model->spoils_closed;
}

static bool op_tracks_connections(void *ctx)
{
	const struct model *model = ctx;

	return model->tracks;
}

static size_t count_tuple(const struct tuple *tuples, size_t n, const struct tuple *tuple)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += tuple_equal(&tuples[i], tuple);
	return count;
}

static struct track_entry op_entry(void *ctx, const struct tuple *syn)
{
	struct model *model = ctx;

	if (!model->tracks)
		breach(model, "tracked connections were asked for where none are");
	if (model->n_destroys > 0)
		breach(model, "an entry was asked for after the destroys");
	if (model->entry == TRACK_NONE ||
	    count_tuple(model->forgotten, model->n_forgotten, syn) > 0)
		return (struct track_entry){.kind = TRACK_NONE};
	if (model->n_entries == QUEUE_BATCH_MAX)
		breach(model, "more entries than SYNs");
	else
		model->entries[model->n_entries++] = *syn;
	return (struct track_entry){.kind = model->entry};
}

static void op_forget(void *ctx, const struct tuple *syn, const struct track_entry *entry)
{
	struct model *model = ctx;

	if (model->calls[MODEL_VERDICTS] > 0)
		breach(model, "an entry was forgotten after the verdicts");
	if (entry->kind == TRACK_NONE || entry->kind != model->entry)
		breach(model, "an entry was taken for another");
	if ((entry->kind == TRACK_OLD) != (model->n_destroys > 0))
		breach(model, "the SYN's entry was forgotten too late, or an old one too early");
	if (model->n_forgotten == QUEUE_BATCH_MAX)
		breach(model, "more entries were forgotten than there are SYNs");
	else
		model->forgotten[model->n_forgotten++] = *syn;
}

static bool op_is_local(void *ctx, const struct in6_addr *addr)
{
	struct model *model = ctx;

	enter(model, MODEL_IS_LOCAL);
	return fault(model, MODEL_IS_LOCAL, 0) == 0 && model_owns(model, addr);
}

static uint32_t op_interface(void *ctx, const struct in6_addr *addr)
{
	struct model *model = ctx;

	enter(model, MODEL_INTERFACE);
	if (planned_fault(model, MODEL_INTERFACE, 0) < 0)
		model->interface_lost = true;
	return interface_of(model, addr);
}

static const char *unit_of(uint64_t cgroup_id)
{
	static const char *const units[] = {NULL, "one.service", "two.service", "three.service"};

	return cgroup_id < sizeof(units) / sizeof(units[0]) ? units[cgroup_id] : NULL;
}

static const char *op_unit(void *ctx, uint64_t cgroup_id)
{
	struct model *model = ctx;

	enter(model, MODEL_UNIT);
	return fault(model, MODEL_UNIT, 0) < 0 ? POLICY_UNIT_IN_DOUBT : unit_of(cgroup_id);
}

static int op_verdicts(void *ctx, const struct verdict *verdicts, size_t n)
{
	struct model *model = ctx;

	enter(model, MODEL_VERDICTS);
	if (n > QUEUE_BATCH_MAX) {
		breach(model, "more verdicts than a batch can hold");
		return -EINVAL;
	}
	memcpy(model->verdicts, verdicts, n * sizeof(*verdicts));
	model->n_verdicts = n;
	model->verdicts_error = fault(model, MODEL_VERDICTS, 0);
	return model->verdicts_error;
}

static void op_report(void *ctx, const struct incident *incident)
{
	struct model *model = ctx;

	enter(model, MODEL_REPORT);
	if (model->n_incidents == QUEUE_BATCH_MAX)
		breach(model, "more incidents than SYNs");
	else
		model->incidents[model->n_incidents++] = *incident;
}

static uint64_t op_monotonic_us(void *ctx)
{
	const struct model *model = ctx;

	return model->now_us;
}

const struct mitigate_ops model_ops = {
	.lookup = op_lookup,
	.destroy = op_destroy,
	.sockets_on = op_sockets_on,
	.is_local = op_is_local,
	.interface = op_interface,
	.destroys_closed = op_destroys_closed,
	.tracks_connections = op_tracks_connections,
	.entry = op_entry,
	.forget = op_forget,
	.unit = op_unit,
	.verdicts = op_verdicts,
	.report = op_report,
	.monotonic_us = op_monotonic_us,
};

static void put_word(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

const uint8_t *model_packet(struct model *model, size_t i, const struct tuple *tuple)
{
	bool v4 = addr_is_v4(&tuple->src.addr);
	size_t addr_len = v4 ? 4 : 16, skip = 16 - addr_len;
	uint8_t *ip = model->packets[i], *src = ip + (v4 ? 12 : 8), *tcp = ip + (v4 ? 20 : 40);
	const uint8_t seq[] = {0x12, 0x34, 0x56, 0x78};

	memset(ip, 0, MODEL_PACKET_SIZE);
	ip[0] = v4 ? 0x45 : 0x60;
	if (v4)
		put_word(ip + 2, 20 + 20);
	else
		put_word(ip + 4, 20);
	memcpy(src, tuple->src.addr.s6_addr + skip, addr_len);
	memcpy(src + addr_len, tuple->dst.addr.s6_addr + skip, addr_len);
	memcpy(tcp, &tuple->src.port, 2);
	memcpy(tcp + 2, &tuple->dst.port, 2);
	memcpy(tcp + 4, seq, sizeof(seq));
	tcp[12] = 0x50;
	tcp[13] = 0x02;
	return ip;
}

void model_begin(struct model *model, const struct mitigate_settings *settings,
		 const struct mitigate_syn *syns, size_t n)
{
	model->settings = *settings;
	model->syns = syns;
	model->n_syns = n;
	memset(model->calls, 0, sizeof(model->calls));
	model->n_lookups = 0;
	model->n_destroys = 0;
	model->n_dumps = 0;
	model->n_entries = 0;
	model->n_forgotten = 0;
	model->n_verdicts = 0;
	model->n_incidents = 0;
	model->verdicts_error = 0;
	model->interface_lost = chance(model, model->fault_permille);
	model->breach = NULL;
}

/* --- the judge ------------------------------------------------------------------------------ */

static bool stale(const struct model *model, enum tcpstate state)
{
	return state < TCPSTATE_COUNT && tcpstate_can_be_stale(state) &&
	       tcpstate_in(state, model->settings.policy->stale);
}

/* The tuple that a SYN's look-ups must name: with the interface of a link-local address. */
static struct tuple scoped(const struct model *model, const struct mitigate_syn *syn)
{
	struct tuple tuple = syn->tuple;

	if (addr_is_linklocal(&tuple.dst.addr))
		tuple.scope = interface_of(model, &tuple.dst.addr);
	else if (addr_is_linklocal(&tuple.src.addr))
		tuple.scope = interface_of(model, &tuple.src.addr);
	return tuple;
}

static bool judged(const struct mitigate_syn *syn)
{
	return syn->loopback && packet_is_syn(syn->kind);
}

/* Whether an answer of this batch shows the SYN's sender in SYN_SENT. */
static bool proven(const struct model *model, const struct tuple *syn)
{
	for (size_t i = 0; i < model->n_lookups; i++) {
		const struct model_lookup *log = &model->lookups[i];

		if (log->answer.error == 0 && log->answer.info.state == TCPSTATE_SYN_SENT &&
		    tuple_equal(&log->request.socket, syn))
			return true;
	}
	for (size_t i = 0; i < model->n_dumps; i++) {
		const struct model_dump *log = &model->dumps[i];

		if (log->error == 0 && log->count == 1 && log->first.state == TCPSTATE_SYN_SENT &&
		    endpoint_equal(&log->local, &syn->src))
			return true;
	}
	return false;
}

static enum action decided(const struct model *model, const struct tuple *syn,
			   const struct sock_info *occupant)
{
	const struct policy_occupant known = {
		.local = syn->dst,
		.uid = occupant->inode != 0 ? occupant->uid : POLICY_NO_UID,
		.unit = unit_of(occupant->cgroup_id),
		.age_ms = occupant->age_ms,
		.unread = sock_info_unread(occupant),
	};

	return policy_decide(model->settings.policy, &known).action;
}

/*
 * Whether the answers of this batch allow an action against a SYN: the stale occupant's details,
 * its cookie if one is named, the claimant's proof, a source of this host, and enforce mode.
 */
static bool allowed(const struct model *model, const struct tuple *syn, enum action action,
		    const uint64_t *cookie)
{
	struct tuple occupant = tuple_reverse(syn);

	if (model->settings.mode != MODE_ENFORCE || !model_owns(model, &syn->src.addr) ||
	    !proven(model, syn))
		return false;
	for (size_t i = 0; i < model->n_lookups; i++) {
		const struct model_lookup *log = &model->lookups[i];

		if (log->answer.error == 0 && log->request.details &&
		    tuple_equal(&log->request.socket, &occupant) &&
		    stale(model, log->answer.info.state) &&
		    (!cookie || *cookie == log->answer.info.cookie) &&
		    decided(model, syn, &log->answer.info) == action)
			return true;
	}
	return false;
}

static bool is_closed(const struct sock_info *socket)
{
	return socket->inode == 0 &&
	       (socket->state == TCPSTATE_FIN_WAIT_1 || socket->state == TCPSTATE_FIN_WAIT_2 ||
		socket->state == TCPSTATE_CLOSING || socket->state == TCPSTATE_LAST_ACK);
}

/* As far as the last look at it could tell. */
static bool was_closed(const struct model *model, const struct diag_request *destroy)
{
	for (size_t i = model->n_lookups; i > 0; i--) {
		const struct model_lookup *log = &model->lookups[i - 1];

		if (log->answer.error == 0 && log->request.details &&
		    log->answer.info.cookie == destroy->cookie &&
		    tuple_equal(&log->request.socket, &destroy->socket))
			return is_closed(&log->answer.info);
	}
	return false;
}

static const char *check_destroys(const struct model *model)
{
	for (size_t i = 0; i < model->n_destroys; i++) {
		const struct model_destroy *log = &model->destroys[i];
		struct tuple syn = tuple_reverse(&log->request.socket);
		size_t meant = 0, destroys = 0;

		if (log->request.cookie == DIAGMSG_ANY_SOCKET || log->request.cookie == 0)
			return "a destroy named no cookie";
		if (log->error == 0 && log->victim.state == TCPSTATE_LISTEN)
			return "a listener was destroyed";
		if (model->spoils_closed && was_closed(model, &log->request))
			return "a closed socket was left for ever";
		if (!allowed(model, &syn, ACTION_DESTROY, &log->request.cookie))
			return "a socket was destroyed without leave";
		for (size_t k = 0; k < model->n_syns; k++) {
			struct tuple tuple = scoped(model, &model->syns[k]);

			meant += judged(&model->syns[k]) && tuple_equal(&tuple, &syn);
		}
		for (size_t k = 0; k < model->n_destroys; k++)
			destroys += tuple_equal(&model->destroys[k].request.socket,
						&log->request.socket);
		if (destroys > meant)
			return "more destroys on a tuple than SYNs to it";
	}
	return NULL;
}

static size_t count_destroys(const struct model *model, const struct tuple *syn, bool only_ends)
{
	struct tuple occupant = tuple_reverse(syn);
	size_t count = 0;

	for (size_t i = 0; i < model->n_destroys; i++) {
		int error = model->destroys[i].error;

		if (tuple_equal(&model->destroys[i].request.socket, &occupant))
			count += !only_ends || error == 0 || error == -ENOENT;
	}
	return count;
}

/*
 * What may belong to a connection that lives is never touched: an old entry only goes with what has
 * come to its end, and one that a SYN has made with what is to.
 */
static const char *check_forgotten(const struct model *model)
{
	for (size_t i = 0; i < model->n_forgotten; i++) {
		const struct tuple *syn = &model->forgotten[i];

		if (count_tuple(model->entries, model->n_entries, syn) == 0)
			return "an entry was forgotten that was not there";
		if (count_tuple(model->forgotten, model->n_forgotten, syn) >
		    count_destroys(model, syn, model->entry == TRACK_OLD))
			return "more entries were forgotten than connections ended";
	}
	return NULL;
}

/* A SYN whose occupant was ended has to come again if it had an entry. */
static bool comes_again(const struct model *model, const struct tuple *syn)
{
	return count_tuple(model->entries, model->n_entries, syn) > 0 &&
	       count_destroys(model, syn, true) > 0;
}

/* A reset without options, from where the sender wanted to go, that acknowledges this of its SYN. */
static bool resets(const struct verdict *verdict, const struct tuple *syn,
		   const struct endpoint *from, uint8_t acknowledged)
{
	bool v4 = addr_is_v4(&syn->src.addr);
	size_t ip_len = v4 ? 20 : 40, addr_len = v4 ? 4 : 16;
	const uint8_t *ip = verdict->answer, *src = ip + (v4 ? 12 : 8), *tcp = ip + ip_len;
	const uint8_t ack[] = {0x12, 0x34, 0x56, 0x78 + acknowledged};

	return verdict->answer_len == ip_len + 20 &&
	       memcmp(src, from->addr.s6_addr + 16 - addr_len, addr_len) == 0 &&
	       memcmp(src + addr_len, syn->src.addr.s6_addr + 16 - addr_len, addr_len) == 0 &&
	       memcmp(tcp, &from->port, 2) == 0 && memcmp(tcp + 2, &syn->src.port, 2) == 0 &&
	       memcmp(tcp + 8, ack, sizeof(ack)) == 0 && tcp[12] == 0x50 && tcp[13] == 0x14;
}

/*
 * Whether the answer goes to a sender that proves the collision, by its own idea of it. Of two SYNs on
 * one tuple in a batch each may have met another world.
 */
static bool resets_claimant(const struct model *model, const struct tuple *syn,
			    const struct verdict *verdict, uint8_t acknowledged)
{
	for (size_t i = 0; i < model->n_lookups; i++) {
		const struct model_lookup *log = &model->lookups[i];

		if (log->answer.error == 0 && log->answer.info.state == TCPSTATE_SYN_SENT &&
		    tuple_equal(&log->request.socket, syn) &&
		    resets(verdict, syn, &syn->dst, acknowledged))
			return true;
	}
	for (size_t i = 0; i < model->n_dumps; i++) {
		const struct model_dump *log = &model->dumps[i];

		if (log->error == 0 && log->count == 1 && endpoint_equal(&log->local, &syn->src) &&
		    resets(verdict, syn, &log->first.tuple.dst, acknowledged))
			return true;
	}
	return false;
}

static const char *check_verdicts(const struct model *model)
{
	if (model->calls[MODEL_VERDICTS] != 1)
		return "the batch did not get its verdicts in one call";
	if (model->n_verdicts != model->n_syns)
		return "not every packet got its verdict";
	for (size_t i = 0; i < model->n_syns; i++) {
		const struct mitigate_syn *syn = &model->syns[i];
		const struct verdict *verdict = &model->verdicts[i];
		uint32_t mark = verdict->set_mark ? verdict->mark : syn->mark;
		uint32_t plain = syn->mark & ~model->settings.clear_mark;
		struct tuple tuple = scoped(model, syn);

		if (verdict->id != syn->id)
			return "a verdict is out of order";
		if (verdict->drop && (!judged(syn) || !allowed(model, &tuple, ACTION_DROP, NULL)))
			return "a packet was dropped without leave";
		if (mark != plain)
			return "the mark is not what came, without our bits";
		if (!verdict->answer)
			continue;
		if (verdict->drop || !judged(syn))
			return "a packet was answered that is no SYN, or is dropped";
		if (comes_again(model, &tuple) && resets_claimant(model, &tuple, verdict, 0))
			continue;
		if (!allowed(model, &tuple, ACTION_REJECT, NULL))
			return "a packet was rejected without leave";
		if (!resets_claimant(model, &tuple, verdict, 1))
			return "a SYN was not answered with its claimant's reset";
	}
	return NULL;
}

/* What was asked must belong to a SYN that is judged, and the second look to the first. */
static const char *check_lookups(const struct model *model)
{
	for (size_t i = 0; i < model->n_lookups; i++) {
		const struct diag_request *request = &model->lookups[i].request;
		struct tuple reverse = tuple_reverse(&request->socket);
		bool meant = false, seen = request->cookie == DIAGMSG_ANY_SOCKET;

		for (size_t k = 0; k < model->n_syns && !meant; k++) {
			struct tuple syn = scoped(model, &model->syns[k]);

			meant = judged(&model->syns[k]) && (tuple_equal(&syn, &request->socket) ||
							    tuple_equal(&syn, &reverse));
		}
		if (!meant)
			return "a look-up belongs to no SYN of the batch";
		for (size_t k = 0; k < i && !seen; k++)
			seen = model->lookups[k].answer.error == 0 &&
			       model->lookups[k].answer.info.cookie == request->cookie;
		if (!seen)
			return "a look-up names a cookie that no answer had";
	}
	return NULL;
}

static const char *check_incidents(const struct model *model)
{
	for (size_t i = 0; i < model->n_incidents; i++) {
		const struct incident *incident = &model->incidents[i];

		if (!incident_is_told(incident->finding))
			return "an incident that is not worth telling";
		if (incident->finding != FINDING_COLLISION &&
		    (incident->proof != PROOF_NONE || incident->result != RESULT_LOGGED))
			return "an incident without collision has a proof or a result";
		if (incident->finding == FINDING_COLLISION &&
		    (incident->proof == PROOF_NONE || !incident->has_occupant ||
		     !incident->has_claimant || !stale(model, incident->occupant.state)))
			return "a collision without proof, occupant or claimant";
		if (model->verdicts_error < 0 &&
		    (incident->error == 0 || incident->result == RESULT_DROPPED ||
		     incident->result == RESULT_REJECTED))
			return "a verdict that was not taken, told as if it were";
		if (model->verdicts_error == 0 &&
		    (incident->finding == FINDING_LOOKUP_FAILED) !=
			    (incident->error != 0 && incident->result != RESULT_FAILED))
			return "an error where nothing failed, or none where something did";
	}
	return NULL;
}

const char *model_check_invariants(const struct model *model)
{
	const char *wrong = model->breach;

	if (!wrong)
		wrong = check_verdicts(model);
	if (!wrong)
		wrong = check_destroys(model);
	if (!wrong)
		wrong = check_forgotten(model);
	if (!wrong)
		wrong = check_lookups(model);
	if (!wrong)
		wrong = check_incidents(model);
	return wrong;
}

/* Whether a socket on the source can be the living peer of an occupant in this state. */
static bool other_peer(struct model *model, const struct endpoint *source, enum tcpstate occupant)
{
	/* RFC 9293, 3.3.2: who has sent a FIN and not got ours yet; before that, anybody connected. */
	const tcpstate_set closing = tcpstate_bit(TCPSTATE_FIN_WAIT_1) |
				     tcpstate_bit(TCPSTATE_FIN_WAIT_2) |
				     tcpstate_bit(TCPSTATE_CLOSING);
	const tcpstate_set any =
		~(tcpstate_bit(TCPSTATE_LISTEN) | tcpstate_bit(TCPSTATE_SYN_SENT) | BOUND_INACTIVE);
	bool has_fin = occupant == TCPSTATE_CLOSE_WAIT || occupant == TCPSTATE_LAST_ACK ||
		       occupant == TCPSTATE_CLOSING;
	struct sock_info first;

	return count_on(model, source, has_fin ? closing : any, &first) > 0;
}

static enum finding expect_stale(struct model *model, const struct tuple *tuple,
				 enum tcpstate occupant)
{
	const tcpstate_set connected = ~(tcpstate_bit(TCPSTATE_LISTEN) | BOUND_INACTIVE);
	const struct sock_info *claimant = model_find(model, tuple);
	struct sock_info only;

	if (!model_owns(model, &tuple->src.addr))
		return FINDING_FOREIGN_SOURCE;
	if (claimant && claimant->state != TCPSTATE_SYN_SENT)
		return FINDING_DUPLICATE_SYN;
	if (claimant)
		return model->tracks && other_peer(model, &tuple->src, occupant)
			       ? FINDING_UNPROVEN
			       : FINDING_COLLISION;
	if (count_on(model, &tuple->src, connected, &only) == 1 && only.state == TCPSTATE_SYN_SENT)
		return FINDING_COLLISION;
	return FINDING_UNPROVEN;
}

enum finding model_expect(struct model *model, const struct mitigate_syn *syn)
{
	struct tuple tuple = scoped(model, syn);
	struct tuple reverse = tuple_reverse(&tuple);
	const struct sock_info *occupant;

	if (!judged(syn))
		return FINDING_NOT_JUDGED;
	occupant = kernel_finds(model, &reverse, DIAGMSG_ANY_SOCKET);
	if (!occupant)
		return FINDING_NO_LISTENER;
	if (occupant->state == TCPSTATE_LISTEN)
		return occupant->rqueue > occupant->wqueue ? FINDING_ACCEPT_QUEUE_FULL
							   : FINDING_LISTENER;
	return stale(model, occupant->state) ? expect_stale(model, &tuple, occupant->state)
					     : FINDING_NOT_STALE;
}
