/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue, so that events are told in the order in which they happened. Questions and answers carry
 * a number that only grows: the answer to an incident that could not wait matches nothing.
 */
#include "config.h"

#include "attribution.h"
#include "ownerserver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct entry {
	struct incident incident;
	uint64_t until_us;
	bool known;
};

struct attribution {
	int fd; /* -1: the server has ended */
	struct diag *diag;
	struct entry entries[ATTRIBUTION_MAX]; /* a ring; number id is at id % ATTRIBUTION_MAX */
	uint64_t first, next;		       /* the ids of the oldest and of the next one */
	uint64_t counts[LEAKER_KIND_COUNT];
};

int attribution_new(int server_fd, struct diag *diag, struct attribution **ret_attribution)
{
	struct attribution *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->fd = server_fd;
	a->diag = diag;
	*ret_attribution = a;
	return 0;
}

void attribution_free(struct attribution *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

int attribution_fd(const struct attribution *a)
{
	return a ? a->fd : -1;
}

static struct entry *entry_of(struct attribution *a, uint64_t id)
{
	return &a->entries[id % ATTRIBUTION_MAX];
}

/* --- questions --------------------------------------------------------------------------------*/

/*
 * The listener behind a socket that was not accepted; 0 if there is none. A socket inherits user
 * and control group from its listener, so one that differs is another's (a listener that was
 * replaced, or one of several with SO_REUSEPORT).
 */
static uint32_t listener_of(struct attribution *a, const struct incident *incident)
{
	const struct sock_info *occupant = &incident->occupant;
	struct diag_request request = {
		.socket = {.src = incident->syn.dst,
			   .dst = {.addr = incident->syn.dst.addr},
			   .scope = incident->syn.scope},
		.cookie = DIAGMSG_ANY_SOCKET,
	};
	struct diag_answer answer;

	diag_lookup(a->diag, &request, 1, &answer);
	if (answer.error < 0 || answer.info.state != TCPSTATE_LISTEN ||
	    answer.info.uid != occupant->uid || answer.info.cgroup_id != occupant->cgroup_id)
		return 0;
	return answer.info.inode;
}

/* What is known without asking; the inode to ask about, 0 if there is nothing to ask. */
static uint32_t begin(struct attribution *a, const struct incident *incident,
		      struct leaker *ret_leaker)
{
	const struct sock_info *occupant = &incident->occupant;

	if (!incident->has_occupant || a->fd < 0)
		return 0;
	if (occupant->inode != 0)
		return occupant->inode;
	if (occupant->state != TCPSTATE_CLOSE_WAIT && occupant->state != TCPSTATE_ESTABLISHED) {
		ret_leaker->kind = LEAKER_ORPHANED; /* only close() leads to the other states */
		return 0;
	}
	ret_leaker->kind = LEAKER_ACCEPT_QUEUE;
	return listener_of(a, incident);
}

static bool is_possible(const struct leaker_holder *holder)
{
	return holder->pid > 0 && holder->fd >= 0;
}

/* Whether an ownerserver can have said that: it reads what others chose, and may be theirs now. */
static bool is_sound(const struct leaker *leaker)
{
	if (leaker->kind != LEAKER_HELD)
		return leaker->count == 0 &&
		       (leaker->kind == LEAKER_GONE || leaker->kind == LEAKER_DENIED ||
			leaker->kind == LEAKER_LATE);
	if (leaker->count == 0 || !is_possible(&leaker->first))
		return false;
	for (unsigned int i = 0; i < LEAKER_OTHERS_MAX && i < leaker->count - 1; i++) {
		if (!is_possible(&leaker->others[i]))
			return false;
	}
	return true;
}

static void settle(struct entry *entry, const struct leaker *leaker)
{
	struct leaker *into = &entry->incident.leaker;
	bool queued = into->kind == LEAKER_ACCEPT_QUEUE;

	*into = *leaker;
	/* From another process: the ends are ours to see to. */
	into->comm[sizeof(into->comm) - 1] = '\0';
	into->exe[sizeof(into->exe) - 1] = '\0';
	if (queued)
		into->kind = LEAKER_ACCEPT_QUEUE;
	entry->known = true;
}

static void settle_late(struct entry *entry)
{
	const struct leaker late = {.kind = LEAKER_LATE};

	settle(entry, &late);
}

static void ask(struct attribution *a, struct entry *entry, uint32_t inode, uint64_t now_us)
{
	struct owner_question question;

	/* Sent as it lies in memory: what is behind the last member must not be anything. */
	memset(&question, 0, sizeof(question));
	question.id = a->next;
	question.since_us = now_us;
	question.until_us = now_us + ATTRIBUTION_WAIT_US;
	question.inode = inode;
	/* EAGAIN: too many questions wait. That the server has ended is for attribution_hear(). */
	if (send(a->fd, &question, sizeof(question), MSG_NOSIGNAL) < 0)
		settle_late(entry);
}

static void hand_out(struct attribution *a, struct incident *ret_incident)
{
	*ret_incident = entry_of(a, a->first++)->incident;
	a->counts[ret_incident->leaker.kind]++;
}

bool attribution_add(struct attribution *a, const struct incident *incident, uint64_t now_us,
		     struct incident *ret_displaced)
{
	bool displaces = a->next - a->first == ATTRIBUTION_MAX;
	struct entry *entry;
	uint32_t inode;

	if (displaces) {
		if (!entry_of(a, a->first)->known)
			settle_late(entry_of(a, a->first));
		hand_out(a, ret_displaced);
	}
	entry = entry_of(a, a->next);
	entry->incident = *incident;
	entry->until_us = now_us + ATTRIBUTION_WAIT_US;
	inode = begin(a, incident, &entry->incident.leaker);
	entry->known = inode == 0;
	if (inode != 0)
		ask(a, entry, inode, now_us);
	a->next++;
	return displaces;
}

/* --- answers ----------------------------------------------------------------------------------*/

void attribution_give_up(struct attribution *a)
{
	for (uint64_t id = a->first; id < a->next; id++) {
		if (!entry_of(a, id)->known)
			settle_late(entry_of(a, id));
	}
}

int attribution_hear(struct attribution *a)
{
	struct owner_answer answer;
	ssize_t len;

	while ((len = recv(a->fd, &answer, sizeof(answer), 0)) == sizeof(answer)) {
		/* Else it comes too late; nothing that was not asked for is ever taken. */
		if (answer.id >= a->first && answer.id < a->next &&
		    !entry_of(a, answer.id)->known && is_sound(&answer.leaker))
			settle(entry_of(a, answer.id), &answer.leaker);
	}
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	close(a->fd);
	a->fd = -1;
	attribution_give_up(a);
	return -EPIPE;
}

bool attribution_take(struct attribution *a, uint64_t now_us, struct incident *ret_incident)
{
	struct entry *oldest = entry_of(a, a->first);

	if (a->first == a->next)
		return false;
	if (!oldest->known && now_us >= oldest->until_us)
		settle_late(oldest);
	if (!oldest->known)
		return false;
	hand_out(a, ret_incident);
	return true;
}

uint64_t attribution_wait_us(const struct attribution *a, uint64_t now_us)
{
	const struct entry *oldest = &a->entries[a->first % ATTRIBUTION_MAX];

	if (a->first == a->next)
		return UINT64_MAX;
	if (oldest->known || now_us >= oldest->until_us)
		return 0;
	return oldest->until_us - now_us;
}

const uint64_t *attribution_counts(const struct attribution *a)
{
	return a->counts;
}
