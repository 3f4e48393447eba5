/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scan has found, in words: the verdict, and what could not be seen. */
#include "config.h"

#include "ctlscan.h"
#include "ctlsentence.h"
#include "policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Listeners in words; the rest is in the table. */
#define VERDICTS_MAX 3

/* --- names and numbers -------------------------------------------------------------------------*/

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

const char *ctlscan_format_growth(double growth, char buf[static CTLPRINT_SIZE])
{
	snprintf(buf, CTLPRINT_SIZE, growth > -10 && growth < 10 ? "%+.1f/min" : "%+.0f/min",
		 growth);
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
	if (unit && strcmp(unit, POLICY_UNIT_IN_DOUBT) == 0)
		unit = "unit unknown";
	ctlscan_clean(leaker->process.comm, name, sizeof(name));
	snprintf(buf, CTLSCAN_LEAKER_SIZE, "%s (%s%s%s)", name[0] ? name : "an unknown process",
		 who, unit ? ", " : "",
		 unit ? ctlscan_clean(unit, clean_unit, sizeof(clean_unit)) : "");
	return buf;
}

/* --- the verdict -------------------------------------------------------------------------------*/

static void say_chance(struct sentence *s, const struct ctlscan_view *view,
		       const struct scan_listener *listener)
{
	char count[CTLPRINT_SIZE], from[INET6_ADDRSTRLEN];

	if (!view->ephemeral)
		return;
	if (listener->share >= CTLSCAN_PERCENT_SHARE)
		sentence_say(s, ", %.0f %% of the connects", listener->share * 100);
	else if (listener->share > 0)
		sentence_say(s, ", 1 connect in %s",
			     ctlprint_count((uint64_t)(1 / listener->share + 0.5), count));
	else
		sentence_say(s, ", none of them on a port that connect() draws");
	if (listener->share > 0 && listener->n_clients > 1)
		sentence_say(s, " from %s", addr_format(&listener->clients[0].addr, from));
	if (listener->share > 0)
		sentence_say(s, " will collide");
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
	sentence_say(&s, "%s", ctlscan_name_leaker(view->cgroups, worst, name));
	if (others > 0)
		sentence_say(&s, " and %zu other%s leak sockets", others, plural(others));
	else if (worst->not_accepted == worst->n_sockets)
		sentence_say(&s, " does not accept connections");
	else
		sentence_say(&s, " leaks sockets");
	sentence_say(&s, " on %s: %s mine%s", endpoint_format(&listener->local, local),
		     ctlprint_count(mines, text), plural(mines));
	if (sum_growth(listener, &growth))
		sentence_say(&s, ", %s", ctlscan_format_growth(growth, text));
	say_chance(&s, view, listener);
	sentence_say(&s, ".");
	sentence_print(&s, COLOUR_BAD);
}

/* What is not a mine, in one sentence. */
static void print_harmless(const struct scan *scan)
{
	struct sentence s = {.len = 0};
	char count[CTLPRINT_SIZE];
	const char *comma = "";

	if (scan->n_sockets == 0) {
		sentence_say(&s, "No mines: there is no socket in CLOSE_WAIT.");
		sentence_print(&s, COLOUR_GOOD);
		return;
	}
	sentence_say(&s, "No mines. In CLOSE_WAIT:");
	if (scan->counts[SCAN_HALF_CLOSED] > 0) {
		sentence_say(&s, " %s whose peer still exists",
			     ctlprint_count(scan->counts[SCAN_HALF_CLOSED], count));
		comma = ",";
	}
	if (scan->counts[SCAN_REMOTE] > 0) {
		sentence_say(&s, "%s %s with a remote peer", comma,
			     ctlprint_count(scan->counts[SCAN_REMOTE], count));
		comma = ",";
	}
	if (scan->counts[SCAN_UNCERTAIN] > 0)
		sentence_say(&s, "%s %s that are uncertain", comma,
			     ctlprint_count(scan->counts[SCAN_UNCERTAIN], count));
	sentence_say(&s, ".");
	sentence_print(&s, COLOUR_GOOD);
}

void ctlscan_print_verdict(const struct ctlscan_view *view)
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
		sentence_say(&s, "There are mines on %zu more listeners, see below.",
			     leaking - VERDICTS_MAX);
		sentence_print(&s, COLOUR_BAD);
	}
	if (colliding > 0) {
		sentence_say(&s, "At this moment %zu client%s connecting to a mine.", colliding,
			     colliding == 1 ? " is" : "s are");
		sentence_print(&s, COLOUR_BAD);
	}
}

/* --- what could not be seen -------------------------------------------------------------------*/

static void print_note(struct sentence *s)
{
	putchar('\n');
	sentence_print(s, COLOUR_NONE);
}

static void print_unseen(const struct scan *scan)
{
	struct sentence s = {.len = 0};
	char count[CTLPRINT_SIZE];

	if (scan->unattributed == 0)
		return;
	sentence_say(&s, "Who holds %s of the sockets is not known: ",
		     ctlprint_count(scan->unattributed, count));
	if (scan->owner_error < 0)
		sentence_say(&s, "/proc cannot be read: %s.", strerror(-scan->owner_error));
	else if (scan->view.hidden)
		sentence_say(&s, "/proc shows only some of the processes here (hidepid).");
	else if (scan->view.denied > 0)
		sentence_say(&s, "%s process%s not for this user to see. As root scan sees all.",
			     ctlprint_count(scan->view.denied, count),
			     scan->view.denied == 1 ? " is" : "es are");
	else
		sentence_say(&s, "no process has a descriptor for them.");
	print_note(&s);
}

void ctlscan_print_notes(const struct ctlscan_view *view)
{
	const struct scan *scan = view->scan;
	struct sentence s = {.len = 0};

	print_unseen(scan);
	if (scan->counts[SCAN_UNCERTAIN] > 0) {
		sentence_say(
			&s,
			"Connection tracking is at work, so that destinations may be rewritten: an "
			"uncertain socket has none on its reverse tuple, but one on its peer's "
			"address and port which may be that peer.");
		print_note(&s);
	}
	if (scan->changed) {
		sentence_say(
			&s,
			"The kernel says that its table of sockets changed during the scan: some "
			"may be missing.");
		print_note(&s);
	}
	if (!view->ephemeral) {
		sentence_say(&s, "How often connects collide is not known: " EPHEMERAL_ROOT
				 "/ip_local_port_range cannot be read.");
		print_note(&s);
	}
}
