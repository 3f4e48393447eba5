/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/told.h"

#include <stdlib.h>
#include <string.h>

#include "netns/check.h"

static void add(struct told *told, uint64_t cookie)
{
	if (told->count == told->room) {
		told->room += 64;
		told->cookies = realloc(told->cookies, told->room * sizeof(*told->cookies));
		assert_non_null(told->cookies);
	}
	told->cookies[told->count++] = cookie;
}

void told_read(struct told *told, struct daemon *daemon)
{
	loglines_read(&daemon->log);
	for (size_t i = 0; i < daemon->log.count; i++) {
		const struct logline *line = &daemon->log.lines[i];

		if (line->event && strcmp(line->event, "collision") == 0 &&
		    strcmp(event_text(line->object, "result"), "destroyed") == 0)
			add(told, strtoull(event_text(line->object, "cookie"), NULL, 16));
	}
	daemon_forget(daemon);
}

bool told_take(struct told *told, uint64_t cookie)
{
	for (size_t i = 0; i < told->count; i++) {
		if (told->cookies[i] == cookie) {
			told->cookies[i] = told->cookies[--told->count];
			return true;
		}
	}
	return false;
}
