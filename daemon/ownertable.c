/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each collision is with another socket, so a cache of answers would never be hit; but those who
 * leak leak many, and nearly all of them were there at the last walk. Hence the table is of all
 * sockets. That a descriptor is found again with the same inode proves that its process holds the
 * socket now, whatever has happened since.
 */
#include "config.h"

#include "ownertable.h"
#include "clock.h"
#include "owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

struct entry {
	uint32_t inode;
	struct leaker_holder holder;
};

struct ownertable {
	const char *root;
	struct entry *entries; /* by inode, then process, then descriptor */
	size_t n, capacity;
	uint32_t asked; /* during a walk */
	bool failed;	/* no memory, during a walk */
	struct owner_view view;
	uint64_t began_us; /* the last whole walk; 0: there was none */
	uint64_t due_us;
};

_Static_assert(LEAKER_COMM_SIZE == OWNER_COMM_SIZE && LEAKER_EXE_SIZE == OWNER_EXE_SIZE,
	       "what is found is told as it is");

int ownertable_new(const char *root, struct ownertable **ret_table)
{
	struct ownertable *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->root = root;
	*ret_table = table;
	return 0;
}

void ownertable_free(struct ownertable *table)
{
	if (!table)
		return;
	free(table->entries);
	free(table);
}

/* --- the walk ---------------------------------------------------------------------------------*/

static bool grow(struct ownertable *table)
{
	size_t capacity = table->capacity > 0 ? 2 * table->capacity : FIRST_CAPACITY;
	struct entry *entries = reallocarray(table->entries, capacity, sizeof(*entries));

	if (!entries)
		return false;
	table->entries = entries;
	table->capacity = capacity;
	return true;
}

static bool keep(void *ctx, uint32_t inode, pid_t pid, int fd)
{
	struct ownertable *table = ctx;

	if (table->n >= OWNERTABLE_MAX && inode != table->asked)
		return true;
	if (table->n == table->capacity && !grow(table)) {
		table->failed = true;
		return false;
	}
	table->entries[table->n++] = (struct entry){inode, {pid, fd}};
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	if (left->holder.pid != right->holder.pid)
		return left->holder.pid < right->holder.pid ? -1 : 1;
	return (left->holder.fd > right->holder.fd) - (left->holder.fd < right->holder.fd);
}

int ownertable_walk(struct ownertable *table, uint32_t inode)
{
	/* What it costs is its own time: at a low priority it may take much longer. */
	const uint64_t began_us = clock_us(CLOCK_MONOTONIC);
	const uint64_t used_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
	int err;

	table->n = 0;
	table->asked = inode;
	table->failed = false;
	err = owner_walk_all(table->root, keep, table, &table->view);
	if (err == 0 && table->failed)
		err = -ENOMEM;
	if (err < 0)
		table->n = 0;
	else if (table->n > 0)
		qsort(table->entries, table->n, sizeof(table->entries[0]), compare);
	table->began_us = err < 0 ? 0 : began_us;
	table->due_us = clock_us(CLOCK_MONOTONIC) +
			(OWNERTABLE_SHARE - 1) * (clock_us(CLOCK_THREAD_CPUTIME_ID) - used_us);
	return err;
}

bool ownertable_is_newer(const struct ownertable *table, uint64_t since_us)
{
	return table->began_us > 0 && table->began_us >= since_us;
}

enum leaker_kind ownertable_missing(const struct ownertable *table)
{
	return table->view.denied > 0 || table->view.hidden ? LEAKER_DENIED : LEAKER_GONE;
}

uint64_t ownertable_due_us(const struct ownertable *table)
{
	return table->due_us;
}

/* --- the look-up ------------------------------------------------------------------------------*/

/*
 * Names the process that holds the socket by this descriptor now. It is asked for its start time
 * before and after, since the number may pass on to another process in between.
 */
static bool describe(const struct ownertable *table, const struct entry *entry,
		     struct leaker *leaker)
{
	struct owner_process before, after;

	if (owner_process(table->root, entry->holder.pid, &before) < 0 ||
	    !owner_holds(table->root, entry->holder.pid, entry->holder.fd, entry->inode) ||
	    owner_process(table->root, entry->holder.pid, &after) < 0 ||
	    after.start_ticks != before.start_ticks)
		return false;
	leaker->first = entry->holder;
	memcpy(leaker->comm, after.comm, sizeof(leaker->comm));
	memcpy(leaker->exe, after.exe, sizeof(leaker->exe));
	return true;
}

static size_t first_of(const struct ownertable *table, uint32_t inode)
{
	size_t from = 0, to = table->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (table->entries[middle].inode < inode)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool ownertable_find(const struct ownertable *table, uint32_t inode, struct leaker *ret_leaker)
{
	struct leaker leaker = {.kind = LEAKER_HELD};

	for (size_t i = first_of(table, inode); i < table->n; i++) {
		const struct entry *entry = &table->entries[i];
		const struct leaker_holder *holder = &entry->holder;

		if (entry->inode != inode)
			break;
		if (leaker.count == 0) {
			leaker.count = describe(table, entry, &leaker);
		} else if (owner_holds(table->root, holder->pid, holder->fd, inode)) {
			if (leaker.count <= LEAKER_OTHERS_MAX)
				leaker.others[leaker.count - 1] = *holder;
			leaker.count++;
		}
	}
	if (leaker.count == 0)
		return false;
	*ret_leaker = leaker;
	return true;
}
