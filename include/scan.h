/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan: every CLOSE_WAIT socket of this network namespace, which of them are mines, who leaks them,
 * and how often a connect will hit one. It reads and touches nothing; what it reads with are ops.
 */
#ifndef CW_SCAN_H
#define CW_SCAN_H

#include "diag.h"
#include "ephemeral.h"
#include "owner.h"
#include "portdraw.h"
#include "sockdump.h"

#include <stdbool.h>
#include <stddef.h>

struct scan_ops {
	/* As sockdump_walk(), diag_lookup(), hostaddr_is_local(), hostaddr_tracks_connections(). */
	int (*walk)(void *ctx, tcpstate_set states, bool details, sockdump_each_fn *each,
		    void *each_ctx, bool *ret_changed);
	void (*lookup)(void *ctx, const struct diag_request *requests, size_t n,
		       struct diag_answer *ret_answers);
	bool (*is_local)(void *ctx, const struct in6_addr *addr);
	bool (*tracks_connections)(void *ctx);
	/* As owner_walk(); owner_process() with owner_descriptors(). */
	int (*owners)(void *ctx, const uint32_t *inodes, size_t n, owner_found *found,
		      void *found_ctx, struct owner_view *ret_view);
	int (*process)(void *ctx, pid_t pid, struct owner_process *ret_process);
};

/* What a CLOSE_WAIT socket is. */
enum scan_kind {
	SCAN_MINE,	  /* its peer's address is ours, and the peer does not exist any more */
	SCAN_HALF_CLOSED, /* its peer exists: the client waits for an answer, or for the close */
	SCAN_REMOTE,	  /* its peer is another host, or in another network namespace */
	SCAN_UNCERTAIN,	  /* a socket that may be its peer was rewritten on the way (NAT) */
};
#define SCAN_KINDS 4

struct scan_socket {
	struct tuple tuple; /* from this socket's side */
	uint64_t cookie;
	uint64_t cgroup_id;
	uint32_t age_ms; /* since the peer's FIN */
	uint32_t unread; /* bytes */
	uint32_t inode;	 /* 0: not accepted yet */
	uint32_t ifindex;
	uid_t uid;
	enum scan_kind kind;
	bool colliding; /* a client is in SYN_SENT on its tuple at this moment */
	pid_t pid;	/* of a holder, the lowest; if not accepted, of the listener; 0: unknown */
	int fd;		/* of that holder; -1 if not accepted or unknown */
	uint32_t holders; /* descriptors that lead to it */
	uint32_t group;	  /* the same for those of one listener and one source address */
};

/* Those who hold the CLOSE_WAIT sockets of one listener. Without a pid: as uid and cgroup tell. */
struct scan_leaker {
	struct owner_process process; /* pid 0: unknown; comm "": it has ended meanwhile */
	uid_t uid;
	uint64_t cgroup_id;
	size_t counts[SCAN_KINDS];
	size_t not_accepted;
	size_t shared; /* sockets that other descriptors lead to as well */
	uint64_t unread;
	uint32_t oldest_ms; /* of its mines; if it has none, of all */
	/* Mines per minute, by the ages of those it has; not known if they are too young. */
	bool growth_known;
	double growth;
	const struct scan_socket *sockets; /* by kind, the oldest first */
	size_t n_sockets;
};

/* A source address from which mines were planted. */
struct scan_client {
	struct in6_addr addr;
	size_t mines;
	struct portdraw_chance chance; /* all 0 if the settings could not be read */
};

struct scan_listener {
	struct endpoint local;	  /* of the sockets, never a wildcard */
	bool listens;		  /* somebody still does */
	uint64_t queued, backlog; /* of its accept queue, or queues */
	size_t counts[SCAN_KINDS];
	size_t colliding;
	double share;		     /* that of the client with the worst chance */
	struct scan_leaker *leakers; /* who has most mines first */
	size_t n_leakers;
	struct scan_client *clients; /* the worst chance first */
	size_t n_clients;
};

struct scan {
	struct scan_listener *listeners; /* what hurts most first */
	size_t n_listeners;
	struct scan_socket *sockets;
	size_t n_sockets;
	size_t counts[SCAN_KINDS];
	size_t unattributed; /* accepted, and no holder was found */
	bool tracks;	     /* connection tracking is at work: there can be uncertain ones */
	bool changed;	     /* the kernel says that its table changed during the walk */
	int owner_error;     /* of the walk over the processes; 0: view is what it saw */
	struct owner_view view;
	/* Storage of the above. */
	struct scan_leaker *leakers;
	struct scan_client *clients;
};

/* "mine", "half-closed", "remote", "uncertain". */
const char *scan_kind_name(enum scan_kind kind);

/* ephemeral NULL: not known. -errno of a walk, -ENOMEM. The caller frees the result. */
int scan_run(const struct scan_ops *ops, void *ctx, const struct ephemeral *ephemeral,
	     struct scan **ret_scan);
void scan_free(struct scan *scan);

#endif
