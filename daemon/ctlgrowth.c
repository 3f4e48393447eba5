/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctlscan.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_MS 300000
#define MINUTE_MS 60000

struct entry {
	struct endpoint local;
	pid_t pid;
	uid_t uid; /* where the pid is not known */
	size_t mines;
};

struct snapshot {
	struct snapshot *next; /* the one after it in time */
	int64_t monotonic_ms;
	size_t n;
	struct entry entries[];
};

struct ctlgrowth {
	struct snapshot *oldest, *newest;
};

struct ctlgrowth *ctlgrowth_new(void)
{
	return calloc(1, sizeof(struct ctlgrowth));
}

static void forget_oldest(struct ctlgrowth *growth)
{
	struct snapshot *oldest = growth->oldest;

	growth->oldest = oldest->next;
	if (!growth->oldest)
		growth->newest = NULL;
	free(oldest);
}

void ctlgrowth_free(struct ctlgrowth *growth)
{
	while (growth && growth->oldest)
		forget_oldest(growth);
	free(growth);
}

static struct entry entry_of(const struct scan_listener *listener, const struct scan_leaker *leaker)
{
	return (struct entry){.local = listener->local,
			      .pid = leaker->process.pid,
			      .uid = leaker->process.pid ? 0 : leaker->uid,
			      .mines = leaker->counts[SCAN_MINE]};
}

static size_t mines_then(const struct snapshot *snapshot, const struct entry *now)
{
	for (size_t i = 0; i < snapshot->n; i++) {
		const struct entry *then = &snapshot->entries[i];

		if (then->pid == now->pid && then->uid == now->uid &&
		    endpoint_compare(&then->local, &now->local) == 0)
			return then->mines;
	}
	return 0;
}

static void compare_with(const struct snapshot *then, struct scan *scan, int64_t monotonic_ms)
{
	double minutes = (double)(monotonic_ms - then->monotonic_ms) / MINUTE_MS;

	for (size_t l = 0; minutes > 0 && l < scan->n_listeners; l++) {
		const struct scan_listener *listener = &scan->listeners[l];

		for (size_t i = 0; i < listener->n_leakers; i++) {
			struct entry now = entry_of(listener, &listener->leakers[i]);
			size_t before = mines_then(then, &now);

			listener->leakers[i].growth_known = true;
			listener->leakers[i].growth =
				((double)now.mines - (double)before) / minutes;
		}
	}
}

/* Without memory for it, the next scan is compared with an older one. */
static void remember(struct ctlgrowth *growth, const struct scan *scan, int64_t monotonic_ms)
{
	struct snapshot *snapshot;
	size_t n = 0;

	for (size_t l = 0; l < scan->n_listeners; l++)
		n += scan->listeners[l].n_leakers;
	snapshot = calloc(1, sizeof(*snapshot) + n * sizeof(snapshot->entries[0]));
	if (!snapshot)
		return;
	snapshot->monotonic_ms = monotonic_ms;
	for (size_t l = 0; l < scan->n_listeners; l++) {
		const struct scan_listener *listener = &scan->listeners[l];

		for (size_t i = 0; i < listener->n_leakers; i++)
			snapshot->entries[snapshot->n++] =
				entry_of(listener, &listener->leakers[i]);
	}
	if (growth->newest)
		growth->newest->next = snapshot;
	else
		growth->oldest = snapshot;
	growth->newest = snapshot;
}

void ctlgrowth_update(struct ctlgrowth *growth, struct scan *scan, int64_t monotonic_ms)
{
	/* The last one stays, however old: with long intervals there is no other. */
	while (growth->oldest && growth->oldest->next &&
	       monotonic_ms - growth->oldest->monotonic_ms > MEMORY_MS)
		forget_oldest(growth);
	if (growth->oldest)
		compare_with(growth->oldest, scan, monotonic_ms);
	remember(growth, scan, monotonic_ms);
}
