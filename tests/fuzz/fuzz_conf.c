/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration file. What is accepted and written down is accepted again, and is the same;
 * what is refused is refused with one line that can be shown.
 */
#include "config.h"

#include "conf.h"
#include "conferror.h"
#include "conftext.h"
#include "fuzz.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_target[] = "conf";

#define NAME "f"
/* A printed configuration of a text of 64 KiB, each byte of it escaped, and room. */
#define TEXT_MAX    65536
#define PRINTED_MAX (8 * TEXT_MAX)

/* Stands in for the password file, which is not the same on all machines. */
int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *buf, size_t size,
		      struct passwd **ret_entry);
int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *buf, size_t size,
		      struct passwd **ret_entry)
{
	(void)buf;
	(void)size;
	entry->pw_uid = 33;
	*ret_entry = strcmp(name, "www-data") == 0 ? entry : NULL;
	return 0;
}

static void check_error(int err, const char *error)
{
	size_t len = strnlen(error, CONF_ERROR_SIZE);

	FUZZ_CHECK(err == -EINVAL);
	FUZZ_CHECK(len < CONF_ERROR_SIZE);
	FUZZ_CHECK(strncmp(error, NAME ":", strlen(NAME ":")) == 0);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK((unsigned char)error[i] >= ' ' && error[i] != 0x7f);
}

/* Into one stream for all inputs: opening one takes longer than parsing. */
static const char *print(const struct conf *conf)
{
	static char text[PRINTED_MAX];
	static FILE *out;

	if (!out)
		out = fmemopen(text, sizeof(text), "w");
	FUZZ_CHECK(out);
	rewind(out);
	conf_print(conf, out);
	fputc('\0', out);
	FUZZ_CHECK(fflush(out) == 0 && ftell(out) < (long)sizeof(text));
	return text;
}

static void check_accepted(const struct conf *conf)
{
	char error[CONF_ERROR_SIZE] = "";
	struct conf *again = NULL;
	char *first = strdup(print(conf));

	FUZZ_CHECK(first);
	FUZZ_CHECK(conf_parse(first, NAME, &again, error) == 0);
	FUZZ_CHECK(strcmp(first, print(again)) == 0);
	conf_free(again);
	free(first);
}

/* conf_parse() takes a C string; a file may hold any byte. */
static void check_nul(const char *text, size_t size)
{
	char message[CONF_ERROR_SIZE] = "";
	const struct conferror error = {NAME, message};
	char *prepared = NULL;

	check_error(conftext_prepare(text, size, &error, &prepared), message);
	FUZZ_CHECK(!prepared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CONF_ERROR_SIZE] = "";
	struct conf *conf = NULL;
	char *text;
	int err;

	if (size > TEXT_MAX)
		return 0;
	text = malloc(size + 1);
	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (memchr(text, '\0', size))
		check_nul(text, size);
	err = conf_parse(text, NAME, &conf, error);
	free(text);
	if (err == 0) {
		check_accepted(conf);
		conf_free(conf);
	} else {
		FUZZ_CHECK(!conf);
		check_error(err, error);
	}
	return 0;
}
