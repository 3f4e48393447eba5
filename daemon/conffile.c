/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "conffile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes: a thousand rules take a quarter of it, and a mistaken path is not read for minutes. */
#define SIZE_MAX_BYTES ((size_t)1024 * 1024)

static int check_file(const struct conferror *error, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return conferror_file(error, EISDIR, "a directory, not a file");
	if (!S_ISREG(st->st_mode))
		return conferror_file(error, EINVAL,
				      "not a regular file: a FIFO, socket or device is not read");
	/*
	 * Its owner and group are the administrator's choice, and so is who may write to it by
	 * them; to let everybody decide which sockets are destroyed is nobody's.
	 */
	if (st->st_mode & S_IWOTH)
		return conferror_file(error, EPERM,
				      "writable by everybody (mode %04o): chmod o-w it",
				      (unsigned int)(st->st_mode & 07777));
	return 0;
}

/* To the end of the file, whatever size it announced: it may have grown, and /proc says 0. */
static int read_all(const struct conferror *error, int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return conferror_file(error, errno, "cannot be read: %s", strerror(errno));
		if (n == 0) {
			*ret_len = len;
			return 0;
		}
		len += (size_t)n;
	}
	return conferror_file(error, EFBIG,
			      "larger than 1 MiB: this cannot be a configuration file");
}

int conffile_read(const struct conferror *error, const char *path, char **ret_text, size_t *ret_len)
{
	const size_t size = SIZE_MAX_BYTES + 1; /* one more tells a file that is too large */
	char *text = NULL;
	struct stat st;
	size_t len = 0;
	int err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return conferror_file(error, errno, "cannot be opened: %s", strerror(errno));
	if (fstat(fd, &st) < 0) {
		err = conferror_file(error, errno, "cannot be examined: %s", strerror(errno));
		goto out;
	}
	err = check_file(error, &st);
	if (err < 0)
		goto out;
	text = malloc(size + 1);
	if (!text) {
		err = conferror_nomem(error);
		goto out;
	}
	err = read_all(error, fd, text, size, &len);
	if (err < 0)
		goto out;
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	text = NULL;
out:
	free(text);
	close(fd);
	return err;
}
