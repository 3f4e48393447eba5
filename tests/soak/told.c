/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/told.h"

#include <stdlib.h>
#include <string.h>

#include "lib/endpoint.h"
#include "netns/check.h"

static void add_destroyed(struct told *told, const json_t *event)
{
	uint64_t cookie = strtoull(event_text(event, "cookie"), NULL, 16);
	char *text = json_dumps(event, JSON_COMPACT);

	assert_non_null(text);
	if (told->count == told->room) {
		told->room += 64;
		told->destroyed = realloc(told->destroyed, told->room * sizeof(*told->destroyed));
		assert_non_null(told->destroyed);
	}
	told->destroyed[told->count++] = (struct told_destroyed){cookie, text};
}

static uint16_t port_in(const json_t *event, const char *key)
{
	union endpoint end;

	must(endpoint_parse_pair(event_text(event, key), &end), "read an event's addresses");
	return endpoint_port(&end);
}

static void add_other(struct told *told, const char *name, const json_t *event)
{
	struct told_other *other;

	if (told->n_others == told->others_room) {
		told->others_room += 64;
		told->others = realloc(told->others, told->others_room * sizeof(*told->others));
		assert_non_null(told->others);
	}
	other = &told->others[told->n_others++];
	*other = (struct told_other){port_in(event, "src"), port_in(event, "dst"), ""};
	strncpy(other->name, name, sizeof(other->name) - 1);
}

static void add(struct told *told, const char *name, const json_t *event)
{
	if (strcmp(name, "collision") == 0)
		name = event_text(event, "result");
	if (strcmp(name, "destroyed") == 0)
		add_destroyed(told, event);
	else
		add_other(told, name, event);
}

void told_read(struct told *told, struct daemon *daemon)
{
	loglines_read(&daemon->log);
	for (size_t i = 0; i < daemon->log.count; i++) {
		const struct logline *line = &daemon->log.lines[i];

		if (line->event)
			add(told, line->event, line->object);
	}
	daemon_forget(daemon);
}

bool told_take(struct told *told, uint64_t cookie)
{
	for (size_t i = 0; i < told->count; i++) {
		if (told->destroyed[i].cookie == cookie) {
			free(told->destroyed[i].text);
			told->destroyed[i] = told->destroyed[--told->count];
			return true;
		}
	}
	return false;
}

const char *told_otherwise(const struct told *told, uint16_t src_port, uint16_t dst_port)
{
	for (size_t i = 0; i < told->n_others; i++) {
		const struct told_other *other = &told->others[i];

		if (other->src_port == src_port && other->dst_port == dst_port)
			return other->name;
	}
	return NULL;
}

void told_clear(struct told *told)
{
	for (size_t i = 0; i < told->count; i++)
		free(told->destroyed[i].text);
	told->count = told->n_others = 0;
}

void told_release(struct told *told)
{
	told_clear(told);
	free(told->destroyed);
	free(told->others);
}
