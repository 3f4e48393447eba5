/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libconfig 1.5 reads more than an operator can have meant, and says less than it knows. Measured:
 *
 *  - an integer beyond 32 bits silently loses its upper bits: 4294967297 becomes 1. Here every
 *    integer gets the suffix L, so that it is read in 64 bits, and one beyond those is an error;
 *  - a comment or string that is not closed swallows what follows, in silence or with an error at
 *    the end of the file; an unquoted word is a "syntax error". Here each is named in its place;
 *  - \x00 ends a string early. An error here;
 *  - a string behind a string is appended to it, so that the ports "80" "81", a comma forgotten,
 *    become 8081; one in any other wrong place is never freed. Errors here;
 *  - [ ] takes values of one type only, ( ) takes any. Here [ is handed on as (, so that both do;
 *  - a string in a list is given the line of the token behind it. So here a comma or bracket
 *    behind a string goes before the line ends that separate them;
 *  - the time for n settings in a group grows with n squared (100,000 take a minute), and each
 *    level of nesting costs stack. Both are bounded here, far above what any configuration needs;
 *  - @include reads other files, past all checks of the file. An error here.
 */
#include "config.h"

#include "conftext.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The deepest is a port in a list in a rule in the rules of the policy: 4 brackets. */
#define DEPTH_MAX 8
/* The largest group has 8 settings. */
#define SETTINGS_MAX 64

/* Bytes; 64-bit integers need 21, and nothing else but text is longer. */
#define WORD_MAX 63

/* An open bracket, or the file itself at the bottom. */
struct level {
	char open;
	unsigned int line;
	unsigned int settings;
};

struct scanner {
	const struct conferror *error;
	const char *p, *end;
	unsigned int line;
	char *out;		 /* where the next byte of the result goes */
	unsigned int lines_owed; /* line ends read and not yet written */
	char before; /* the last token: a punctuation mark, '"' for a string, 'w' a word */
	struct level levels[DEPTH_MAX + 1];
	unsigned int depth;
};

static struct level *innermost(struct scanner *s)
{
	return &s->levels[s->depth];
}

static bool in_list(struct scanner *s)
{
	return innermost(s)->open == '[' || innermost(s)->open == '(';
}

/* Whether a value, not a name, stands in the next place. */
static bool value_comes(struct scanner *s)
{
	return s->before == '=' || s->before == '[' || s->before == '(' ||
	       (s->before == ',' && in_list(s));
}

static bool starts_with(const struct scanner *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(s->end - s->p) >= len && memcmp(s->p, prefix, len) == 0;
}

static bool is_comment(const struct scanner *s)
{
	return *s->p == '#' || starts_with(s, "//") || starts_with(s, "/*");
}

static void pay_lines(struct scanner *s)
{
	for (; s->lines_owed > 0; s->lines_owed--)
		*s->out++ = '\n';
}

static void put(struct scanner *s, const char *token, size_t len)
{
	memcpy(s->out, token, len);
	s->out += len;
	/* Comments and blanks are left out, and what they kept apart must stay so. */
	*s->out++ = ' ';
}

static void take_line_end(struct scanner *s)
{
	s->p++;
	s->line++;
	s->lines_owed++;
}

static int skip_comment(struct scanner *s)
{
	unsigned int line = s->line;

	if (!starts_with(s, "/*")) {
		while (s->p < s->end && *s->p != '\n')
			s->p++;
		return 0;
	}
	for (s->p += 2; s->p < s->end;) {
		if (starts_with(s, "*/")) {
			s->p += 2;
			return 0;
		}
		if (*s->p == '\n')
			take_line_end(s);
		else
			s->p++;
	}
	return conferror_at(s->error, line, "the comment that starts here is not closed by */");
}

static int take_string(struct scanner *s)
{
	const char *start = s->p++;
	bool expected = value_comes(s);
	char quoted[CONFERROR_QUOTE_SIZE];

	for (; s->p < s->end && *s->p != '"' && *s->p != '\n'; s->p++) {
		if (starts_with(s, "\\x00"))
			return conferror_at(s->error, s->line, "a string cannot hold \\x00");
		if (*s->p == '\\' && s->end - s->p > 1 && s->p[1] != '\n')
			s->p++;
	}
	conferror_quote(start + 1, (size_t)(s->p - start - 1), quoted);
	if (s->p == s->end || *s->p == '\n')
		return conferror_at(s->error, s->line, "a string is not closed on its line: %s",
				    quoted);
	if (!expected)
		return conferror_at(s->error, s->line, "no value can stand here: %s", quoted);
	s->p++;
	pay_lines(s);
	put(s, start, (size_t)(s->p - start));
	s->before = '"';
	return 0;
}

static bool ends_word(const struct scanner *s, bool value)
{
	return isspace((unsigned char)*s->p) || strchr("{}[](),;=\"", *s->p) ||
	       (*s->p == ':' && !value) || is_comment(s);
}

enum word_kind { WORD_TEXT, WORD_INTEGER, WORD_TOO_LARGE, WORD_FRACTION, WORD_BOOLEAN };

static bool is_integer_suffix(const char *text)
{
	return !*text || strcmp(text, "L") == 0 || strcmp(text, "LL") == 0;
}

/* What libconfig takes an unquoted value for. */
static enum word_kind classify(const char *word, size_t len)
{
	char copy[WORD_MAX + 1];
	char *rest;
	bool hex;

	if (len > WORD_MAX)
		return strspn(word, "0123456789") >= len ? WORD_TOO_LARGE : WORD_TEXT;
	memcpy(copy, word, len);
	copy[len] = '\0';

	if (strcasecmp(copy, "true") == 0 || strcasecmp(copy, "false") == 0)
		return WORD_BOOLEAN;

	errno = 0;
	hex = copy[0] == '0' && (copy[1] == 'x' || copy[1] == 'X');
	strtoll(copy, &rest, hex ? 16 : 10);
	if (rest != copy && is_integer_suffix(rest))
		return errno == ERANGE ? WORD_TOO_LARGE : WORD_INTEGER;

	/* strtod() alone would also take what libconfig does not: "inf", "0x1p3". */
	strtod(copy, &rest);
	if (rest != copy && !*rest && strspn(copy, "+-.0123456789eE") == len)
		return WORD_FRACTION;
	return WORD_TEXT;
}

/* Whether what comes next gives a value to the name before it. */
static bool assignment_comes(const struct scanner *s)
{
	const char *p = s->p;

	while (p < s->end && isspace((unsigned char)*p))
		p++;
	return p < s->end && *p == '=';
}

static int put_value(struct scanner *s, const char *word, size_t len)
{
	char quoted[CONFERROR_QUOTE_SIZE];

	switch (classify(word, len)) {
	case WORD_TEXT:
		if (in_list(s) && assignment_comes(s))
			return conferror_at(s->error, s->line,
					    "a list cannot hold settings: put { } around %s",
					    conferror_quote(word, len, quoted));
		return conferror_at(s->error, s->line, "text must be in double quotes: %s",
				    conferror_quote(word, len, quoted));
	case WORD_TOO_LARGE:
		return conferror_at(s->error, s->line, "the integer %.*s%s does not fit in 64 bits",
				    len > WORD_MAX ? WORD_MAX : (int)len, word,
				    len > WORD_MAX ? "..." : "");
	case WORD_INTEGER:
		put(s, word, len);
		if (word[len - 1] != 'L') {
			s->out--; /* the suffix belongs to the word */
			put(s, "L", 1);
		}
		return 0;
	case WORD_FRACTION:
	case WORD_BOOLEAN:
		break;
	}
	put(s, word, len);
	return 0;
}

static int take_word(struct scanner *s)
{
	const char *start = s->p;
	bool value = value_comes(s);
	size_t len;

	if (starts_with(s, "@include"))
		return conferror_at(s->error, s->line,
				    "@include is not supported: the configuration is one file");
	while (s->p < s->end && !ends_word(s, value))
		s->p++;
	len = (size_t)(s->p - start);
	pay_lines(s);
	s->before = 'w';
	if (value)
		return put_value(s, start, len);
	put(s, start, len);
	return 0;
}

static int open_bracket(struct scanner *s)
{
	if (s->depth == DEPTH_MAX)
		return conferror_at(s->error, s->line, "more than %d brackets inside each other",
				    DEPTH_MAX);
	s->levels[++s->depth] = (struct level){.open = *s->p, .line = s->line};
	return 0;
}

static int close_bracket(struct scanner *s)
{
	const struct level *level = innermost(s);
	char wanted = level->open == '{' ? '}' : level->open == '[' ? ']' : ')';

	if (s->depth == 0)
		return conferror_at(s->error, s->line, "'%c' without an opening bracket", *s->p);
	if (*s->p != wanted)
		return conferror_at(s->error, s->line, "'%c' cannot close the '%c' of line %u",
				    *s->p, level->open, level->line);
	if (s->before == ',' && wanted != '}')
		return conferror_at(s->error, s->line, "a value is missing between ',' and '%c'",
				    *s->p);
	s->depth--;
	return 0;
}

static int take_punctuation(struct scanner *s)
{
	char c = *s->p;
	bool string_before = s->before == '"';
	int err = 0;

	if (strchr("{[(", c))
		err = open_bracket(s);
	else if (strchr("}])", c))
		err = close_bracket(s);
	else if ((c == '=' || c == ':') && ++innermost(s)->settings > SETTINGS_MAX)
		err = conferror_at(s->error, s->line, "more than %d settings in one group",
				   SETTINGS_MAX);
	if (err < 0)
		return err;

	s->p++;
	s->before = c == ':' ? '=' : c;
	if (c == '[')
		c = '(';
	if (c == ']')
		c = ')';
	if (!string_before || (c != ',' && c != ')'))
		pay_lines(s);
	put(s, &c, 1);
	return 0;
}

static int take_token(struct scanner *s)
{
	if (*s->p == '\n') {
		take_line_end(s);
		return 0;
	}
	if (isspace((unsigned char)*s->p)) {
		s->p++;
		return 0;
	}
	if (is_comment(s))
		return skip_comment(s);
	if (*s->p == '"')
		return take_string(s);
	if (ends_word(s, value_comes(s)))
		return take_punctuation(s);
	return take_word(s);
}

static int check_nul(const char *text, size_t len, const struct conferror *error)
{
	const char *nul = memchr(text, '\0', len);
	unsigned int line = 1;

	if (!nul)
		return 0;
	for (; text < nul; text++)
		line += *text == '\n';
	return conferror_at(error, line, "a NUL byte: this is not a text file");
}

int conftext_prepare(const char *text, size_t len, const struct conferror *error, char **ret_text)
{
	struct scanner s = {.error = error, .p = text, .end = text + len, .line = 1};
	char *result;
	int err;

	err = check_nul(text, len, error);
	if (err < 0)
		return err;
	/* The shortest token, one byte, becomes at most three: itself, an L and a blank. */
	result = malloc(3 * len + 1);
	if (!result)
		return conferror_nomem(error);
	s.out = result;

	while (s.p < s.end && err == 0)
		err = take_token(&s);
	if (err == 0 && s.depth > 0)
		err = conferror_at(error, innermost(&s)->line, "the '%c' here is never closed",
				   innermost(&s)->open);
	if (err < 0) {
		free(result);
		return err;
	}
	pay_lines(&s);
	*s.out = '\0';
	*ret_text = result;
	return 0;
}

const char *conftext_line(const char *text, unsigned int line, size_t *ret_len)
{
	for (; line > 1 && *text; line--) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	text += strspn(text, " \t\r");
	*ret_len = strcspn(text, "\n");
	while (*ret_len > 0 && isspace((unsigned char)text[*ret_len - 1]))
		--*ret_len;
	return text;
}
