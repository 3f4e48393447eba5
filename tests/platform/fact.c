/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "fact.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/netns.h"

#define EXIT_SKIP 77

static int failures;

void fact_begin(const char *title)
{
	struct utsname kernel;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	uname(&kernel);
	printf("%s: Linux %s\n", title, kernel.release);
	rc = netns_enter();
	if (rc == -EPERM)
		fact_skip("a network namespace of its own needs CAP_SYS_ADMIN: run as root");
	must(rc, "enter a network namespace");
}

void fact(const char *name, const char *format, ...)
{
	va_list args;

	printf("fact %s: ", name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void fact_is(const char *name, const char *want, const char *format, ...)
{
	char value[256];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (strcmp(value, want) == 0) {
		printf("fact %s: %s\n", name, value);
		return;
	}
	failures++;
	printf("FAIL fact %s: %s, expected %s\n", name, value, want);
}

void fact_holds(bool holds, const char *name, const char *format, ...)
{
	va_list args;

	printf("%sfact %s: ", holds ? "" : "FAIL ", name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!holds)
		failures++;
}

int fact_end(void)
{
	printf("%s\n", failures ? "FAIL" : "ok");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

void fact_skip(const char *format, ...)
{
	va_list args;

	printf("SKIP ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(EXIT_SKIP);
}

void need(int rc, const char *what)
{
	if (rc < 0)
		fact_skip("needs %s: %s", what, strerror(-rc));
}

int must(int rc, const char *what)
{
	if (rc >= 0)
		return rc;
	printf("FAIL cannot %s: %s\n", what, strerror(-rc));
	exit(EXIT_FAILURE);
}
