/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First the verdict in words, then the figures behind it, at last what could not be seen: who reads
 * on has a reason to.
 */
#include "config.h"

#include "ctlprint.h"
#include "ctlscan.h"
#include "ctltable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Listeners in words, and source addresses in figures; the rest is in the table, or in JSON. */
#define VERDICTS_MAX 3
#define CLIENTS_MAX  20
/* Below this a text is no easier to read for being wrapped. */
#define WIDTH_LEAST 40
/* From this share on a percentage says more than "1 in N". */
#define PERCENT_SHARE 0.1

/* Columns of the terminal; 0: it is none. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

/* --- words ------------------------------------------------------------------------------------*/

static void print_wrapped(enum ctlprint_colour colour, const char *text)
{
	size_t width = terminal_width(), column = 0;

	fputs(ctlprint_colour(colour), stdout);
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > 0 && width > 0 && column + 1 + word > width) {
			putchar('\n');
			column = 0;
		} else if (column > 0) {
			putchar(' ');
			column++;
		}
		fwrite(text, 1, word, stdout);
		column += word;
		text += word + strspn(text + word, " ");
	}
	printf("%s\n", ctlprint_colour(COLOUR_NONE));
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "1 in 54", "16 %"; empty for none. */
static const char *format_share(double share, char buf[static CTLPRINT_SIZE])
{
	char count[CTLPRINT_SIZE];

	buf[0] = '\0';
	if (share >= PERCENT_SHARE)
		snprintf(buf, CTLPRINT_SIZE, "%.0f %%", share * 100);
	else if (share > 0)
		snprintf(buf, CTLPRINT_SIZE, "1 in %s",
			 ctlprint_count((uint64_t)(1 / share + 0.5), count));
	return buf;
}

