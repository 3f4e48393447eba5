/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctordaemon.h"
#include "clock.h"
#include "ctlclient.h"
#include "ctlprint.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* An event may wait so long, and a little, until its socket's holder is known (attribution.h). */
#define EVENT_MS      11000
#define LOOK_AGAIN_MS 20

static void copy_text(char *to, size_t size, const json_t *object, const char *key)
{
	snprintf(to, size, "%s", ctlprint_text(object, key));
}

void doctor_daemon_ask(const struct ctl *ctl, struct doctor_daemon *ret_daemon)
{
	struct doctor_daemon daemon = {.mode = ""};
	struct ctlclient *client = NULL;
	json_t *answer = NULL;

	daemon.status = ctlclient_try(ctl, &client);
	if (daemon.status == CTL_OK) {
		/* Somebody is there: what fails from here on does not mean that nobody is. */
		if (ctlclient_send(client, json_pack("{s:s}", "request", "status")) != CTL_OK ||
		    ctlclient_receive(client, false, &answer) != CTL_OK)
			daemon.status = CTL_FAILED;
		else
			daemon.status = ctlclient_check(answer);
	}
	if (daemon.status == CTL_OK) {
		const json_t *coverage = json_object_get(answer, "coverage");

		copy_text(daemon.mode, sizeof(daemon.mode), answer, "mode");
		copy_text(daemon.coverage, sizeof(daemon.coverage), coverage, "state");
		copy_text(daemon.coverage_text, sizeof(daemon.coverage_text), coverage, "text");
	}
	json_decref(answer);
	ctlclient_close(client);
	*ret_daemon = daemon;
}

/* The trial that made this event, NULL if none did. */
static struct doctor_trial *trial_of(struct doctor_trials *trials, const json_t *event)
{
	for (unsigned int arena = ARENA_IPV4; arena < ARENA_COUNT; arena++) {
		struct doctor_trial *one = &trials->of[arena];
		char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN];

		if (one->trial.step == TRIAL_AT_COLLISION &&
		    strcmp(ctlprint_text(event, "src"),
			   endpoint_format(&one->trial.syn.src, src)) == 0 &&
		    strcmp(ctlprint_text(event, "dst"),
			   endpoint_format(&one->trial.syn.dst, dst)) == 0)
			return one;
	}
	return NULL;
}

static int ask_events(const struct ctl *ctl, struct doctor_trials *trials)
{
	struct ctlclient *client = NULL;
	int status = ctlclient_try(ctl, &client);
	json_t *line = NULL;

	if (status == CTL_OK)
		status = ctlclient_send(client,
					json_pack("{s:s, s:b}", "request", "events", "follow", 0));
	while (status == CTL_OK && (status = ctlclient_receive(client, false, &line)) == CTL_OK) {
		const json_t *event = json_object_get(line, "event");
		struct doctor_trial *one = event ? trial_of(trials, event) : NULL;
		bool last = json_object_get(line, "ok");

		if (one)
			copy_text(one->result, sizeof(one->result), event, "result");
		json_decref(line);
		if (last)
			break;
	}
	ctlclient_close(client);
	return status;
}

/* Whether a collision was made of which no event is known. */
static bool event_is_missing(const struct doctor_trials *trials)
{
	for (unsigned int arena = ARENA_IPV4; arena < ARENA_COUNT; arena++) {
		const struct doctor_trial *one = &trials->of[arena];

		if (one->trial.step == TRIAL_AT_COLLISION && !one->result[0])
			return true;
	}
	return false;
}

void doctor_daemon_ask_about(const struct ctl *ctl, struct doctor_trials *trials)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000};
	int64_t deadline = clock_ms(CLOCK_MONOTONIC) + EVENT_MS;

	while (event_is_missing(trials)) {
		if (ask_events(ctl, trials) != CTL_OK)
			return;
		for (unsigned int arena = ARENA_IPV4; arena < ARENA_COUNT; arena++)
			trials->of[arena].was_asked = true;
		if (clock_ms(CLOCK_MONOTONIC) > deadline)
			return;
		nanosleep(&pause, NULL);
	}
}
