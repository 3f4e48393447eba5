/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "ctlprint.h"
#include "fullqueue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of those that the daemon keeps, fullqueue.h; all are in the JSON. */
#define FULL_QUEUES_SHOWN 10

static void print_mode(const json_t *status)
{
	const char *source = ctlprint_text(status, "mode_source");
	const char *mode = ctlprint_text(status, "mode");
	const char *in_file = ctlprint_text(status, "mode_in_file");

	if (strcmp(source, "file") == 0)
		ctlprint_pair("mode", COLOUR_NONE, "%s", mode);
	else
		ctlprint_pair("mode", COLOUR_NONE, "%s, set by %s; the file says %s", mode,
			      strcmp(source, "option") == 0 ? "an option of closewaitd"
							    : "closewaitctl",
			      in_file);
}

static void print_config(const json_t *config)
{
	const char *error = ctlprint_text(config, "reload_error");

	ctlprint_pair("configuration", COLOUR_NONE, "%s, generation %" PRIu64,
		      ctlprint_text(config, "path"), ctlprint_number(config, "generation"));
	if (error[0])
		ctlprint_pair("refused", COLOUR_BAD, "%s; the one before stays in force", error);
}

static void print_policy(const json_t *policy)
{
	char stale[256] = "", min_age[CTLPRINT_SIZE];
	uint64_t min_age_ms = ctlprint_number(policy, "min_age_ms");
	const json_t *state;
	size_t i;

	json_array_foreach(json_object_get(policy, "stale"), i, state)
	{
		size_t len = strlen(stale);
		char word[CTLPRINT_SIZE];

		snprintf(stale + len, sizeof(stale) - len, "%s%s", i > 0 ? ", " : "",
			 ctlprint_word(json_string_value(state), word));
	}
	ctlprint_pair("policy", COLOUR_NONE, "%s by default, %" PRIu64 " rules%s%s; stale: %s",
		      ctlprint_text(policy, "default"), ctlprint_number(policy, "rules"),
		      min_age_ms ? ", younger than " : "",
		      min_age_ms ? ctlprint_duration(min_age_ms, min_age) : "", stale);
}

static void print_totals(const json_t *totals)
{
	char syns[CTLPRINT_SIZE], collisions[CTLPRINT_SIZE], destroyed[CTLPRINT_SIZE];
	char unproven[CTLPRINT_SIZE], full[CTLPRINT_SIZE], errors[CTLPRINT_SIZE];

	ctlprint_pair("seen", COLOUR_NONE,
		      "SYNs %s, collisions %s, sockets destroyed %s, unproven %s, accept queue "
		      "full %s, look-ups failed %s",
		      ctlprint_count(ctlprint_number(totals, "syns"), syns),
		      ctlprint_count(ctlprint_number(totals, "collisions"), collisions),
		      ctlprint_count(ctlprint_number(totals, "destroyed"), destroyed),
		      ctlprint_count(ctlprint_number(totals, "unproven"), unproven),
		      ctlprint_count(ctlprint_number(totals, "accept_queue_full"), full),
		      ctlprint_count(ctlprint_number(totals, "lookup_errors"), errors));
}

/* Who was in trouble last comes first. */
static int by_time(const void *a, const void *b)
{
	const json_t *const *left = a, *const *right = b;

	return strcmp(ctlprint_text(*right, "time"), ctlprint_text(*left, "time"));
}

static void print_full_queue(const json_t *entry)
{
	const char *unit = ctlprint_text(entry, "unit");
	char syns[CTLPRINT_SIZE], time[CTLPRINT_SIZE];

	printf("  %-21s  %s SYNs, the last at %s, with %" PRIu64 " waiting of %" PRIu64
	       ", uid %" PRIu64 "%s%s\n",
	       ctlprint_text(entry, "listener"),
	       ctlprint_count(ctlprint_number(entry, "syns"), syns),
	       ctlprint_time(ctlprint_text(entry, "time"), time), ctlprint_number(entry, "queued"),
	       ctlprint_number(entry, "backlog"), ctlprint_number(entry, "uid"),
	       unit[0] ? ", " : "", unit);
}

static void print_full_queues(const json_t *array)
{
	const json_t *entries[FULLQUEUE_MAX];
	size_t n = 0, i;
	const json_t *entry;

	json_array_foreach(array, i, entry)
	{
		if (n < FULLQUEUE_MAX)
			entries[n++] = entry;
	}
	if (n == 0)
		return;
	qsort(entries, n, sizeof(entries[0]), by_time);
	puts("full accept queues in the last hour:");
	for (i = 0; i < n && i < FULL_QUEUES_SHOWN; i++)
		print_full_queue(entries[i]);
	if (n > FULL_QUEUES_SHOWN)
		printf("  and %zu more, see --json\n", n - FULL_QUEUES_SHOWN);
}

