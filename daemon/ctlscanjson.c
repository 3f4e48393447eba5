/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names are part of the interface: documented in closewaitctl(8).
 *
 * A host that leaks has 100,000 sockets, and as one tree they would take ten times the memory of
 * the scan itself. So an object is built for one socket, and for what stands before a list, and
 * written at once.
 */
#include "config.h"

#include "ctlscan.h"
#include "control.h"
#include "log.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/param.h>

/* --- pieces -----------------------------------------------------------------------------------*/

struct writer {
	const struct ctlscan_view *view;
	FILE *to;
	int err; /* the first one; nothing is written after it */
};

static void put_text(struct writer *w, const char *text)
{
	if (w->err == 0 && fputs(text, w->to) == EOF)
		w->err = -errno;
}

/* Takes the reference; object NULL: there was no memory for it. */
static void put_json(struct writer *w, json_t *object, size_t flags)
{
	errno = ENOMEM;
	if (w->err == 0 && (!object || json_dumpf(object, w->to, JSON_COMPACT | flags) < 0))
		w->err = -errno;
	json_decref(object);
}

/* A list of n elements, which something stands before. */
static void put_list(struct writer *w, const char *name, size_t n, const void *elements,
		     void (*put)(struct writer *w, const void *elements, size_t i))
{
	put_text(w, ",\"");
	put_text(w, name);
	put_text(w, "\":[");
	for (size_t i = 0; i < n && w->err == 0; i++) {
		if (i > 0)
			put_text(w, ",");
		put(w, elements, i);
	}
	put_text(w, "]");
}

/* --- objects ----------------------------------------------------------------------------------*/

