/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the two indices, each written by one thread only, on cache lines of their own. */
#define CACHE_LINE 64

struct ring {
	_Alignas(CACHE_LINE) atomic_size_t head; /* next to pop; the consumer's */
	_Alignas(CACHE_LINE) atomic_size_t tail; /* next to push; the producer's */
	_Alignas(CACHE_LINE) size_t mask;
	size_t element_size;
	unsigned char slots[];
};

int ring_new(size_t capacity, size_t element_size, struct ring **ret_ring)
{
	struct ring *ring;
	size_t bytes;

	if (capacity == 0 || (capacity & (capacity - 1)) != 0 || element_size == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(capacity, element_size, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*ring) + CACHE_LINE, &bytes))
		return -EINVAL;
	ring = aligned_alloc(CACHE_LINE, bytes - bytes % CACHE_LINE);
	if (!ring)
		return -ENOMEM;
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	ring->mask = capacity - 1;
	ring->element_size = element_size;
	*ret_ring = ring;
	return 0;
}

void ring_free(struct ring *ring)
{
	free(ring);
}

static void *slot(struct ring *ring, size_t index)
{
	return ring->slots + (index & ring->mask) * ring->element_size;
}

bool ring_push(struct ring *ring, const void *element)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	/* Pairs with the release in ring_pop(): the consumer is done with the slot. */
	size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	if (tail - head > ring->mask)
		return false;
	memcpy(slot(ring, tail), element, ring->element_size);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}

const void *ring_front(struct ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	/* Pairs with the release in ring_push(): the element is whole. */
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	return head == tail ? NULL : slot(ring, head);
}

bool ring_pop(struct ring *ring, void *ret_element)
{
	const void *front = ring_front(ring);

	if (!front)
		return false;
	memcpy(ret_element, front, ring->element_size);
	atomic_fetch_add_explicit(&ring->head, 1, memory_order_release);
	return true;
}
