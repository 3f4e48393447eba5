/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that are one question and a line or two: mode, reload, metrics, ping. */
#include "config.h"

#include "action.h"
#include "clock.h"
#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "ctlprint.h"

#include <inttypes.h>
#include <stdio.h>

int ctl_mode(struct ctl *ctl, int argc, char **argv)
{
	int first = ctl_arguments(ctl, argc, argv, NULL, 0, 1);
	json_t *answer = NULL;
	enum mode mode;
	int status;

	if (first < 0)
		return CTL_USAGE;
	if (mode_parse(argv[first], &mode) < 0) {
		ctl_complain("mode: '%s' is no mode: audit or enforce", argv[first]);
		return CTL_USAGE;
	}
	status = ctlclient_ask(ctl, json_pack("{s:s, s:s}", "request", "mode", "mode", argv[first]),
			       &answer);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctlclient_print(answer);
	else
		printf("mode %s is in force, until it is changed again or closewaitd ends\n",
		       ctlprint_text(answer, "mode"));
	json_decref(answer);
	return CTL_OK;
}

int ctl_reload(struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL;
	int status;

	if (ctl_arguments(ctl, argc, argv, NULL, 0, 0) < 0)
		return CTL_USAGE;
	status = ctlclient_ask(ctl, json_pack("{s:s}", "request", "reload"), &answer);
	if (status != CTL_OK)
		return status;
	if (ctl->json) {
		ctlclient_print(answer);
	} else {
		printf("reloaded: mode %s, %s by default, %" PRIu64 " rules\n",
		       ctlprint_text(answer, "mode"), ctlprint_text(answer, "default"),
		       ctlprint_number(answer, "rules"));
		if (json_is_true(json_object_get(answer, "restart_needed")))
			puts("settings under queue or control, or log.leaker, have changed too: "
			     "they wait for the next\nrestart, and those under queue for "
			     "closewaitd-rules up");
	}
	json_decref(answer);
	return CTL_OK;
}

int ctl_metrics(struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL;
	const char *text;
	int status;

	if (ctl_arguments(ctl, argc, argv, NULL, 0, 0) < 0)
		return CTL_USAGE;
	status = ctlclient_ask(ctl, json_pack("{s:s}", "request", "metrics"), &answer);
	if (status != CTL_OK)
		return status;
	text = json_string_value(json_object_get(answer, "metrics"));
	if (ctl->json) {
		ctlclient_print(answer);
	} else if (text) {
		fputs(text, stdout);
	} else {
		ctl_complain("metrics: the daemon's answer holds none");
		status = CTL_FAILED;
	}
	json_decref(answer);
	return status;
}

int ctl_ping(struct ctl *ctl, int argc, char **argv)
{
	uint64_t start = clock_us(CLOCK_MONOTONIC);
	char time[CTLPRINT_SIZE];
	json_t *answer = NULL;
	int status;

	if (ctl_arguments(ctl, argc, argv, NULL, 0, 0) < 0)
		return CTL_USAGE;
	status = ctlclient_ask(ctl, json_pack("{s:s}", "request", "ping"), &answer);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctlclient_print(answer);
	else
		printf("closewaitd %s, process %" PRIu64 ", has answered in %s\n",
		       ctlprint_text(answer, "release"), ctlprint_number(answer, "pid"),
		       ctlprint_us(clock_us(CLOCK_MONOTONIC) - start, time));
	json_decref(answer);
	return CTL_OK;
}