static void set_number(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_text(json_t *object, const char *key, const char *text)
{
	char clean[MAXPATHLEN];

	if (text && *text)
		json_object_set_new(object, key,
				    json_string(ctlscan_clean(text, clean, sizeof(clean))));
}

static void set_endpoint(json_t *object, const char *key, const struct endpoint *endpoint)
{
	char text[ENDPOINT_STRLEN];

	set_text(object, key, endpoint_format(endpoint, text));
}

static void set_counts(json_t *object, const size_t counts[SCAN_KINDS])
{
	static const char *const names[SCAN_KINDS] = {
		[SCAN_MINE] = "mines",
		[SCAN_HALF_CLOSED] = "half_closed",
		[SCAN_REMOTE] = "remote",
		[SCAN_UNCERTAIN] = "uncertain",
	};

	for (size_t kind = 0; kind < SCAN_KINDS; kind++)
		set_number(object, names[kind], counts[kind]);
}

static void set_share(json_t *object, double share)
{
	json_object_set_new(object, "collision_share", json_real(share));
	json_object_set_new(object, "connects_per_collision",
			    share > 0 ? json_real(1 / share) : json_null());
}

static void put_socket(struct writer *w, const void *sockets, size_t i)
{
	const struct scan_socket *s = (const struct scan_socket *)sockets + i;
	json_t *object =
		json_pack("{s:s, s:b}", "kind", scan_kind_name(s->kind), "colliding", s->colliding);

	if (s->fd >= 0)
		set_number(object, "fd", (uint64_t)s->fd);
	set_endpoint(object, "peer", &s->tuple.dst);
	set_number(object, "age_ms", s->age_ms);
	set_number(object, "unread", s->unread);
	set_number(object, "inode", s->inode);
	set_number(object, "holders", s->holders);
	put_json(w, object, 0);
}

static void set_process(json_t *object, const struct owner_process *process)
{
	if (process->pid == 0)
		return;
	set_number(object, "pid", (uint64_t)process->pid);
	set_text(object, "program", process->comm);
	set_text(object, "exe", process->exe);
	if (process->fd_count >= 0)
		set_number(object, "descriptors", (uint64_t)process->fd_count);
	if (process->fd_limit > 0 && process->fd_limit <= INT64_MAX)
		set_number(object, "descriptor_limit", process->fd_limit);
}

static json_t *leaker_head(const struct ctlscan_view *view, const struct scan_leaker *leaker)
{
	const char *path = cgroup_path(view->cgroups, leaker->cgroup_id);
	json_t *object = json_object();

	set_process(object, &leaker->process);
	set_number(object, "uid", leaker->uid);
	set_text(object, "cgroup", path);
	if (path)
		set_text(object, "unit", cgroup_unit(view->cgroups, leaker->cgroup_id));
	set_counts(object, leaker->counts);
	set_number(object, "not_accepted", leaker->not_accepted);
	set_number(object, "shared", leaker->shared);
	set_number(object, "unread", leaker->unread);
	set_number(object, "oldest_ms", leaker->oldest_ms);
	json_object_set_new(object, "growth_per_minute",
			    leaker->growth_known ? json_real(leaker->growth) : json_null());
	return object;
}

static void put_leaker(struct writer *w, const void *leakers, size_t i)
{
	const struct scan_leaker *leaker = (const struct scan_leaker *)leakers + i;

	put_text(w, "{");
	put_json(w, leaker_head(w->view, leaker), JSON_EMBED);
	if (w->view->fds)
		put_list(w, "sockets", leaker->n_sockets, leaker->sockets, put_socket);
	put_text(w, "}");
}

static void put_client(struct writer *w, const void *clients, size_t i)
{
	const struct scan_client *client = (const struct scan_client *)clients + i;
	char text[INET6_ADDRSTRLEN];
	json_t *object = json_object();

	set_text(object, "address", addr_format(&client->addr, text));
	set_number(object, "mines", client->mines);
	set_number(object, "mines_drawn", client->chance.mines);
	set_number(object, "ports_drawn", client->chance.ports);
	set_share(object, client->chance.share);
	put_json(w, object, 0);
}

static json_t *listener_head(const struct scan_listener *listener)
{
	json_t *object = json_object();

	set_endpoint(object, "local", &listener->local);
	json_object_set_new(object, "listens", json_boolean(listener->listens));
	if (listener->listens) {
		set_number(object, "queued", listener->queued);
		set_number(object, "backlog", listener->backlog);
	}
	set_counts(object, listener->counts);
	set_number(object, "colliding", listener->colliding);
	set_share(object, listener->share);
	return object;
}

static void put_listener(struct writer *w, const void *listeners, size_t i)
{
	const struct scan_listener *listener = (const struct scan_listener *)listeners + i;

	put_text(w, "{");
	put_json(w, listener_head(listener), JSON_EMBED);
	put_list(w, "leakers", listener->n_leakers, listener->leakers, put_leaker);
	put_list(w, "clients", listener->n_clients, listener->clients, put_client);
	put_text(w, "}");
}

static void set_view(json_t *object, const struct scan *scan)
{
	set_number(object, "unattributed", scan->unattributed);
	if (scan->owner_error < 0) {
		set_text(object, "processes_error", strerror(-scan->owner_error));
		return;
	}
	set_number(object, "processes_seen", scan->view.processes);
	set_number(object, "processes_denied", scan->view.denied);
	json_object_set_new(object, "processes_hidden", json_boolean(scan->view.hidden));
}

static json_t *scan_head(const struct ctlscan_view *view)
{
	const struct scan *scan = view->scan;
	json_t *object = json_object();
	char time[LOG_TIME_SIZE];

	set_text(object, "time", log_time(view->realtime_ns, time));
	set_number(object, "close_wait", scan->n_sockets);
	set_counts(object, scan->counts);
	set_view(object, scan);
	json_object_set_new(object, "connection_tracking", json_boolean(scan->tracks));
	json_object_set_new(object, "table_changed", json_boolean(scan->changed));
	if (view->ephemeral)
		json_object_set_new(
			object, "port_range",
			json_pack("[i, i]", view->ephemeral->low, view->ephemeral->high));
	return object;
}

int ctlscan_write(const struct ctlscan_view *view, FILE *to)
{
	struct writer w = {.view = view, .to = to};

	put_text(&w, "{\"scan\":{");
	put_json(&w, scan_head(view), JSON_EMBED);
	put_list(&w, "listeners", view->scan->n_listeners, view->scan->listeners, put_listener);
	put_text(&w, "},");
	put_json(&w, json_pack("{s:b, s:i}", "ok", 1, "version", CONTROL_VERSION), JSON_EMBED);
	put_text(&w, "}\n");
	if (w.err == 0 && fflush(to) == EOF)
		w.err = -errno;
	return w.err;
}
