/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names are part of the interface: documented in closewaitctl(8). */
#include "config.h"

#include "ctlscan.h"
#include "control.h"
#include "log.h"

#include <string.h>
#include <sys/param.h>

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

static json_t *socket_object(const struct scan_socket *s)
{
	json_t *object =
		json_pack("{s:s, s:b}", "kind", scan_kind_name(s->kind), "colliding", s->colliding);

	if (s->fd >= 0)
		set_number(object, "fd", (uint64_t)s->fd);
	set_endpoint(object, "peer", &s->tuple.dst);
	set_number(object, "age_ms", s->age_ms);
	set_number(object, "unread", s->unread);
	set_number(object, "inode", s->inode);
	set_number(object, "holders", s->holders);
	return object;
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

static json_t *leaker_object(const struct ctlscan_view *view, const struct scan_leaker *leaker)
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
	if (view->fds) {
		json_t *sockets = json_array();

		for (size_t i = 0; i < leaker->n_sockets; i++)
			json_array_append_new(sockets, socket_object(&leaker->sockets[i]));
		json_object_set_new(object, "sockets", sockets);
	}
	return object;
}

static json_t *client_object(const struct scan_client *client)
{
	char text[INET6_ADDRSTRLEN];
	json_t *object = json_object();

	set_text(object, "address", addr_format(&client->addr, text));
	set_number(object, "mines", client->mines);
	set_number(object, "mines_drawn", client->chance.mines);
	set_number(object, "ports_drawn", client->chance.ports);
	set_share(object, client->chance.share);
	return object;
}

static json_t *listener_object(const struct ctlscan_view *view,
			       const struct scan_listener *listener)
{
	json_t *object = json_object(), *leakers = json_array(), *clients = json_array();

	set_endpoint(object, "local", &listener->local);
	json_object_set_new(object, "listens", json_boolean(listener->listens));
	if (listener->listens) {
		set_number(object, "queued", listener->queued);
		set_number(object, "backlog", listener->backlog);
	}
	set_counts(object, listener->counts);
	set_number(object, "colliding", listener->colliding);
	set_share(object, listener->share);
	for (size_t i = 0; i < listener->n_leakers; i++)
		json_array_append_new(leakers, leaker_object(view, &listener->leakers[i]));
	for (size_t i = 0; i < listener->n_clients; i++)
		json_array_append_new(clients, client_object(&listener->clients[i]));
	json_object_set_new(object, "leakers", leakers);
	json_object_set_new(object, "clients", clients);
	return object;
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

json_t *ctlscan_object(const struct ctlscan_view *view)
{
	const struct scan *scan = view->scan;
	json_t *object = json_object(), *listeners = json_array();
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
	for (size_t i = 0; i < scan->n_listeners; i++)
		json_array_append_new(listeners, listener_object(view, &scan->listeners[i]));
	json_object_set_new(object, "listeners", listeners);
	return json_pack("{s:o, s:b, s:i}", "scan", object, "ok", 1, "version", CONTROL_VERSION);
}
