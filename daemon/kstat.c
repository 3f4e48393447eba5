/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "kstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Twice what 6.18 writes; the files grow by a few counters a year. */
#define FILE_MAX 16384

static const char *next_line(const char *line)
{
	const char *newline = strchr(line, '\n');

	return newline ? newline + 1 : NULL;
}

/* What follows "group:" on this line, NULL if the line is another group's. */
static const char *skip_group(const char *line, const char *group)
{
	size_t len = strlen(group);

	if (!line || strncmp(line, group, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1;
}

/* The next word of a line, NULL at its end; *at is moved behind it. */
static const char *next_word(const char **at, size_t *ret_len)
{
	const char *word = *at + strspn(*at, " ");

	*ret_len = strcspn(word, " \n");
	*at = word + *ret_len;
	return *ret_len > 0 ? word : NULL;
}

int kstat_find(const char *text, const char *group, const char *name, uint64_t *ret_value)
{
	for (const char *line = text; line; line = next_line(line)) {
		const char *names = skip_group(line, group);
		const char *values = names ? skip_group(next_line(line), group) : NULL;
		size_t name_len, value_len;
		const char *word, *value;

		if (!values)
			continue;
		while ((word = next_word(&names, &name_len)) &&
		       (value = next_word(&values, &value_len))) {
			if (name_len != strlen(name) || memcmp(word, name, name_len) != 0)
				continue;
			if (*value < '0' || *value > '9')
				return -EBADMSG;
			*ret_value = strtoull(value, NULL, 10);
			return 0;
		}
	}
	return -EBADMSG;
}

/* A file of /proc/net in the namespace of this thread, as text. */
static int read_file(const char *path, char text[static FILE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (len < FILE_MAX - 1) {
		ssize_t got = read(fd, text + len, FILE_MAX - 1 - len);

		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	close(fd);
	text[len] = '\0';
	return err;
}

int kstat_read(struct kstat *ret_kstat)
{
	char text[FILE_MAX];
	struct kstat found;
	int err;

	if ((err = read_file("/proc/thread-self/net/netstat", text)) < 0 ||
	    (err = kstat_find(text, "TcpExt", "TCPSYNChallenge", &found.syn_challenges)) < 0 ||
	    (err = kstat_find(text, "TcpExt", "ListenOverflows", &found.listen_overflows)) < 0 ||
	    (err = kstat_find(text, "TcpExt", "ListenDrops", &found.listen_drops)) < 0 ||
	    (err = read_file("/proc/thread-self/net/snmp", text)) < 0 ||
	    (err = kstat_find(text, "Tcp", "ActiveOpens", &found.active_opens)) < 0)
		return err;
	*ret_kstat = found;
	return 0;
}
