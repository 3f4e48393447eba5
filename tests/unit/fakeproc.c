/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "fakeproc.h"
#include "unit.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 128

static void path_of(const struct fakeproc *proc, const char *name, char path[static PATH_SIZE])
{
	assert_true(snprintf(path, PATH_SIZE, "%s/%s", proc->root, name) < PATH_SIZE);
}

void fakeproc_file(struct fakeproc *proc, const char *name, const char *content)
{
	char path[PATH_SIZE];
	FILE *file;

	path_of(proc, name, path);
	unlink(path);
	if (!content)
		return;
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
}

void fakeproc_file_link(struct fakeproc *proc, const char *name, const char *text)
{
	char path[PATH_SIZE];

	path_of(proc, name, path);
	unlink(path);
	assert_int_equal(symlink(text, path), 0);
}

static void make_folder(struct fakeproc *proc, const char *name)
{
	char path[PATH_SIZE];

	path_of(proc, name, path);
	assert_int_equal(mkdir(path, 0755), 0);
}

void fakeproc_make(struct fakeproc *proc)
{
	strcpy(proc->root, "/tmp/closewaitd-proc-XXXXXX");
	assert_non_null(mkdtemp(proc->root));
	fakeproc_add(proc, 1, "init", 1);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

void fakeproc_free(struct fakeproc *proc)
{
	assert_int_equal(nftw(proc->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void fakeproc_add(struct fakeproc *proc, pid_t pid, const char *comm, uint64_t start_ticks)
{
	char name[32], content[256];

	snprintf(name, sizeof(name), "%d", (int)pid);
	make_folder(proc, name);
	snprintf(name, sizeof(name), "%d/fd", (int)pid);
	make_folder(proc, name);
	snprintf(name, sizeof(name), "%d/stat", (int)pid);
	snprintf(content, sizeof(content),
		 "%d (%s) S 1 2 3 4 -1 4194560 7 8 9 10 11 12 13 14 15 16 17 0 %" PRIu64
		 " 23 24 18446744073709551615 26\n",
		 (int)pid, comm, start_ticks);
	fakeproc_file(proc, name, content);
	snprintf(name, sizeof(name), "%d/exe", (int)pid);
	fakeproc_file_link(proc, name, "/usr/bin/program");
}

void fakeproc_remove(struct fakeproc *proc, pid_t pid)
{
	char name[32], path[PATH_SIZE];

	snprintf(name, sizeof(name), "%d", (int)pid);
	path_of(proc, name, path);
	assert_int_equal(nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void fakeproc_link(struct fakeproc *proc, pid_t pid, const char *fd, const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/fd/%s", (int)pid, fd);
	fakeproc_file_link(proc, name, text);
}

void fakeproc_socket(struct fakeproc *proc, pid_t pid, int fd, uint32_t inode)
{
	char number[16], text[32];

	snprintf(number, sizeof(number), "%d", fd);
	snprintf(text, sizeof(text), "socket:[%" PRIu32 "]", inode);
	fakeproc_link(proc, pid, number, text);
}
