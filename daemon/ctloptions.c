/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctloptions.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* More than the common options and those of any command. */
#define OPTIONS_MAX 24
/* What getopt_long() returns for option number i: no letter, and not '?' or ':'. */
#define VALUE(i) (256 + (i))

void ctl_complain(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("closewaitctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

struct table {
	struct ctl_option options[OPTIONS_MAX];
	size_t n;
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
};

static void add(struct table *table, const struct ctl_option *option)
{
	char *letters = table->letters + strlen(table->letters);

	table->options[table->n] = *option;
	table->longs[table->n] = (struct option){
		option->name,
		option->ret_text ? required_argument : no_argument,
		NULL,
		VALUE((int)table->n),
	};
	table->n++;
	if (option->letter)
		*letters++ = option->letter;
	if (option->letter && option->ret_text)
		*letters = ':';
}

static const struct ctl_option *find(const struct table *table, int value)
{
	for (size_t i = 0; i < table->n; i++) {
		if (value == VALUE((int)i) || value == table->options[i].letter)
			return &table->options[i];
	}
	return NULL;
}

static void complain_option(const struct table *table, int problem, char **argv)
{
	const char *last = argv[optind - 1];

	if (problem == ':' && find(table, optopt))
		ctl_complain("option '--%s' takes a value", find(table, optopt)->name);
	else if (strncmp(last, "--", 2) == 0)
		ctl_complain("'%s' is no option of this command. Try 'closewaitctl --help'", last);
	else
		ctl_complain("'-%c' is no option of this command. Try 'closewaitctl --help'",
			     optopt);
}

/* flags: '+' to stop at the first other argument, "" to take options from behind it too. */
static int parse(struct ctl *ctl, int argc, char **argv, const struct ctl_option *own, size_t n_own,
		 const char *flags)
{
	const struct ctl_option common[] = {
		{"socket", 's', NULL, &ctl->socket},   {"config", 'c', NULL, &ctl->conf_path},
		{"json", 'j', &ctl->json, NULL},       {"help", 'h', &ctl->help, NULL},
		{"version", 'V', &ctl->version, NULL},
	};
	struct table table = {.n = 0};
	int value;

	/* The colon makes getopt() tell a missing value from an unknown option. */
	snprintf(table.letters, sizeof(table.letters), "%s:", flags);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		add(&table, &common[i]);
	for (size_t i = 0; i < n_own; i++)
		add(&table, &own[i]);

	optind = 0; /* from the start again (getopt(3), a GNU extension) */
	opterr = 0;
	while ((value = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1) {
		const struct ctl_option *option = find(&table, value);

		if (!option) {
			complain_option(&table, value, argv);
			return -1;
		}
		if (option->ret_text)
			*option->ret_text = optarg;
		else
			*option->ret_flag = true;
	}
	/* Nothing else is to be done then, and so nothing else can be wrong. */
	return ctl->help || ctl->version ? -1 : optind;
}

int ctl_common_options(struct ctl *ctl, int argc, char **argv)
{
	return parse(ctl, argc, argv, NULL, 0, "+");
}

int ctl_arguments(struct ctl *ctl, int argc, char **argv, const struct ctl_option *own,
		  size_t n_own, int n)
{
	int first = parse(ctl, argc, argv, own, n_own, "");

	if (first < 0)
		return -1;
	if (argc - first == n)
		return first;
	if (argc - first > n)
		ctl_complain("%s: '%s' is too much. Try 'closewaitctl --help'", argv[0],
			     argv[first + n]);
	else
		ctl_complain("%s takes %d argument%s. Try 'closewaitctl --help'", argv[0], n,
			     n == 1 ? "" : "s");
	return -1;
}
