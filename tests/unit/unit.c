/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "unit.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t *unit_edge(const void *bytes, size_t len, size_t align)
{
	static uint8_t *start;

	assert_true(len <= UNIT_EDGE_SIZE);
	if (!start) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);

		/* No architecture with Linux has larger pages than this. */
		assert_true(UNIT_EDGE_SIZE % page == 0);
		start = mmap(NULL, UNIT_EDGE_SIZE + page, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(start, MAP_FAILED);
		assert_int_equal(mprotect(start + UNIT_EDGE_SIZE, page, PROT_NONE), 0);
	}

	uint8_t *copy = start + ((UNIT_EDGE_SIZE - len) & ~(align - 1));

	if (len)
		memcpy(copy, bytes, len);
	memset(copy + len, 0xa5, (size_t)(start + UNIT_EDGE_SIZE - (copy + len)));
	return copy;
}

uint8_t *unit_heap(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

struct words {
	const char *const *words;
	unsigned int n;
	unit_parse_fn *parse;
};

/* Neither a value of any enum nor what a failed parse would leave by chance. */
#define UNTOUCHED 12345U

static bool is_word(const struct words *w, const char *text)
{
	for (unsigned int i = 0; text && i < w->n; i++) {
		if (w->words[i] && strcmp(w->words[i], text) == 0)
			return true;
	}
	return false;
}

/* What was made from one word may be another one: "close" begins "close-wait". */
static void check_refused_unless_word(const struct words *w, const char *text)
{
	unsigned int value = UNTOUCHED;

	if (is_word(w, text))
		return;
	assert_int_equal(w->parse(text, &value), -EINVAL);
	assert_int_equal(value, UNTOUCHED);
}

static void check_parses_only_itself(const struct words *w, unsigned int value)
{
	const char *word = w->words[value];
	size_t len = strlen(word);
	unsigned int parsed = UNTOUCHED;
	char text[64];

	assert_true(len + 2 <= sizeof(text));
	assert_int_equal(w->parse(word, &parsed), 0);
	assert_int_equal(parsed, value);

	for (size_t cut = 0; cut < len; cut++) {
		memcpy(text, word, cut);
		text[cut] = '\0';
		check_refused_unless_word(w, text);
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(text, word, len + 1);
		text[i] = (char)toupper((unsigned char)text[i]);
		check_refused_unless_word(w, text);
	}
	for (const char *added = " sx-\n"; *added; added++) {
		memcpy(text, word, len);
		text[len] = *added;
		text[len + 1] = '\0';
		check_refused_unless_word(w, text);
		text[0] = *added;
		memcpy(text + 1, word, len + 1);
		check_refused_unless_word(w, text);
	}
}

void unit_check_words(const char *const words[], unsigned int n, unit_name_fn *name,
		      unit_parse_fn *parse)
{
	static const char *const nonsense[] = {NULL,	   "",	" ", "unknown",
					       "nonsense", "0", "1", "-1"};
	const struct words w = {words, n, parse};

	for (unsigned int value = 0; value < n; value++) {
		assert_string_equal(name(value), words[value] ? words[value] : "unknown");
		if (words[value] && parse)
			check_parses_only_itself(&w, value);
	}
	assert_string_equal(name(n), "unknown");
	assert_string_equal(name(n + 1), "unknown");
	assert_string_equal(name(INT_MAX), "unknown");
	assert_string_equal(name(UINT_MAX), "unknown");
	for (size_t i = 0; parse && i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		check_refused_unless_word(&w, nonsense[i]);
}

unsigned int unit_rounds(unsigned int n)
{
	const char *percent = getenv("UNIT_PERCENT");

	return percent ? n / 100 * (unsigned int)strtoul(percent, NULL, 10) : n;
}

/* xorshift64* (G. Marsaglia, Xorshift RNGs, 2003; S. Vigna's multiplier). */
uint32_t unit_random(struct unit_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (uint32_t)(random->state * UINT64_C(2685821657736338717) >> 32);
}

uint32_t unit_random_below(struct unit_random *random, uint32_t below)
{
	return unit_random(random) % below;
}
