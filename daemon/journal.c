/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's own protocol: one datagram with a line NAME=VALUE for each field; a value with a
 * newline in it follows its name as eight bytes of length, lowest first, and the bytes.
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL
 *
 * Not sd_journal_sendv(): that reports success where there is no journal, and it waits for one that
 * does not read.
 */
#include "config.h"

#include "journal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct journal {
	int fd;
	struct sockaddr_un address;
};

/* Made up once, and never changed: the catalog and people's searches go by them. */
static const char *const message_ids[FINDING_COUNT] = {
	[FINDING_ACCEPT_QUEUE_FULL] = "7f57a8bae8994ff7904cc99779a3e1b5",
	[FINDING_COLLISION] = "17f451735c6e4bbf872db02cb2f5bcaf",
	[FINDING_UNPROVEN] = "5c4c58a166f14d189aa0d4542a2b4f47",
	[FINDING_FOREIGN_SOURCE] = "1a765f908be948629ff80659751a2c27",
	[FINDING_LOOKUP_FAILED] = "1c19943330ec4f4d8800f8e13d75e8f2",
};

static const char mine_id[] = "a45f14ac47ad420ba0c61ac5f07a0c13";

const char *journal_message_id(const struct incident *incident)
{
	return incident->kind == INCIDENT_MINE ? mine_id : message_ids[incident->finding];
}

int journal_open(const char *path, struct journal **ret_journal)
{
	struct journal *journal;

	if (strlen(path) >= sizeof(journal->address.sun_path))
		return -ENAMETOOLONG;
	journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	journal->address.sun_family = AF_UNIX;
	strcpy(journal->address.sun_path, path);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal->fd < 0) {
		int err = -errno;

		free(journal);
		return err;
	}
	*ret_journal = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	close(journal->fd);
	free(journal);
}

/* "age_ms" becomes "CLOSEWAITD_AGE_MS". */
static void put_name(FILE *entry, const char *key)
{
	fputs("CLOSEWAITD_", entry);
	for (; *key; key++)
		putc(toupper((unsigned char)*key), entry);
}

static void put_value(FILE *entry, const char *value)
{
	size_t len = strlen(value);

	if (!memchr(value, '\n', len)) {
		fprintf(entry, "=%s\n", value);
		return;
	}
	putc('\n', entry);
	for (unsigned int i = 0; i < 8; i++)
		putc((int)((uint64_t)len >> (8 * i) & 0xff), entry);
	fprintf(entry, "%s\n", value);
}

static void put_fields(FILE *entry, const struct event_field *fields, size_t n)
{
	char number[24];

	for (size_t i = 0; i < n; i++) {
		snprintf(number, sizeof(number), "%" PRIu64, fields[i].number);
		put_name(entry, fields[i].key);
		put_value(entry, fields[i].text ? fields[i].text : number);
	}
}

int journal_send(struct journal *journal, enum log_level level, const char *id, const char *message,
		 const struct event_field *fields, size_t n)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *entry = open_memstream(&buf, &len);
	ssize_t sent = -1;
	int err = 0;

	if (!entry)
		return -ENOMEM;
	fputs("MESSAGE", entry);
	put_value(entry, message);
	fprintf(entry, "PRIORITY=%d\nSYSLOG_IDENTIFIER=closewaitd\n", log_priority(level));
	if (id)
		fprintf(entry, "MESSAGE_ID=%s\n", id);
	put_fields(entry, fields, n);
	if (fclose(entry) == 0)
		sent = sendto(journal->fd, buf, len, MSG_NOSIGNAL,
			      (const struct sockaddr *)&journal->address, sizeof(journal->address));
	if (sent < 0)
		err = -errno;
	free(buf);
	return err;
}
