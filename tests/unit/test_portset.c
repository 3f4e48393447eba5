/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "portset.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static struct portset set;

static void expect(const char *text, size_t count, const uint16_t *ports)
{
	size_t found = 0;

	memset(&set, 0, sizeof(set));
	assert_int_equal(portset_add_list(&set, text), 0);
	for (uint32_t port = 0; port <= UINT16_MAX; port++)
		found += portset_has(&set, (uint16_t)port);
	assert_int_equal(found, count);
	for (size_t i = 0; i < count; i++)
		assert_true(portset_has(&set, ports[i]));
}

static void lists_are_read(void **state)
{
	(void)state;
	expect("", 0, NULL);
	expect("\n", 0, NULL);
	expect("80", 1, (uint16_t[]){80});
	expect("63,64\n", 2, (uint16_t[]){63, 64});
	expect("0,65535", 2, (uint16_t[]){0, 65535});
	expect("8080,9000-9002,9002\n", 4, (uint16_t[]){8080, 9000, 9001, 9002});
	expect("65534-65535", 2, (uint16_t[]){65534, 65535});
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"-",	    "80-", "-80",   "80-79", "80,,81", "65536", "1-65536",
		"80 81",    " 80", "80;81", "x",     "80x",    "+80",	"99999999999999999999",
		"80-81-82", ",80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(portset_add_list(&set, texts[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
