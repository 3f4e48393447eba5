/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder may be somebody else's, who can put another file in the socket's place at any moment:
 * a symbolic link, or a hard link to a file of root's where fs.protected_hardlinks is 0. So the
 * file is made with the mode that it keeps, which the umask decides (unix_bind()), and its owner is
 * changed by a descriptor that was seen to be a socket of one name only. Nobody can connect before
 * it has its final owner: only then does it listen.
 */
#include "config.h"

#include "sockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Leaves 0660 of what a socket has, 0777. */
#define UMASK 0117
/* Connections that wait to be accepted; the main loop takes them within milliseconds. */
#define BACKLOG 64

struct sockfile {
	int fd;
	struct sockaddr_un address;
	bool made;
	dev_t device; /* of the file that was made */
	ino_t inode;
};

static int fail(char *error, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *error, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, SOCKFILE_ERROR_SIZE, fmt, ap);
	va_end(ap);
	return err;
}

/* Who answers on the socket at this address, a process id; 0: nobody, -1: that is hidden. */
static pid_t answerer(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred cred = {.pid = -1};
	socklen_t len = sizeof(cred);
	pid_t pid = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
		pid = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.pid : -1;
	} else if (errno != ECONNREFUSED && errno != ENOENT) {
		pid = -1; /* EAGAIN above all: somebody listens and has much to do */
	}
	close(fd);
	return pid;
}

/* Takes away what a crashed process left. */
static int clear_path(const struct sockfile *file, char *error)
{
	const char *path = file->address.sun_path;
	struct stat st;
	pid_t pid;

	if (lstat(path, &st) < 0)
		return 0; /* bind() finds out what is wrong, if anything is */
	if (!S_ISSOCK(st.st_mode))
		return fail(error, -EEXIST,
			    "%s exists and is no socket: remove it, or choose another "
			    "control.socket",
			    path);
	pid = answerer(&file->address);
	if (pid > 0)
		return fail(error, -EADDRINUSE,
			    "%s: process %d answers there already: stop it, or choose another "
			    "control.socket",
			    path, (int)pid);
	if (pid < 0)
		return fail(error, -EADDRINUSE,
			    "%s: another process answers there already: stop it, or choose another "
			    "control.socket",
			    path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail(error, -errno, "%s: cannot remove the socket of an earlier run: %s",
			    path, strerror(errno));
	return 0;
}

/* Closes fd, which is of open(O_PATH). */
static int give(int fd, uid_t user, gid_t group)
{
	int err = 0;

	if ((user != SOCKFILE_KEEP_USER || group != SOCKFILE_KEEP_GROUP) &&
	    fchownat(fd, "", user, group, AT_EMPTY_PATH) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Only the last folder: a missing one above it is more likely a misspelt path. */
static int make_folder(const char *path, uid_t user, char *error)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;
	int fd, err;

	strcpy(folder, path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, 0755) < 0)
		return 0; /* it is there, or bind() fails and says why */
	fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? -errno : give(fd, user, SOCKFILE_KEEP_GROUP);
	if (err < 0)
		return fail(error, err, "%s: cannot give it to user %u: %s", folder,
			    (unsigned int)user, strerror(-err));
	return 0;
}

static int create_file(const struct sockfile *file)
{
	mode_t before = umask(UMASK);
	int err = 0;

	if (bind(file->fd, (const struct sockaddr *)&file->address, sizeof(file->address)) < 0)
		err = -errno;
	umask(before);
	return err;
}

/* A descriptor of the file that was made, whatever its path leads to from now on. */
static int open_file(struct sockfile *file)
{
	int fd = open(file->address.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int err = -EEXIST;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
	} else if (S_ISSOCK(st.st_mode) && st.st_nlink == 1) {
		file->made = true;
		file->device = st.st_dev;
		file->inode = st.st_ino;
		return fd;
	}
	close(fd);
	return err;
}

static int bind_file(struct sockfile *file, uid_t user, gid_t group, char *error)
{
	const char *path = file->address.sun_path;
	int fd, err;

	file->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (file->fd < 0)
		return fail(error, -errno, "no unix socket: %s", strerror(errno));
	err = create_file(file);
	if (err < 0)
		return fail(error, err,
			    "%s: cannot create the socket: %s: create its folder, or choose "
			    "another control.socket",
			    path, strerror(-err));
	fd = open_file(file);
	if (fd == -EEXIST)
		return fail(error, fd,
			    "%s: somebody has put another file in its place: choose a folder for "
			    "control.socket that only root and the daemon may write to",
			    path);
	if (fd < 0)
		return fail(error, fd, "%s: %s", path, strerror(-fd));
	err = give(fd, user, group);
	if (err < 0)
		return fail(error, err,
			    "%s: cannot give it to control.group: %s: run as root or as a member "
			    "of that group",
			    path, strerror(-err));
	if (listen(file->fd, BACKLOG) < 0)
		return fail(error, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

int sockfile_open(const char *path, uid_t user, gid_t group, struct sockfile **ret_file,
		  char error[static SOCKFILE_ERROR_SIZE])
{
	struct sockfile *file;
	int err;

	if (strlen(path) >= sizeof(file->address.sun_path))
		return fail(error, -ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes",
			    path, sizeof(file->address.sun_path) - 1);
	file = calloc(1, sizeof(*file));
	if (!file)
		return fail(error, -ENOMEM, "out of memory");
	file->fd = -1;
	file->address.sun_family = AF_UNIX;
	strcpy(file->address.sun_path, path);

	err = make_folder(path, user, error);
	if (err == 0)
		err = clear_path(file, error);
	if (err == 0)
		err = bind_file(file, user, group, error);
	if (err < 0) {
		sockfile_close(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

void sockfile_close(struct sockfile *file)
{
	struct stat st;

	if (!file)
		return;
	/* Somebody who found the socket dead may have put another one in its place. */
	if (file->made && lstat(file->address.sun_path, &st) == 0 && st.st_dev == file->device &&
	    st.st_ino == file->inode)
		unlink(file->address.sun_path);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

int sockfile_fd(const struct sockfile *file)
{
	return file->fd;
}
