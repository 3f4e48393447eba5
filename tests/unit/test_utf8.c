/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "unit.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct sample {
	const char *text;
	size_t len;
};

static void test_samples(void **state)
{
	static const struct sample samples[] = {
		{"a", 1},
		{" ", 1},
		{"~", 1},
		{"\xc2\xa0", 2},
		{"\xc3\xa4x", 2},
		{"\xdf\xbf", 2},
		{"\xe0\xa0\x80", 3},
		{"\xef\xbf\xbd", 3},
		{"\xed\x9f\xbf", 3},
		{"\xee\x80\x80", 3},
		{"\xf0\x90\x80\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		/* control characters */
		{"", 0},
		{"\n", 0},
		{"\x1b[31m", 0},
		{"\x7f", 0},
		{"\xc2\x80", 0},
		{"\xc2\x9b", 0},
		{"\xc2\x9f", 0},
		/* cut off, or a byte that does not belong */
		{"\xc3", 0},
		{"\xc3(", 0},
		{"\xe2\x82", 0},
		{"\xe2(\xa1", 0},
		{"\xf0\x9f\x98", 0},
		{"\x80", 0},
		{"\xbf", 0},
		{"\xff", 0},
		{"\xfe", 0},
		/* longer than need be, surrogates, beyond the last */
		{"\xc0\xaf", 0},
		{"\xc1\xbf", 0},
		{"\xe0\x9f\xbf", 0},
		{"\xf0\x8f\xbf\xbf", 0},
		{"\xed\xa0\x80", 0},
		{"\xed\xbf\xbf", 0},
		{"\xf4\x90\x80\x80", 0},
		{"\xf5\x80\x80\x80", 0},
		{"\xf8\x88\x80\x80\x80", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint8_t *text = unit_heap(samples[i].text, strlen(samples[i].text) + 1);

		assert_int_equal(utf8_printable((const char *)text), samples[i].len);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
