/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fakeproc: a tree that looks like proc(5) to whoever reads the few files that owner.c reads. */
#ifndef CW_TEST_FAKEPROC_H
#define CW_TEST_FAKEPROC_H

#include <stdint.h>
#include <sys/types.h>

struct fakeproc {
	char root[40];
};

/* Every failure fails the test. Starts with process 1, which holds nothing. */
void fakeproc_make(struct fakeproc *proc);
void fakeproc_free(struct fakeproc *proc);

/* A process without descriptors; comm as it is, with whatever is in it. */
void fakeproc_add(struct fakeproc *proc, pid_t pid, const char *comm, uint64_t start_ticks);
void fakeproc_remove(struct fakeproc *proc, pid_t pid);
/* Descriptor fd of the process is now a link with this text. */
void fakeproc_link(struct fakeproc *proc, pid_t pid, const char *fd, const char *text);
void fakeproc_socket(struct fakeproc *proc, pid_t pid, int fd, uint32_t inode);
/* "123/limits" and so on: a file with this content, in place of what was there; NULL: none. */
void fakeproc_file(struct fakeproc *proc, const char *name, const char *content);
/* The same with a link. */
void fakeproc_file_link(struct fakeproc *proc, const char *name, const char *text);

#endif
