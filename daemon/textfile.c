/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "textfile.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * The collector reads names that end in ".prom", so it does not see this one. Always the same, so
 * that what a crash leaves behind is replaced and does not pile up.
 */
#define TEMPORARY_SUFFIX ".tmp"

struct textfile {
	int timer_fd;
	char path[PATH_MAX]; /* "": none */
	int error;	     /* of the last update */
};

int textfile_open(struct textfile **ret_file)
{
	struct textfile *file = calloc(1, sizeof(*file));
	int err;

	if (!file)
		return -ENOMEM;
	file->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (file->timer_fd < 0) {
		err = -errno;
		free(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

void textfile_close(struct textfile *file)
{
	if (!file)
		return;
	if (file->path[0])
		unlink(file->path);
	close(file->timer_fd);
	free(file);
}

void textfile_configure(struct textfile *file, const char *path, uint64_t interval_ms)
{
	struct itimerspec when = {.it_value = {0}};

	if (file->path[0] && strcmp(file->path, path) != 0)
		unlink(file->path);
	if (path[0]) {
		when.it_value.tv_nsec = 1;
		when.it_interval.tv_sec = (time_t)(interval_ms / 1000);
		when.it_interval.tv_nsec = (long)(interval_ms % 1000 * 1000000);
	}
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->error = 0;
	if (timerfd_settime(file->timer_fd, 0, &when, NULL) < 0)
		log_err("metrics.textfile: cannot set its timer");
}

int textfile_fd(const struct textfile *file)
{
	return file->timer_fd;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, text, len);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			len -= (size_t)written;
		}
	}
	return 0;
}

/* rename() makes the text visible at once and whole; a power cut may lose it, which is no harm. */
static int replace(const char *path, const char *text, size_t len)
{
	char temporary[PATH_MAX + sizeof(TEMPORARY_SUFFIX)];
	int err, fd;

	snprintf(temporary, sizeof(temporary), "%s" TEMPORARY_SUFFIX, path);
	/* Made new each time, so that a link which somebody has put there is not followed. */
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, len);
	/* Another user's process reads it, whatever the umask is. */
	if (err == 0 && fchmod(fd, 0644) < 0)
		err = -errno;
	/* NFS and quotas tell of a full disk only now. */
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(temporary, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(temporary);
	return err;
}

void textfile_update(struct textfile *file, const char *text, size_t len)
{
	uint64_t times;
	int err;

	/* How many times it was due does not matter. */
	if (read(file->timer_fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		log_err("metrics.textfile: timer");
	if (!file->path[0])
		return;
	err = replace(file->path, text, len);
	if (err < 0 && err != file->error)
		log_warnx("metrics.textfile: cannot write %s: %s; trying on, without further words",
			  file->path, strerror(-err));
	else if (err == 0 && file->error < 0)
		log_info("metrics.textfile: %s is written again", file->path);
	file->error = err;
}
