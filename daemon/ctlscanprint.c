/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First the verdict in words, then the figures behind it, at last what could not be seen: who reads
 * on has a reason to.
 */
#include "config.h"

#include "ctlprint.h"
#include "ctlscan.h"
#include "ctlsentence.h"
#include "ctltable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Source addresses; the rest is in JSON. */
#define CLIENTS_MAX 20

/* "1 in 54", "16 %"; empty for none. */
static const char *format_share(double share, char buf[static CTLPRINT_SIZE])
{
	char count[CTLPRINT_SIZE];

	buf[0] = '\0';
	if (share >= CTLSCAN_PERCENT_SHARE)
		snprintf(buf, CTLPRINT_SIZE, "%.0f %%", share * 100);
	else if (share > 0)
		snprintf(buf, CTLPRINT_SIZE, "1 in %s",
			 ctlprint_count((uint64_t)(1 / share + 0.5), count));
	return buf;
}

static const char *format_bytes(uint64_t bytes, char buf[static CTLPRINT_SIZE])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, CTLPRINT_SIZE, unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
	return buf;
}

/* --- figures ----------------------------------------------------------------------------------*/

enum column {
	LISTENER,
	MINES,
	GROWTH,
	COLLIDES,
	NOW,
	OLDEST,
	HALF_CLOSED,
	REMOTE,
	UNCERTAIN,
	NOT_ACCEPTED,
	UNREAD,
	FDS,
	QUEUE,
	LEAKER,
	COLUMNS
};

static const struct ctltable_column columns[COLUMNS] = {
	[LISTENER] = {"LISTENER", false, 0},
	[MINES] = {"MINES", true, 0},
	[GROWTH] = {"GROWTH", true, 10},
	[COLLIDES] = {"COLLIDES", true, 11},
	[NOW] = {"NOW", true, 9},
	[OLDEST] = {"OLDEST", true, 8},
	[HALF_CLOSED] = {"HALF-CLOSED", true, 6},
	[REMOTE] = {"REMOTE", true, 5},
	[UNCERTAIN] = {"UNCERTAIN", true, 4},
	[NOT_ACCEPTED] = {"NOT-ACCEPTED", true, 3},
	[UNREAD] = {"UNREAD", true, 1},
	[FDS] = {"FDS", true, 7},
	[QUEUE] = {"QUEUE", true, 2},
	[LEAKER] = {"LEAKER", false, 0},
};

typedef char row[COLUMNS][CTLSCAN_LEAKER_SIZE];

/* A column of nothing but zeros is left out. */
static void put_count(char *cell, uint64_t count)
{
	char text[CTLPRINT_SIZE];

	if (count > 0)
		snprintf(cell, CTLSCAN_LEAKER_SIZE, "%s", ctlprint_count(count, text));
}

static void put_listener(row cells, const struct scan_listener *listener)
{
	char queued[CTLPRINT_SIZE], backlog[CTLPRINT_SIZE];

	endpoint_format(&listener->local, cells[LISTENER]);
	format_share(listener->share, cells[COLLIDES]);
	put_count(cells[NOW], listener->colliding);
	if (listener->listens)
		snprintf(cells[QUEUE], sizeof(cells[QUEUE]), "%s/%s",
			 ctlprint_count(listener->queued, queued),
			 ctlprint_count(listener->backlog, backlog));
}

static void put_leaker(row cells, const struct ctlscan_view *view, const struct scan_leaker *leaker)
{
	const struct owner_process *process = &leaker->process;
	char text[CTLPRINT_SIZE];

	ctlprint_count(leaker->counts[SCAN_MINE], cells[MINES]);
	if (leaker->growth_known)
		ctlscan_format_growth(leaker->growth, cells[GROWTH]);
	ctlprint_duration(leaker->oldest_ms, cells[OLDEST]);
	put_count(cells[HALF_CLOSED], leaker->counts[SCAN_HALF_CLOSED]);
	put_count(cells[REMOTE], leaker->counts[SCAN_REMOTE]);
	put_count(cells[UNCERTAIN], leaker->counts[SCAN_UNCERTAIN]);
	put_count(cells[NOT_ACCEPTED], leaker->not_accepted);
	if (leaker->unread > 0)
		format_bytes(leaker->unread, cells[UNREAD]);
	if (process->fd_count >= 0)
		put_count(cells[FDS], (uint64_t)process->fd_count);
	if (cells[FDS][0] && process->fd_limit > 0 && process->fd_limit != UINT64_MAX) {
		strcat(cells[FDS], "/");
		strcat(cells[FDS], ctlprint_count(process->fd_limit, text));
	}
	ctlscan_name_leaker(view->cgroups, leaker, cells[LEAKER]);
}

