/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: feeds a target every file of its corpus, or those that are named, as libFuzzer would.
 *
 * replay_TARGET [FILE]...
 */
#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn static void die(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(EXIT_FAILURE);
}

/* In memory of exactly its size, so that AddressSanitizer and valgrind see who reads past it. */
static void replay(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	size_t size;

	if (!file || fstat(fileno(file), &st) < 0)
		die(path);
	size = (size_t)st.st_size;
	data = malloc(size > 0 ? size : 1);
	if (!data || fread(data, 1, size, file) != size)
		die(path);
	fclose(file);
	/* The last line before a crash names the input. Not stdout, which a target may replace. */
	dprintf(STDOUT_FILENO, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_corpus(void)
{
	char folder[4096], path[sizeof(folder) + 256];
	struct dirent **entries;
	int n;

	snprintf(folder, sizeof(folder), "%s/%s", CORPUS, fuzz_target);
	n = scandir(folder, &entries, is_visible, alphasort);
	if (n < 0)
		die(folder);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		replay(path);
		free(entries[i]);
	}
	free(entries);
	return n;
}

int main(int argc, char **argv)
{
	if (argc == 1 && replay_corpus() == 0) {
		fprintf(stderr, "%s/%s is empty\n", CORPUS, fuzz_target);
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	return EXIT_SUCCESS;
}
