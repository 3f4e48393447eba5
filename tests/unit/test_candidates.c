/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "candidates.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

/* More than the list has room for at first. */
#define MANY 1000

static bool no_memory;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
	return no_memory ? NULL : __real_realloc(memory, size);
}

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

static struct tuple socket_of(uint16_t peer_port)
{
	struct tuple socket = {.src.port = htons(8000), .dst.port = htons(peer_port)};

	socket.src.addr = socket.dst.addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	return socket;
}

static void only_those_with_a_living_peer_go(void **state)
{
	struct candidates c = {.n = 0};
	struct tuple socket;

	(void)state;
	for (uint16_t i = 0; i < MANY; i++) {
		socket = socket_of((uint16_t)(10000 + i));
		assert_true(candidates_add(&c, &socket, i, MANY));
	}
	assert_int_equal(candidates_index(&c), 0);
	/* Every third one's peer; a port, and an address, that is nobody's peer. */
	for (uint16_t i = 0; i < MANY; i += 3) {
		socket = socket_of((uint16_t)(10000 + i));
		candidates_see(&c, &socket.dst);
		candidates_see(&c, &socket.dst);
	}
	socket = socket_of(9999);
	candidates_see(&c, &socket.dst);
	socket = socket_of(10001);
	socket.dst.addr.s6_addr[0] = 0xfd;
	candidates_see(&c, &socket.dst);

	assert_int_equal(candidates_drop_alive(&c), (MANY + 2) / 3);
	assert_int_equal(c.n, MANY - (MANY + 2) / 3);
	for (size_t i = 0; i < c.n; i++)
		assert_true(c.list[i].cookie % 3 != 0);
	assert_int_equal(c.list[0].cookie, 1);
	candidates_clear(&c);
	assert_int_equal(c.n, 0);
}

/* Two servers, one peer's address and port: either connection may be the living one's. */
static void a_peer_saves_all_that_may_be_its(void **state)
{
	struct candidates c = {.n = 0};
	struct tuple socket = socket_of(40000);

	(void)state;
	assert_true(candidates_add(&c, &socket, 1, MANY));
	socket.src.port = htons(9000);
	assert_true(candidates_add(&c, &socket, 2, MANY));
	assert_int_equal(candidates_index(&c), 0);
	candidates_see(&c, &socket.dst);
	assert_int_equal(candidates_drop_alive(&c), 2);
	candidates_clear(&c);
}

static void there_is_an_end_to_room(void **state)
{
	struct candidates c = {.n = 0};
	struct tuple socket = socket_of(40000);

	(void)state;
	no_memory = true;
	assert_false(candidates_add(&c, &socket, 1, MANY));
	no_memory = false;
	assert_true(candidates_add(&c, &socket, 1, 1));
	assert_false(candidates_add(&c, &socket, 2, 1));
	no_memory = true;
	assert_int_equal(candidates_index(&c), -ENOMEM);
	no_memory = false;
	assert_int_equal(c.n, 1);
	candidates_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_those_with_a_living_peer_go),
		cmocka_unit_test(a_peer_saves_all_that_may_be_its),
		cmocka_unit_test(there_is_an_end_to_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
