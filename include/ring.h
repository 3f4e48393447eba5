/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring: a bounded queue of fixed-size elements from one thread to one other.
 *
 * Lock-free: one producer, one consumer, both may run at once. A full ring refuses the element;
 * it never blocks and never overwrites.
 */
#ifndef CW_RING_H
#define CW_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* capacity is a power of two. -ENOMEM, -EINVAL. */
int ring_new(size_t capacity, size_t element_size, struct ring **ret_ring);
void ring_free(struct ring *ring);

/* Producer: copies the element in; false when the ring is full. */
bool ring_push(struct ring *ring, const void *element);
/* Consumer: the oldest element, NULL when the ring is empty; until the next ring_pop(). */
const void *ring_front(struct ring *ring);
/* Consumer: copies the oldest element out; false when the ring is empty. */
bool ring_pop(struct ring *ring, void *ret_element);

#endif
