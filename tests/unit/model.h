/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model: a kernel made of a table of sockets, behind struct mitigate_ops.
 *
 * It answers as the kernel does: the connection on the tuple, else the listener that a SYN would
 * reach; ENOENT for a cookie that does not fit; a destroy without a cookie takes whatever the
 * look-up finds, the listener too. It can fail and change between two calls, writes down what it
 * was asked, and judges afterwards whether what was done was allowed. Everything random comes from
 * one seed.
 */
#ifndef CW_TEST_MODEL_H
#define CW_TEST_MODEL_H

#include "mitigate.h"

#define MODEL_SOCKETS 512
#define MODEL_LOCALS  8
#define MODEL_FAULTS  4
#define MODEL_ALWAYS  SIZE_MAX
/* An IPv6 and a TCP header. */
#define MODEL_PACKET_SIZE (40 + 20)

enum model_call {
	MODEL_LOOKUP,
	MODEL_DESTROY,
	MODEL_SOCKETS_ON,
	MODEL_IS_LOCAL,
	MODEL_INTERFACE,
	MODEL_UNIT,
	MODEL_VERDICTS,
	MODEL_REPORT,
	MODEL_CALLS
};

/* The nth call of its kind in a batch (0 is the first) fails, or one request of it does. */
struct model_fault {
	enum model_call call;
	size_t nth;   /* or MODEL_ALWAYS */
	size_t index; /* of the request in the call, or MODEL_ALWAYS */
	int error;
};

struct model_lookup {
	struct diag_request request;
	struct diag_answer answer;
};

struct model_destroy {
	struct diag_request request;
	int error;
	struct sock_info victim; /* only if error is 0 */
};

struct model_dump {
	struct endpoint local;
	int error;
	size_t count;
	struct sock_info first; /* only if count is not 0 */
};

struct model {
	/* The world; tests change it as they like. A socket without state is a free slot. */
	struct sock_info sockets[MODEL_SOCKETS];
	size_t n_slots; /* that were ever in use */
	uint64_t next_cookie;
	struct endpoint locals[MODEL_LOCALS]; /* own addresses that are not loopback */
	uint32_t local_ifindex[MODEL_LOCALS];
	size_t n_locals;
	bool spoils_closed;    /* a destroy would leave a closed socket for ever */
	bool tracks;	       /* connection tracking is at work */
	enum track_kind entry; /* it has this for every SYN */
	uint64_t now_us;
	uint64_t latency_us[MODEL_CALLS]; /* what one call of a kind takes */

	/* What goes wrong. */
	struct model_fault faults[MODEL_FAULTS];
	size_t n_faults;
	unsigned int fault_permille;  /* of the answers fail at random */
	unsigned int change_permille; /* of the calls find a world that has just changed */
	/* Called before each call of a kind, nth in this batch. */
	void (*before)(struct model *model, enum model_call call, size_t nth);
	uint64_t random;

	/* The batch in hand, and what was asked and done for it. */
	uint8_t packets[QUEUE_BATCH_MAX][MODEL_PACKET_SIZE];
	struct mitigate_settings settings;
	const struct mitigate_syn *syns;
	size_t n_syns;
	size_t calls[MODEL_CALLS];
	struct model_lookup lookups[3 * QUEUE_BATCH_MAX];
	size_t n_lookups;
	struct model_destroy destroys[QUEUE_BATCH_MAX];
	size_t n_destroys;
	struct model_dump dumps[QUEUE_BATCH_MAX];
	size_t n_dumps;
	struct tuple entries[QUEUE_BATCH_MAX]; /* that there were, before the destroys */
	size_t n_entries;
	struct tuple forgotten[QUEUE_BATCH_MAX]; /* before the destroys or after them */
	size_t n_forgotten;
	struct verdict verdicts[QUEUE_BATCH_MAX];
	size_t n_verdicts;
	int verdicts_error; /* they were not taken */
	struct incident incidents[QUEUE_BATCH_MAX];
	size_t n_incidents;
	bool interface_lost; /* nobody owns a link-local address, as far as one is told */
	const char *breach;  /* the first rule that was broken, seen at once */
};

extern const struct mitigate_ops model_ops; /* ctx is the struct model */

void model_init(struct model *model, uint64_t seed);
/* No sockets. */
void model_clear(struct model *model);
/* The bytes of the batch's ith SYN: headers without options, as much of them as its answer needs. */
const uint8_t *model_packet(struct model *model, size_t i, const struct tuple *tuple);
/* Forgets the last batch; the world stays. settings and syns must outlive the batch. */
void model_begin(struct model *model, const struct mitigate_settings *settings,
		 const struct mitigate_syn *syns, size_t n);
/* NULL, or what is wrong with what was done for the batch. */
const char *model_check_invariants(const struct model *model);
/* What the decision table says about a SYN in the world as it is, if nothing fails. */
enum finding model_expect(struct model *model, const struct mitigate_syn *syn);

/* A new socket with a cookie of its own; the tuple is seen from the socket. */
struct sock_info *model_add(struct model *model, const struct tuple *tuple, enum tcpstate state);
struct sock_info *model_listen(struct model *model, const struct endpoint *local, uint32_t backlog);
/* The connection on exactly this tuple, NULL if none. */
struct sock_info *model_find(struct model *model, const struct tuple *tuple);
void model_remove(struct sock_info *socket);
void model_own_address(struct model *model, const struct in6_addr *addr, uint32_t ifindex);
bool model_owns(const struct model *model, const struct in6_addr *addr);
void model_fail(struct model *model, enum model_call call, size_t nth, size_t index, int error);

/* From 0 to below - 1. */
uint32_t model_random(struct model *model, uint32_t below);
/* A state that a connection can have, never LISTEN. */
enum tcpstate model_random_state(struct model *model);

/* As the kernel answers one request; for other fakes of it. */
int model_answer(struct model *model, const struct diag_request *request,
		 struct sock_info *ret_info);
/* As the kernel destroys; ret_victim is what it destroyed. */
int model_kill(struct model *model, const struct tuple *tuple, uint64_t cookie,
	       struct sock_info *ret_victim);

#endif