/* The table is dropped, as is all else, only when there is no memory. */
static void add_row(struct ctltable *table, row cells)
{
	const char *texts[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		texts[i] = cells[i];
	ctltable_add(table, texts);
}

static void print_listeners(const struct ctlscan_view *view)
{
	const struct scan *scan = view->scan;
	struct ctltable *table = ctltable_new(columns, COLUMNS);

	for (size_t l = 0; table && l < scan->n_listeners; l++) {
		const struct scan_listener *listener = &scan->listeners[l];

		for (size_t i = 0; i < listener->n_leakers; i++) {
			row cells = {{0}};

			if (i == 0)
				put_listener(cells, listener);
			put_leaker(cells, view, &listener->leakers[i]);
			add_row(table, cells);
		}
	}
	if (table && scan->n_listeners > 0) {
		putchar('\n');
		ctltable_print(table, stdout, sentence_terminal_width(),
			       ctlprint_colour(COLOUR_DIM), ctlprint_colour(COLOUR_NONE));
	}
	ctltable_free(table);
}

/* Whether the source addresses say more than the listener's one line does. */
static bool clients_differ(const struct scan_listener *listener)
{
	return listener->n_clients > 1 ||
	       (listener->n_clients == 1 &&
		listener->clients[0].chance.mines < listener->clients[0].mines);
}

static void add_client(struct ctltable *table, const struct scan_listener *listener,
		       const struct scan_client *client)
{
	char local[ENDPOINT_STRLEN], from[INET6_ADDRSTRLEN], mines[CTLPRINT_SIZE];
	char drawn[CTLPRINT_SIZE], ports[CTLPRINT_SIZE], share[CTLPRINT_SIZE];
	const char *const cells[] = {
		endpoint_format(&listener->local, local),
		addr_format(&client->addr, from),
		ctlprint_count(client->mines, mines),
		ctlprint_count(client->chance.mines, drawn),
		ctlprint_count(client->chance.ports, ports),
		format_share(client->chance.share, share),
	};

	ctltable_add(table, cells);
}

static void print_clients(const struct ctlscan_view *view)
{
	static const struct ctltable_column client_columns[] = {
		{"LISTENER", false, 0}, {"SOURCE", false, 0}, {"MINES", true, 0},
		{"DRAWN", true, 3},	{"PORTS", true, 2},   {"COLLIDES", true, 4},
	};
	const size_t n_columns = sizeof(client_columns) / sizeof(client_columns[0]);
	const struct scan *scan = view->scan;
	struct ctltable *table = ctltable_new(client_columns, n_columns);
	size_t rows = 0;

	for (size_t l = 0; table && l < scan->n_listeners; l++) {
		const struct scan_listener *listener = &scan->listeners[l];

		for (size_t i = 0; clients_differ(listener) && i < listener->n_clients; i++) {
			if (++rows <= CLIENTS_MAX)
				add_client(table, listener, &listener->clients[i]);
		}
	}
	if (table && rows > 0 && view->ephemeral) {
		printf("\nBy source address; connect() draws from the ports %u to %u:\n",
		       view->ephemeral->low, view->ephemeral->high);
		ctltable_print(table, stdout, sentence_terminal_width(),
			       ctlprint_colour(COLOUR_DIM), ctlprint_colour(COLOUR_NONE));
		if (rows > CLIENTS_MAX)
			printf("and %zu more: --json tells all\n", rows - CLIENTS_MAX);
	}
	ctltable_free(table);
}

/* As many as there are: written at once, and not kept. */
static void print_descriptors(const struct scan *scan)
{
	if (scan->n_sockets == 0)
		return;
	printf("\n%s%8s %8s  %-11s %12s %10s  %s%s\n", ctlprint_colour(COLOUR_DIM), "PID", "FD",
	       "KIND", "AGE", "UNREAD", "SOCKET, PEER", ctlprint_colour(COLOUR_NONE));
	for (size_t i = 0; i < scan->n_sockets; i++) {
		const struct scan_socket *s = &scan->sockets[i];
		char pid[16] = "-", fd[16] = "-", age[CTLPRINT_SIZE], unread[CTLPRINT_SIZE];
		char local[ENDPOINT_STRLEN], peer[ENDPOINT_STRLEN];

		if (s->pid != 0)
			snprintf(pid, sizeof(pid), "%d", (int)s->pid);
		if (s->fd >= 0)
			snprintf(fd, sizeof(fd), "%d", s->fd);
		printf("%8s %8s  %-11s %12s %10s  %s %s\n", pid, fd, scan_kind_name(s->kind),
		       ctlprint_duration(s->age_ms, age), format_bytes(s->unread, unread),
		       endpoint_format(&s->tuple.src, local), endpoint_format(&s->tuple.dst, peer));
	}
}

void ctlscan_print(const struct ctlscan_view *view)
{
	ctlscan_print_verdict(view);
	print_listeners(view);
	print_clients(view);
	if (view->fds)
		print_descriptors(view->scan);
	ctlscan_print_notes(view);
}
