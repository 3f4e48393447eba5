/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "event.h"
#include "journal.h"
#include "log.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct builder {
	struct event_field *fields;
	size_t n;
};

static void add_text(struct builder *b, const char *key, const char *text)
{
	if (text)
		b->fields[b->n++] = (struct event_field){.key = key, .text = text};
}

static void add_number(struct builder *b, const char *key, uint64_t number)
{
	b->fields[b->n++] = (struct event_field){.key = key, .number = number};
}

static void add_listener(struct builder *b, const struct incident *incident,
			 struct event_text *text)
{
	const struct sock_info *listener = &incident->occupant;

	add_text(b, "listener", endpoint_format(&listener->tuple.src, text->listener));
	if (incident->syns > 0)
		add_number(b, "syns", incident->syns);
	add_number(b, "queued", listener->rqueue);
	add_number(b, "backlog", listener->wqueue);
	if (incident->has_kernel) {
		add_number(b, "listen_overflows", incident->listen_overflows);
		add_number(b, "listen_drops", incident->listen_drops);
	}
}

static void add_occupant(struct builder *b, const struct sock_info *occupant)
{
	add_text(b, "state", tcpstate_name(occupant->state));
	if (occupant->has_age)
		add_number(b, "age_ms", occupant->age_ms);
	add_number(b, "unread", sock_info_unread(occupant));
}

/* "123/4 124/4": process and descriptor. */
static void format_others(const struct leaker *leaker, char *text, size_t size)
{
	size_t len = 0;

	for (unsigned int i = 0; i + 1 < leaker->count && i < LEAKER_OTHERS_MAX && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%d/%d", i > 0 ? " " : "",
					(int)leaker->others[i].pid, leaker->others[i].fd);
}

static void add_leaker(struct builder *b, const struct leaker *leaker, struct event_text *text)
{
	if (leaker->kind == LEAKER_NOT_SOUGHT)
		return;
	add_text(b, "leaker", leaker_kind_name(leaker->kind));
	if (leaker->count == 0)
		return;
	add_number(b, "leaker_pid", (uint64_t)leaker->first.pid);
	add_number(b, "leaker_fd", (uint64_t)leaker->first.fd);
	add_text(b, "leaker_comm", leaker->comm);
	if (leaker->exe[0])
		add_text(b, "leaker_exe", leaker->exe);
	add_number(b, "leaker_count", leaker->count);
	if (leaker->count == 1)
		return;
	format_others(leaker, text->leaker_others, sizeof(text->leaker_others));
	add_text(b, "leaker_others", text->leaker_others);
}

static void add_decision(struct builder *b, const struct incident *incident)
{
	if (incident->kind == INCIDENT_SYN)
		add_text(b, "proof", proof_name(incident->proof));
	add_text(b, "mode", mode_name(incident->mode));
	add_text(b, "rule", incident->rule);
	add_text(b, "action", action_name(incident->action));
	add_text(b, "result", result_name(incident->result));
}

/* A user may make it as long as he likes; its ends tell most. */
static const char *shorten(const char *path, char buf[static EVENT_CGROUP_SIZE])
{
	const int part = (EVENT_CGROUP_SIZE - sizeof("...")) / 2;
	const size_t len = strlen(path);

	if (len < EVENT_CGROUP_SIZE)
		return path;
	snprintf(buf, EVENT_CGROUP_SIZE, "%.*s...%s", part, path, path + len - part);
	return buf;
}

size_t event_fields(const struct incident *incident, const char *cgroup, struct event_text *text,
		    struct event_field *ret_fields)
{
	const struct sock_info *occupant = &incident->occupant;
	struct builder b = {ret_fields, 0};

	add_text(&b, "time", log_time(incident->time_ns, text->time));
	add_text(&b, "event", incident_name(incident));
	add_text(&b, "src", endpoint_format(&incident->syn.src, text->src));
	add_text(&b, "dst", endpoint_format(&incident->syn.dst, text->dst));
	if (incident_has_decision(incident))
		add_decision(&b, incident);
	if (incident->has_claimant)
		add_text(&b, "claimant", tcpstate_name(incident->claimant_state));
	if (incident->has_occupant) {
		if (occupant->state == TCPSTATE_LISTEN)
			add_listener(&b, incident, text);
		else
			add_occupant(&b, occupant);
		add_number(&b, "uid", occupant->uid);
		add_number(&b, "inode", occupant->inode);
		snprintf(text->cookie, sizeof(text->cookie), "%" PRIx64, occupant->cookie);
		add_text(&b, "cookie", text->cookie);
		add_number(&b, "cgroup_id", occupant->cgroup_id);
		if (cgroup) {
			add_text(&b, "cgroup", shorten(cgroup, text->cgroup));
			add_text(&b, "unit",
				 cgroup_path_unit(cgroup, text->unit, sizeof(text->unit)));
		}
		add_leaker(&b, &incident->leaker, text);
	}
	if (incident->error)
		add_text(&b, "error", strerror(-incident->error));
	if (incident->kind == INCIDENT_SYN)
		add_number(&b, "verdict_us", incident->verdict_us);
	return b.n;
}

