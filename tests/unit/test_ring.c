/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of ring: order, the borders empty and full, wrap-around, two threads. */
#include "config.h"

#include "ring.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

static struct ring *new_ring(size_t capacity, size_t element_size)
{
	struct ring *ring = NULL;

	assert_int_equal(ring_new(capacity, element_size, &ring), 0);
	assert_non_null(ring);
	return ring;
}

static void test_new_refuses(void **state)
{
	static const struct {
		size_t capacity;
		size_t element_size;
	} bad[] = {
		{0, 8},
		{3, 8},
		{6, 8},
		{SIZE_MAX, 8},
		{8, 0},
		/* The product alone, and the product with the ring's own bytes, overflow. */
		{(size_t)1 << (sizeof(size_t) * 8 - 1), 2},
		{1, SIZE_MAX},
		{1, SIZE_MAX - 128},
	};
	struct ring *ring = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ring_new(bad[i].capacity, bad[i].element_size, &ring), -EINVAL);
	assert_null(ring);
	ring_free(NULL);
}

static void test_order_and_borders(void **state)
{
	(void)state;
	for (size_t capacity = 1; capacity <= 16; capacity *= 2) {
		struct ring *ring = new_ring(capacity, sizeof(int));
		int value = -1;

		assert_null(ring_front(ring));
		assert_false(ring_pop(ring, &value));
		assert_int_equal(value, -1);
		for (int i = 0; i < (int)capacity; i++)
			assert_true(ring_push(ring, &i));
		value = 99;
		assert_false(ring_push(ring, &value));
		for (int i = 0; i < (int)capacity; i++) {
			assert_int_equal(*(const int *)ring_front(ring), i);
			assert_true(ring_pop(ring, &value));
			assert_int_equal(value, i);
		}
		value = -1;
		assert_null(ring_front(ring));
		assert_false(ring_pop(ring, &value));
		assert_int_equal(value, -1);
		ring_free(ring);
	}
}

/* Every fill level at every position: the indices run far past the capacity. */
static void test_wraps_around(void **state)
{
	struct ring *ring = new_ring(8, sizeof(int));
	int pushed = 0;
	int popped = 0;
	int value;

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 1 + round % 8; i++, pushed++)
			assert_true(ring_push(ring, &pushed));
		for (int i = 0; i < 1 + round % 8; i++, popped++) {
			assert_true(ring_pop(ring, &value));
			assert_int_equal(value, popped);
		}
		assert_false(ring_pop(ring, &value));
	}
	ring_free(ring);
}

/* Odd sizes: elements neither overlap nor run out of the memory (AddressSanitizer, valgrind). */
static void test_element_sizes(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 130; size++) {
		struct ring *ring = new_ring(4, size);
		unsigned char in[130], out[130];

		for (unsigned char i = 0; i < 4; i++) {
			memset(in, i + 1, sizeof(in));
			assert_true(ring_push(ring, in));
		}
		for (unsigned char i = 0; i < 4; i++) {
			memset(in, i + 1, sizeof(in));
			memset(out, 0xee, sizeof(out));
			assert_true(ring_pop(ring, out));
			assert_memory_equal(out, in, size);
			if (size < sizeof(out))
				assert_int_equal(out[size], 0xee);
		}
		ring_free(ring);
	}
}

#define THREAD_ELEMENTS 1000000U

/* So large that it takes its time to copy, and checkable in itself: a half-written one shows. */
#define COPIES 127
struct element {
	uint32_t number;
	uint32_t copies[COPIES];
};

static void *produce(void *arg)
{
	struct ring *ring = arg;

	for (uint32_t n = 0; n < THREAD_ELEMENTS; n++) {
		struct element element = {.number = n};

		for (size_t i = 0; i < COPIES; i++)
			element.copies[i] = n;
		while (!ring_push(ring, &element))
			sched_yield();
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	/* Short, so that both threads are always at each other's heels. */
	struct ring *ring = new_ring(4, sizeof(struct element));
	pthread_t producer;

	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
	for (uint32_t n = 0; n < THREAD_ELEMENTS; n++) {
		struct element element;

		while (!ring_pop(ring, &element))
			sched_yield();
		if (element.number != n)
			fail_msg("element %u came as number %u", element.number, n);
		for (size_t i = 0; i < COPIES; i++) {
			if (element.copies[i] != n)
				fail_msg("element %u is torn", n);
		}
	}
	assert_int_equal(pthread_join(producer, NULL), 0);

	struct element element;

	assert_false(ring_pop(ring, &element));
	ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_refuses),  cmocka_unit_test(test_order_and_borders),
		cmocka_unit_test(test_wraps_around), cmocka_unit_test(test_element_sizes),
		cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