static void print_coverage(const json_t *coverage)
{
	const char *state = ctlprint_text(coverage, "state");
	enum ctlprint_colour colour = COLOUR_NONE;

	if (strcmp(state, "ok") == 0)
		colour = COLOUR_GOOD;
	else if (strcmp(state, "missed") == 0 || strcmp(state, "not-fed") == 0)
		colour = COLOUR_BAD;
	ctlprint_pair("coverage", colour, "%s: %s", state, ctlprint_text(coverage, "text"));
}

static void print_last_sweep(const json_t *last)
{
	const char *error = ctlprint_text(last, "error");
	char time[CTLPRINT_SIZE], took[CTLPRINT_SIZE], mines[CTLPRINT_SIZE],
		destroyed[CTLPRINT_SIZE], alive[CTLPRINT_SIZE], young[CTLPRINT_SIZE];

	ctlprint_time(ctlprint_text(last, "time"), time);
	if (error[0]) {
		ctlprint_pair("last sweep", COLOUR_BAD, "%s, given up: %s", time, error);
		return;
	}
	ctlprint_pair("last sweep", COLOUR_NONE,
		      "%s, took %s: mines %s, destroyed %s, younger than sweep.min_age %s, with a "
		      "living peer %s%s",
		      time, ctlprint_us(ctlprint_number(last, "duration_us"), took),
		      ctlprint_count(ctlprint_number(last, "mines"), mines),
		      ctlprint_count(ctlprint_number(last, "destroyed"), destroyed),
		      ctlprint_count(ctlprint_number(last, "young"), young),
		      ctlprint_count(ctlprint_number(last, "with_peer"), alive),
		      ctlprint_number(last, "passed_over") > 0 ? "; some were passed over" : "");
}

static void print_sweep(const json_t *sweep)
{
	const char *state = ctlprint_text(sweep, "state");
	const json_t *last = json_object_get(sweep, "last");
	char interval[CTLPRINT_SIZE], next[CTLPRINT_SIZE], destroyed[CTLPRINT_SIZE];

	if (strcmp(state, "off") == 0) {
		ctlprint_pair("sweep", COLOUR_NONE, "off");
		return;
	}
	ctlprint_duration(ctlprint_number(sweep, "interval_ms"), interval);
	ctlprint_count(ctlprint_number(sweep, "destroyed"), destroyed);
	if (json_object_get(sweep, "next_ms"))
		ctlprint_pair("sweep", COLOUR_NONE,
			      "%s, every %s, %s destroyed so far, the next one in %s",
			      ctlprint_text(sweep, "action"), interval, destroyed,
			      ctlprint_duration(ctlprint_number(sweep, "next_ms"), next));
	else
		ctlprint_pair("sweep", COLOUR_NONE, "%s, every %s, %s destroyed so far, now %s",
			      ctlprint_text(sweep, "action"), interval, destroyed, state);
	if (last)
		print_last_sweep(last);
}

static void print_queue(const json_t *queue)
{
	uint64_t workers = ctlprint_number(queue, "workers");
	uint64_t away = ctlprint_number(queue, "away");

	ctlprint_pair("queue", COLOUR_NONE, "%" PRIu64 ", %" PRIu64 " worker%s, filter %s",
		      ctlprint_number(queue, "number"), workers, workers == 1 ? "" : "s",
		      ctlprint_text(queue, "filter"));
	if (away > 0)
		ctlprint_pair("workers", COLOUR_BAD,
			      "%" PRIu64 " kept by the kernel: SYNs pass unjudged", away);
}

static void print_status(const json_t *status)
{
	const json_t *last = json_object_get(status, "last_collision");
	char uptime[CTLPRINT_SIZE];

	printf("closewaitd %s, process %" PRIu64 ", up %s\n", ctlprint_text(status, "release"),
	       ctlprint_number(status, "pid"),
	       ctlprint_duration(ctlprint_number(status, "uptime_s") * 1000, uptime));
	print_mode(status);
	print_config(json_object_get(status, "config"));
	print_queue(json_object_get(status, "queue"));
	print_policy(json_object_get(status, "policy"));
	print_totals(json_object_get(status, "totals"));
	print_coverage(json_object_get(status, "coverage"));
	print_sweep(json_object_get(status, "sweep"));
	print_full_queues(json_object_get(status, "full_queues"));
	if (last) {
		puts("last collision:");
		ctlprint_event(last);
	}
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL;
	int status;

	if (ctl_arguments(ctl, argc, argv, NULL, 0, 0) < 0)
		return CTL_USAGE;
	status = ctlclient_ask(ctl, json_pack("{s:s}", "request", "status"), &answer);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctlclient_print(answer);
	else
		print_status(answer);
	json_decref(answer);
	return CTL_OK;
}
