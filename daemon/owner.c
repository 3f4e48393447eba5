/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel has no way from a socket to its holders; a walk over /proc/PID/fd is all there is. It
 * costs one readlink() for each descriptor on the machine, so it is done for many sockets at once,
 * relative to the directory's descriptor, and nothing is allocated. readlink() and not stat():
 * it never touches the file itself, which may lie on a server that does not answer.
 */
#include "config.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* About 1000 names of descriptors for each call; it is on the stack. */
#define NAMES_SIZE 32768
/* "123/fd/456" and the like. */
#define NAME_SIZE 64
/* Longer than "socket:[4294967295]"; other links are cut off, and are not ours anyway. */
#define LINK_SIZE 24
/* Longer than any /proc/PID/stat and /proc/PID/limits. */
#define TEXT_SIZE 4096

/* As getdents64(2) has it. A libc may have neither the structure nor a function. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

/* One directory, read name by name. */
struct names {
	int fd;
	ssize_t len, at;
	_Alignas(struct entry) char buf[NAMES_SIZE];
};

/* Not an initializer, which would clear the buffer for every process. */
static void start_names(struct names *names, int fd)
{
	names->fd = fd;
	names->len = names->at = 0;
}

/* The next name; NULL at the end or, with *ret_error set, after a failure. */
static const char *next_name(struct names *names, int *ret_error)
{
	const struct entry *entry;

	if (names->at >= names->len) {
		names->at = 0;
		names->len = syscall(SYS_getdents64, names->fd, names->buf, sizeof(names->buf));
		if (names->len < 0)
			*ret_error = -errno;
		if (names->len <= 0) {
			names->len = 0;
			return NULL;
		}
	}
	entry = (const struct entry *)(const void *)(names->buf + names->at);
	names->at += entry->size;
	return entry->name;
}

/* A name that is a number up to INT_MAX and nothing else; -1 for any other. */
static int number_of(const char *name)
{
	int64_t number = 0;

	if (!*name)
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return -1;
		number = number * 10 + (*name - '0');
		if (number > INT32_MAX)
			return -1;
	}
	return (int)number;
}

/* The inode of a link's text "socket:[N]"; 0 if it is anything else. */
static uint32_t inode_of(const char *text, size_t len)
{
	static const char prefix[] = "socket:[";
	const size_t prefix_len = sizeof(prefix) - 1;
	uint64_t inode = 0;

	if (len < prefix_len + 2 || memcmp(text, prefix, prefix_len) != 0 || text[len - 1] != ']')
		return 0;
	for (size_t i = prefix_len; i < len - 1; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		inode = inode * 10 + (uint64_t)(text[i] - '0');
	}
	return inode <= UINT32_MAX ? (uint32_t)inode : 0;
}

/* The inode of the socket that a link leads to; 0: another file; -errno. */
static int64_t read_inode(int dir, const char *name)
{
	char text[LINK_SIZE];
	ssize_t len = readlinkat(dir, name, text, sizeof(text));

	return len < 0 ? -errno : (int64_t)inode_of(text, (size_t)len);
}

struct walk {
	owner_socket *found;
	void *ctx;
	bool ended; /* the caller has seen enough */
};

/* It has ended, or the descriptor was closed, since its name was read. */
static bool has_gone(int err)
{
	return err == -ENOENT || err == -ESRCH;
}

/* The kernel says either, depending on which of its checks comes first. */
static bool is_denied(int err)
{
	return err == -EACCES || err == -EPERM;
}

/* Looks at every descriptor of one process; dir is its directory "fd". */
static int visit_descriptors(struct walk *walk, pid_t pid, int dir)
{
	struct names names;
	const char *name;
	int err = 0;

	start_names(&names, dir);
	while (!walk->ended && (name = next_name(&names, &err))) {
		int64_t inode;

		if (name[0] == '.')
			continue;
		inode = read_inode(dir, name);
		if (inode < 0 && is_denied((int)inode))
			return (int)inode;
		/* Else it was closed, is no socket, or has a path too long to be told. */
		if (inode > 0)
			walk->ended =
				!walk->found(walk->ctx, (uint32_t)inode, pid, number_of(name));
	}
	return err;
}

static int visit_process(struct walk *walk, int proc, pid_t pid, struct owner_view *view)
{
	char name[NAME_SIZE];
	int dir, err;

	snprintf(name, sizeof(name), "%d/fd", (int)pid);
	dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = dir < 0 ? -errno : visit_descriptors(walk, pid, dir);
	if (dir >= 0)
		close(dir);
	if (has_gone(err))
		return 0;
	if (is_denied(err)) {
		view->denied++;
		return 0;
	}
	if (err == 0)
		view->processes++;
	return err;
}