/* "+31/min". */
static const char *format_growth(double growth, char buf[static CTLPRINT_SIZE])
{
	snprintf(buf, CTLPRINT_SIZE, growth > -10 && growth < 10 ? "%+.1f/min" : "%+.0f/min",
		 growth);
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

const char *ctlscan_name_leaker(struct cgroup_map *cgroups, const struct scan_leaker *leaker,
				char buf[static CTLSCAN_LEAKER_SIZE])
{
	const char *unit = cgroup_unit(cgroups, leaker->cgroup_id);
	char name[CTLSCAN_NAME_SIZE], clean_unit[256], who[32];

	if (leaker->process.pid == 0)
		snprintf(who, sizeof(who), "uid %" PRIu32, (uint32_t)leaker->uid);
	else
		snprintf(who, sizeof(who), "pid %d", (int)leaker->process.pid);
	ctlscan_clean(leaker->process.comm, name, sizeof(name));
	snprintf(buf, CTLSCAN_LEAKER_SIZE, "%s (%s%s%s)", name[0] ? name : "an unknown process",
		 who, unit ? ", " : "",
		 unit ? ctlscan_clean(unit, clean_unit, sizeof(clean_unit)) : "");
	return buf;
}

/* A sentence in the making. */
struct sentence {
	size_t len;
	char text[1024];
};

static void say(struct sentence *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct sentence *s, const char *fmt, ...)
{
	size_t left = sizeof(s->text) - s->len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(s->text + s->len, left, fmt, ap);
	va_end(ap);
	s->len += (size_t)len < left ? (size_t)len : left - 1;
}

static void say_chance(struct sentence *s, const struct ctlscan_view *view,
		       const struct scan_listener *listener)
{
	char count[CTLPRINT_SIZE], from[INET6_ADDRSTRLEN];

	if (!view->ephemeral)
		return;
	if (listener->share >= PERCENT_SHARE)
		say(s, ", %.0f %% of the connects", listener->share * 100);
	else if (listener->share > 0)
		say(s, ", 1 connect in %s",
		    ctlprint_count((uint64_t)(1 / listener->share + 0.5), count));
	else
		say(s, ", none of them on a port that connect() draws");
	if (listener->share > 0 && listener->n_clients > 1)
		say(s, " from %s", addr_format(&listener->clients[0].addr, from));
	if (listener->share > 0)
		say(s, " will collide");
}

/* The growth of all leakers that have mines, if it is known of each. */
static bool sum_growth(const struct scan_listener *listener, double *ret_growth)
{
	*ret_growth = 0;
	for (size_t i = 0; i < listener->n_leakers; i++) {
		const struct scan_leaker *leaker = &listener->leakers[i];

		if (leaker->counts[SCAN_MINE] > 0 && !leaker->growth_known)
			return false;
		*ret_growth += leaker->growth_known ? leaker->growth : 0;
	}
	return true;
}

/* Who has most mines comes first; those without any come last, and are no leakers. */
static void print_verdict_on(const struct ctlscan_view *view, const struct scan_listener *listener)
{
	const struct scan_leaker *worst = &listener->leakers[0];
	char name[CTLSCAN_LEAKER_SIZE], local[ENDPOINT_STRLEN], text[CTLPRINT_SIZE];
	struct sentence s = {.len = 0};
	size_t mines = listener->counts[SCAN_MINE], others = 0;
	double growth;

	while (others + 1 < listener->n_leakers &&
	       listener->leakers[others + 1].counts[SCAN_MINE] > 0)
		others++;
	say(&s, "%s", ctlscan_name_leaker(view->cgroups, worst, name));
	if (others > 0)
		say(&s, " and %zu other%s leak sockets", others, plural(others));
	else if (worst->not_accepted == worst->n_sockets)
		say(&s, " does not accept connections");
	else
		say(&s, " leaks sockets");
	say(&s, " on %s: %s mine%s", endpoint_format(&listener->local, local),
	    ctlprint_count(mines, text), plural(mines));
	if (sum_growth(listener, &growth))
		say(&s, ", %s", format_growth(growth, text));
	say_chance(&s, view, listener);
	say(&s, ".");
	print_wrapped(COLOUR_BAD, s.text);
}

/* What is not a mine, in one sentence. */
static void print_harmless(const struct scan *scan)
{
	struct sentence s = {.len = 0};
	char count[CTLPRINT_SIZE];
	const char *comma = "";

	if (scan->n_sockets == 0) {
		print_wrapped(COLOUR_GOOD, "No mines: there is no socket in CLOSE_WAIT.");
		return;
	}
	say(&s, "No mines. In CLOSE_WAIT:");
	if (scan->counts[SCAN_HALF_CLOSED] > 0) {
		say(&s, " %s whose peer still exists",
		    ctlprint_count(scan->counts[SCAN_HALF_CLOSED], count));
		comma = ",";
	}
	if (scan->counts[SCAN_REMOTE] > 0) {
		say(&s, "%s %s with a remote peer", comma,
		    ctlprint_count(scan->counts[SCAN_REMOTE], count));
		comma = ",";
	}
	if (scan->counts[SCAN_UNCERTAIN] > 0)
		say(&s, "%s %s that are uncertain", comma,
		    ctlprint_count(scan->counts[SCAN_UNCERTAIN], count));
	say(&s, ".");
	print_wrapped(COLOUR_GOOD, s.text);
}

static void print_verdict(const struct ctlscan_view *view)
{
	const struct scan *scan = view->scan;
	size_t leaking = 0, colliding = 0;
	struct sentence s = {.len = 0};

	for (size_t l = 0; l < scan->n_listeners; l++) {
		const struct scan_listener *listener = &scan->listeners[l];

		colliding += listener->colliding;
		if (listener->counts[SCAN_MINE] > 0 && ++leaking <= VERDICTS_MAX)
			print_verdict_on(view, listener);
	}
	if (leaking == 0)
		print_harmless(scan);
	if (leaking > VERDICTS_MAX) {
		say(&s, "There are mines on %zu more listeners, see below.",
		    leaking - VERDICTS_MAX);
		print_wrapped(COLOUR_BAD, s.text);
		s.len = 0;
	}
	if (colliding > 0) {
		say(&s, "At this moment %zu client%s connecting to a mine.", colliding,
		    colliding == 1 ? " is" : "s are");
		print_wrapped(COLOUR_BAD, s.text);
	}
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
		format_growth(leaker->growth, cells[GROWTH]);
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
		ctltable_print(table, stdout, terminal_width(), ctlprint_colour(COLOUR_DIM),
			       ctlprint_colour(COLOUR_NONE));
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
		ctltable_print(table, stdout, terminal_width(), ctlprint_colour(COLOUR_DIM),
			       ctlprint_colour(COLOUR_NONE));
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

/* --- what could not be seen -------------------------------------------------------------------*/

static void print_note(const struct sentence *s)
{
	putchar('\n');
	print_wrapped(COLOUR_NONE, s->text);
}

static void print_unseen(const struct scan *scan)
{
	struct sentence s = {.len = 0};
	char count[CTLPRINT_SIZE];

	if (scan->unattributed == 0)
		return;
	say(&s, "Who holds %s of the sockets is not known: ",
	    ctlprint_count(scan->unattributed, count));
	if (scan->owner_error < 0)
		say(&s, "/proc cannot be read: %s.", strerror(-scan->owner_error));
	else if (scan->view.hidden)
		say(&s, "/proc shows only some of the processes here (hidepid).");
	else if (scan->view.denied > 0)
		say(&s, "%s process%s not for this user to see. As root scan sees all.",
		    ctlprint_count(scan->view.denied, count),
		    scan->view.denied == 1 ? " is" : "es are");
	else
		say(&s, "no process has a descriptor for them.");
	print_note(&s);
}

static void print_notes(const struct ctlscan_view *view)
{
	const struct scan *scan = view->scan;
	struct sentence s = {.len = 0};

	print_unseen(scan);
	if (scan->counts[SCAN_UNCERTAIN] > 0) {
		say(&s, "Connection tracking is at work, so that destinations may be rewritten: an "
			"uncertain socket has none on its reverse tuple, but one on its peer's "
			"address and port which may be that peer.");
		print_note(&s);
		s.len = 0;
	}
	if (scan->changed) {
		say(&s,
		    "The kernel says that its table of sockets changed during the scan: some may "
		    "be missing.");
		print_note(&s);
		s.len = 0;
	}
	if (!view->ephemeral) {
		say(&s, "How often connects collide is not known: " EPHEMERAL_ROOT
			"/ip_local_port_range cannot be read.");
		print_note(&s);
	}
}

void ctlscan_print(const struct ctlscan_view *view)
{
	print_verdict(view);
	print_listeners(view);
	print_clients(view);
	if (view->fds)
		print_descriptors(view->scan);
	print_notes(view);
}
