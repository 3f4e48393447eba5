/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ownertable: every socket's holders as the last walk over /proc has seen them.
 *
 * One walk serves all look-ups until a socket is asked for that it has not seen. What is found in
 * it is looked at again before it is told, so a process that has ended, or a number that was given
 * away again, is never named. Walks pace themselves. One thread.
 */
#ifndef CW_OWNERTABLE_H
#define CW_OWNERTABLE_H

#include "leaker.h"

#include <stdbool.h>
#include <stdint.h>

/* Walks take at most one part in so many of a processor's time. */
#define OWNERTABLE_SHARE 20
/* Descriptors kept, 12 bytes each; of those beyond only the one that is asked for. */
#define OWNERTABLE_MAX (1U << 19)

struct ownertable;

/* root: see owner.h; it must live as long. -ENOMEM. */
int ownertable_new(const char *root, struct ownertable **ret_table);
void ownertable_free(struct ownertable *table);

/* Finds LEAKER_HELD and fills ret_leaker, or returns false: not in the table, or no longer so. */
bool ownertable_find(const struct ownertable *table, uint32_t inode, struct leaker *ret_leaker);
/*
 * Fills the table anew; inode is in it whatever its size, if somebody holds it. -errno of
 * owner_walk_all() or -ENOMEM: the table is empty then.
 */
int ownertable_walk(struct ownertable *table, uint32_t inode);
/* Whether a socket that existed at since_us (monotonic) and was not found is held by nobody. */
bool ownertable_is_newer(const struct ownertable *table, uint64_t since_us);
/* LEAKER_GONE, or LEAKER_DENIED if the last walk could not see everything. */
enum leaker_kind ownertable_missing(const struct ownertable *table);
/* Not before this (monotonic) may the next walk begin. */
uint64_t ownertable_due_us(const struct ownertable *table);

#endif
