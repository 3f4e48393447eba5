/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner: which processes hold a socket, by its inode, and what can be said about them.
 *
 * Reads proc(5), whose root is given so that tests can put a tree of their own in its place.
 * Anything in it may vanish between two reads; what has gone was not there. Not found are the
 * descriptors of a thread that has a table of its own (CLONE_FILES not shared, unshare(2)), or
 * whose process has lost its first thread: only /proc/PID/task would show them.
 */
#ifndef CW_OWNER_H
#define CW_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OWNER_PROC "/proc"
/* TASK_COMM_LEN, NUL included. */
#define OWNER_COMM_SIZE 16
/* A longer path is cut off. */
#define OWNER_EXE_SIZE 256

/* What one walk could see. */
struct owner_view {
	unsigned int processes; /* looked at, to the last descriptor */
	unsigned int denied;	/* not to be looked at by us: run as root to see all */
	bool hidden; /* processes of others are not even listed (hidepid=, ProtectProc=) */
};

/* A descriptor of inodes[index]; several processes or descriptors may hold the same socket. */
typedef void owner_found(void *ctx, size_t index, pid_t pid, int fd);

/*
 * One walk over the descriptors of all processes. inodes is sorted upwards; 0, the inode of a
 * socket that was not accepted or has no owner any more, is never found. -ENOENT: there is no
 * proc(5) at root; -EMFILE, ...: the walk has ended early and ret_view is untouched.
 */
int owner_walk(const char *root, const uint32_t *inodes, size_t n, owner_found *found, void *ctx,
	       struct owner_view *ret_view);
/* Any socket's descriptor; false ends the walk. inode is not 0. */
typedef bool owner_socket(void *ctx, uint32_t inode, pid_t pid, int fd);
/* The same walk for every socket there is. A walk that was ended has seen what it has seen. */
int owner_walk_all(const char *root, owner_socket *found, void *ctx, struct owner_view *ret_view);
/* Whether this descriptor of that process is that socket: one readlink. */
bool owner_holds(const char *root, pid_t pid, int fd, uint32_t inode);

struct owner_process {
	pid_t pid;
	uint64_t start_ticks;	    /* since boot; with the pid it names this very process */
	char comm[OWNER_COMM_SIZE]; /* any bytes: a process chooses its name itself */
	char exe[OWNER_EXE_SIZE];   /* any bytes too; "" if not for us to see, or a kernel thread */
	uint64_t fd_limit;	    /* soft RLIMIT_NOFILE; UINT64_MAX: unlimited, 0: not known */
	int64_t fd_count;	    /* descriptors that are open; -1: not known */
};

/* pid, start_ticks, comm and exe of a process. -ESRCH: gone; -EACCES, -EBADMSG, ... */
int owner_process(const char *root, pid_t pid, struct owner_process *ret_process);
/* Fills fd_limit and fd_count of a process that owner_process() has described. */
void owner_descriptors(const char *root, struct owner_process *process);

#endif
