/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon sends everything it keeps; what is wanted of it is chosen here, so that filters cost
 * the daemon nothing.
 */
#include "config.h"

#include "action.h"
#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "ctlprint.h"
#include "incident.h"
#include "recent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_NUMBER 20

struct filter {
	const char *port;
	const char *event;
	const char *action;
	const char *unit;
};

struct last {
	json_t *events[RECENT_MAX]; /* a ring */
	size_t max;		    /* how many are wanted */
	size_t total;
};

/* Decimal digits and nothing else, from min to max; false after a complaint. */
static bool read_number(const char *name, const char *text, unsigned long min, unsigned long max,
			unsigned long *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || strlen(text) > 9 || number < min ||
	    number > max) {
		ctl_complain("events: '%s' is no %s: from %lu to %lu", text, name, min, max);
		return false;
	}
	*ret_number = number;
	return true;
}

/* The names of events; NULL: that finding is told by none. Number FINDING_COUNT is a mine's. */
static const char *event_name(unsigned int number)
{
	if (number == FINDING_COUNT)
		return incident_name(&(const struct incident){.kind = INCIDENT_MINE});
	return incident_is_told((enum finding)number) ? finding_name((enum finding)number) : NULL;
}

static bool check_event(const char *event)
{
	char names[256] = "";

	for (unsigned int i = 0; i <= FINDING_COUNT; i++) {
		const char *name = event_name(i);
		size_t len = strlen(names);

		if (!name)
			continue;
		if (strcmp(name, event) == 0)
			return true;
		snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "", name);
	}
	ctl_complain("events: '%s' is no event: one of %s", event, names);
	return false;
}

static bool check_filter(const struct filter *filter)
{
	unsigned long port;
	enum action action;

	if (filter->port && !read_number("port", filter->port, 1, UINT16_MAX, &port))
		return false;
	if (filter->event && !check_event(filter->event))
		return false;
	if (filter->action && action_parse(filter->action, &action) < 0) {
		ctl_complain("events: '%s' is no action: one of log, destroy, drop, reject",
			     filter->action);
		return false;
	}
	return true;
}

static bool is_text(const json_t *event, const char *key, const char *wanted)
{
	return !wanted || strcmp(ctlprint_text(event, key), wanted) == 0;
}

static bool is_wanted(const struct filter *filter, const json_t *event)
{
	const char *colon = strrchr(ctlprint_text(event, "dst"), ':');

	if (filter->port && (!colon || atoi(colon + 1) != atoi(filter->port)))
		return false;
	return is_text(event, "event", filter->event) && is_text(event, "action", filter->action) &&
	       is_text(event, "unit", filter->unit);
}

static void print(const struct ctl *ctl, const json_t *event)
{
	if (ctl->json)
		ctlclient_print(event);
	else
		ctlprint_event(event);
}

static void keep(struct last *last, json_t *event)
{
	json_t **slot = &last->events[last->total++ % RECENT_MAX];

	json_decref(*slot);
	*slot = json_incref(event);
}

static void print_last(const struct ctl *ctl, struct last *last)
{
	size_t n = last->total < last->max ? last->total : last->max;

	for (size_t i = last->total - n; i < last->total; i++)
		print(ctl, last->events[i % RECENT_MAX]);
	for (size_t i = 0; i < RECENT_MAX; i++)
		json_decref(last->events[i]);
}

/* The kept ones, up to the line that ends the answer. */
static int show_kept(const struct ctl *ctl, struct ctlclient *client, const struct filter *filter,
		     size_t number)
{
	struct last last = {.max = number};
	int status = CTL_OK;
	bool more = true;

	while (more && status == CTL_OK) {
		json_t *line = NULL;
		json_t *event;

		status = ctlclient_receive(client, false, &line);
		event = json_object_get(line, "event");
		more = event;
		if (event && is_wanted(filter, event))
			keep(&last, event);
		if (!event && status == CTL_OK)
			status = ctlclient_check(line);
		json_decref(line);
	}
	print_last(ctl, &last);
	return status;
}

/* Ends with the daemon, or with a signal. */
static int follow(const struct ctl *ctl, struct ctlclient *client, const struct filter *filter)
{
	json_t *line;
	int status;

	while ((status = ctlclient_receive(client, true, &line)) == CTL_OK) {
		const json_t *event = json_object_get(line, "event");

		if (event && is_wanted(filter, event))
			print(ctl, event);
		else if (!event && json_object_get(line, "ok"))
			status = ctlclient_check(line);
		else if (!event && ctl->json)
			ctlclient_print(line);
		else if (!event)
			printf("(%" PRIu64
			       " events missed: they came faster than they were read)\n",
			       ctlprint_number(line, "missed"));
		json_decref(line);
		if (status != CTL_OK)
			break;
		fflush(stdout);
	}
	return status;
}

int ctl_events(struct ctl *ctl, int argc, char **argv)
{
	struct filter filter = {NULL, NULL, NULL, NULL};
	const char *number_text = NULL;
	unsigned long number = DEFAULT_NUMBER;
	bool follows = false;
	const struct ctl_option options[] = {
		{"follow", 'f', &follows, NULL},     {"number", 'n', NULL, &number_text},
		{"port", 0, NULL, &filter.port},     {"event", 0, NULL, &filter.event},
		{"action", 0, NULL, &filter.action}, {"unit", 0, NULL, &filter.unit},
	};
	struct ctlclient *client = NULL;
	int status;

	if (ctl_arguments(ctl, argc, argv, options, sizeof(options) / sizeof(options[0]), 0) < 0 ||
	    (number_text && !read_number("number", number_text, 0, RECENT_MAX, &number)) ||
	    !check_filter(&filter))
		return CTL_USAGE;
	status = ctlclient_open(ctl, &client);
	if (status == CTL_OK)
		status = ctlclient_send(
			client, json_pack("{s:s, s:b}", "request", "events", "follow", follows));
	if (status == CTL_OK)
		status = show_kept(ctl, client, &filter, number);
	fflush(stdout);
	if (status == CTL_OK && follows)
		status = follow(ctl, client, &filter);
	ctlclient_close(client);
	return status;
}
