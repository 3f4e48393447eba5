/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: an event as an entry of the systemd journal, with a field of its own for every value.
 *
 * The fields are those of event_fields(), named CLOSEWAITD_KEY; what they and the message ids mean
 * is in closewaitd(8) and in the catalog (systemd/closewaitd.catalog). One thread at a time.
 */
#ifndef CW_JOURNAL_H
#define CW_JOURNAL_H

#include "event.h"
#include "log.h"
#include "outcome.h"

#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal;

/* path: where the journal receives. It need not be there yet. -ENAMETOOLONG, -ENOMEM, ... */
int journal_open(const char *path, struct journal **ret_journal);
void journal_close(struct journal *journal);
/*
 * id: the message id, or NULL for none. Never waits. -ENOENT or -ECONNREFUSED: there is no journal;
 * -EAGAIN: it does not read; or another errno. Nothing was written then.
 */
int journal_send(struct journal *journal, enum log_level level, const char *id, const char *message,
		 const struct event_field *fields, size_t n);
/* The message id of an event, 32 hexadecimal digits; NULL for one that is never told. */
const char *journal_message_id(const struct incident *incident);

#endif