int owner_walk_all(const char *root, owner_socket *found, void *ctx, struct owner_view *ret_view)
{
	struct walk walk = {found, ctx, false};
	struct owner_view view = {.hidden = true};
	struct names names;
	const char *name;
	int err = 0;

	start_names(&names, open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (names.fd < 0)
		return -errno;
	while (err == 0 && !walk.ended && (name = next_name(&names, &err))) {
		pid_t pid = number_of(name);

		if (pid <= 0)
			continue;
		if (pid == 1)
			view.hidden = false; /* it is there as long as its namespace is */
		err = visit_process(&walk, names.fd, pid, &view);
	}
	close(names.fd);
	if (err == 0)
		*ret_view = view;
	return err;
}

/* --- some sockets -----------------------------------------------------------------------------*/

struct search {
	const uint32_t *inodes;
	size_t n;
	owner_found *found;
	void *ctx;
};

static int compare(const void *a, const void *b)
{
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static bool search_for(void *ctx, uint32_t inode, pid_t pid, int fd)
{
	const struct search *search = ctx;
	const uint32_t *hit = bsearch(&inode, search->inodes, search->n, sizeof(inode), compare);

	if (hit)
		search->found(search->ctx, (size_t)(hit - search->inodes), pid, fd);
	return true;
}

int owner_walk(const char *root, const uint32_t *inodes, size_t n, owner_found *found, void *ctx,
	       struct owner_view *ret_view)
{
	struct search search = {inodes, n, found, ctx};

	return owner_walk_all(root, search_for, &search, ret_view);
}

bool owner_holds(const char *root, pid_t pid, int fd, uint32_t inode)
{
	int proc = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_SIZE];
	bool holds;

	if (proc < 0)
		return false;
	snprintf(name, sizeof(name), "%d/fd/%d", (int)pid, fd);
	holds = inode != 0 && read_inode(proc, name) == (int64_t)inode;
	close(proc);
	return holds;
}

/* --- what a process says of itself ------------------------------------------------------------*/

static int open_process(const char *root, pid_t pid)
{
	int proc = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), dir, err;
	char name[NAME_SIZE];

	if (proc < 0)
		return -errno;
	snprintf(name, sizeof(name), "%d", (int)pid);
	dir = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = dir < 0 ? -errno : 0;
	close(proc);
	return err == -ENOENT ? -ESRCH : err < 0 ? err : dir;
}

/* The start of a file as text, which may have NUL bytes in it; its length or -errno. */
static ssize_t read_text(int dir, const char *name, char text[static TEXT_SIZE])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, TEXT_SIZE - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len >= 0)
		text[len] = '\0';
	return len;
}

/*
 * proc_pid_stat(5): "PID (comm) S ..." with the start time in field 22. The name may hold anything,
 * parentheses and newlines too, but no field after it does.
 */
static int parse_stat(const char *text, struct owner_process *process)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	size_t len;

	if (!open || !close || close < open)
		return -EBADMSG;
	if (sscanf(close + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
		   " %" SCNu64,
		   &process->start_ticks) != 1)
		return -EBADMSG;
	len = (size_t)(close - open) - 1;
	if (len >= sizeof(process->comm))
		len = sizeof(process->comm) - 1; /* a kernel thread's is longer */
	memcpy(process->comm, open + 1, len);
	process->comm[len] = '\0';
	return 0;
}

int owner_process(const char *root, pid_t pid, struct owner_process *ret_process)
{
	struct owner_process process = {.pid = pid, .fd_count = -1};
	int dir = open_process(root, pid);
	char text[TEXT_SIZE];
	ssize_t len;

	if (dir < 0)
		return dir;
	len = read_text(dir, "stat", text);
	if (len >= 0)
		len = parse_stat(text, &process);
	if (len >= 0) {
		ssize_t exe_len = readlinkat(dir, "exe", process.exe, sizeof(process.exe) - 1);

		process.exe[exe_len < 0 ? 0 : exe_len] = '\0';
		*ret_process = process;
	}
	close(dir);
	return has_gone((int)len) ? -ESRCH : (int)len;
}

/* proc_pid_limits(5), where columns are aligned: "Max open files 1024 524288 files". */
static uint64_t read_limit(int dir)
{
	static const char title[] = "\nMax open files ";
	char text[TEXT_SIZE], *end;
	const char *line;
	uint64_t limit;

	if (read_text(dir, "limits", text) < 0)
		return 0;
	line = strstr(text, title);
	if (!line)
		return 0;
	line += strlen(title);
	line += strspn(line, " ");
	if (strncmp(line, "unlimited", strlen("unlimited")) == 0)
		return UINT64_MAX;
	limit = strtoull(line, &end, 10);
	return end == line ? 0 : limit;
}

static int64_t count_names(int parent)
{
	struct names names;
	const char *name;
	int64_t count = 0;
	int err = 0;

	start_names(&names, openat(parent, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (names.fd < 0)
		return -1;
	while ((name = next_name(&names, &err)))
		count += name[0] != '.';
	close(names.fd);
	return err < 0 ? -1 : count;
}

void owner_descriptors(const char *root, struct owner_process *process)
{
	int dir = open_process(root, process->pid);

	process->fd_limit = 0;
	process->fd_count = -1;
	if (dir < 0)
		return;
	process->fd_limit = read_limit(dir);
	process->fd_count = count_names(dir);
	close(dir);
}