/* Whether a value can stand bare: nothing in it is a space or a quote or must be escaped. */
static bool is_bare(const char *text)
{
	size_t len;

	if (!*text)
		return false;
	for (; *text; text += len) {
		len = utf8_printable(text);
		if (len == 0 || strchr(" \"\\=", *text))
			return false;
	}
	return true;
}

struct writer {
	char *at;
	size_t left; /* the final NUL included */
};

static void put(struct writer *w, char c)
{
	if (w->left > 1) {
		*w->at++ = c;
		w->left--;
	}
}

static void put_text(struct writer *w, const char *text)
{
	while (*text)
		put(w, *text++);
}

static void put_quoted(struct writer *w, const char *text)
{
	char hex[5];

	put(w, '"');
	while (*text) {
		size_t len = utf8_printable(text);

		if (len == 0) {
			snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)*text++);
			put_text(w, hex);
			continue;
		}
		if (*text == '"' || *text == '\\')
			put(w, '\\');
		for (; len > 0; len--)
			put(w, *text++);
	}
	put(w, '"');
}

void event_format_text(const struct event_field *fields, size_t n, char *buf, size_t size)
{
	struct writer w = {buf, size};
	char number[24];

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			put(&w, ' ');
		put_text(&w, fields[i].key);
		put(&w, '=');
		if (!fields[i].text) {
			snprintf(number, sizeof(number), "%" PRIu64, fields[i].number);
			put_text(&w, number);
		} else if (is_bare(fields[i].text)) {
			put_text(&w, fields[i].text);
		} else {
			put_quoted(&w, fields[i].text);
		}
	}
	*w.at = '\0';
}

/* A path may hold bytes that are no UTF-8; the quoted form of text events is. */
static json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	char quoted[EVENT_LINE_SIZE];
	struct writer w = {quoted, sizeof(quoted)};

	if (value)
		return value;
	for (; *text; text++) {
		char hex[5];

		if ((unsigned char)*text < 0x80) {
			put(&w, *text);
			continue;
		}
		snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)*text);
		put_text(&w, hex);
	}
	*w.at = '\0';
	return json_string(quoted);
}

json_t *event_object(const struct event_field *fields, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(object, fields[i].key,
				    fields[i].text ? json_text(fields[i].text)
						   : json_integer((json_int_t)fields[i].number));
	return object;
}

char *event_format_json(const struct event_field *fields, size_t n)
{
	json_t *object = event_object(fields, n);
	char *line = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return line;
}

static enum log_level level_of(const struct incident *incident)
{
	/* What hurts nobody (yet) is worth a line, not an alarm. */
	if (incident->kind == INCIDENT_MINE || incident->finding == FINDING_UNPROVEN ||
	    incident->finding == FINDING_FOREIGN_SOURCE)
		return LEVEL_INFO;
	return LEVEL_WARNING;
}

static void suppress(struct event_output *output)
{
	output->suppressed++;
	output->suppressed_total++;
}

static void write_event(struct event_output *output, const struct incident *incident,
			const char *line, const struct event_field *fields, size_t n)
{
	enum log_level level = level_of(incident);
	int err = -ENOENT;

	if (output->journal)
		err = journal_send(output->journal, level, journal_message_id(incident), line,
				   fields, n);
	if (err == -EAGAIN)
		suppress(output); /* by another way to the same journal we would have to wait */
	else if (err < 0 && output->json)
		log_raw(level, line);
	else if (err < 0)
		log_line(level, line);
}

void event_tell(struct event_output *output, const struct incident *incident, uint64_t now_us)
{
	struct event_field fields[EVENT_FIELDS_MAX];
	struct event_text text;
	size_t n;

	if (!log_enabled(level_of(incident)))
		return;
	if (!ratelimit_take(&output->limit, now_us)) {
		suppress(output);
		return;
	}
	event_tell_suppressed(output);
	n = event_fields(incident, cgroup_path(output->cgroups, incident->occupant.cgroup_id),
			 &text, fields);
	if (output->json) {
		char *line = event_format_json(fields, n);

		if (line)
			write_event(output, incident, line, fields, n);
		free(line);
	} else {
		char line[EVENT_LINE_SIZE];

		event_format_text(fields, n, line, sizeof(line));
		write_event(output, incident, line, fields, n);
	}
}

void event_tell_suppressed(struct event_output *output)
{
	if (output->suppressed == 0)
		return;
	log_warnx("suppressed %" PRIu64 " events: more than limits.events_per_second (%u), or than "
		  "the journal takes",
		  output->suppressed, output->limit.per_second);
	output->suppressed = 0;
}
