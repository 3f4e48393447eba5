/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "ctlprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

		snprintf(stale + len, sizeof(stale) - len, "%s%s", i > 0 ? ", " : "",
			 json_string_value(state));
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

static void print_status(const json_t *status)
{
	const json_t *queue = json_object_get(status, "queue");
	const json_t *last = json_object_get(status, "last_collision");
	uint64_t workers = ctlprint_number(queue, "workers");
	char uptime[CTLPRINT_SIZE];

	printf("closewaitd %s, process %" PRIu64 ", up %s\n", ctlprint_text(status, "release"),
	       ctlprint_number(status, "pid"),
	       ctlprint_duration(ctlprint_number(status, "uptime_s") * 1000, uptime));
	print_mode(status);
	print_config(json_object_get(status, "config"));
	ctlprint_pair("queue", COLOUR_NONE, "%" PRIu64 ", %" PRIu64 " worker%s, filter %s",
		      ctlprint_number(queue, "number"), workers, workers == 1 ? "" : "s",
		      ctlprint_text(queue, "filter"));
	print_policy(json_object_get(status, "policy"));
	print_totals(json_object_get(status, "totals"));
	print_coverage(json_object_get(status, "coverage"));
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
