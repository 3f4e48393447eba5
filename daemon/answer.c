/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of requests. The fields of the answers are documented in closewaitctl(8), and the
 * protocol around them in HACKING.md.
 */
#include "config.h"

#include "answer.h"
#include "clock.h"
#include "explain.h"
#include "idlookup.h"
#include "log.h"
#include "reload.h"
#include "statsjson.h"
#include "totals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A listener stays in the answer to "status" for so long after its last trouble. */
#define FULL_QUEUE_LATELY_US 3600000000ULL

struct request {
	const char *name;
	bool changes; /* for trusted callers only */
	void (*answer)(struct service *s, const struct control_caller *caller,
		       const json_t *arguments);
};

/* --- values -----------------------------------------------------------------------------------*/

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *counter(const _Atomic uint64_t *value)
{
	return number(stats_get(value));
}

static json_t *time_text(uint64_t realtime_ns)
{
	char text[LOG_TIME_SIZE];

	return json_string(log_time(realtime_ns, text));
}

static uint64_t uptime_s(const struct service *s)
{
	return (clock_us(CLOCK_MONOTONIC) - s->start_monotonic_us) / 1000000;
}

static json_t *event(struct service *s, const struct incident *incident)
{
	struct event_field fields[EVENT_FIELDS_MAX];
	struct event_text text;
	size_t n = event_fields(incident, cgroup_path(s->cgroups, incident->occupant.cgroup_id),
				&text, fields);

	return event_object(fields, n);
}

/* A line of the answer, {"event":{...}}; to be freed. */
static char *event_line(struct service *s, const struct incident *incident)
{
	json_t *object = json_pack("{s:o}", "event", event(s, incident));
	char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return line;
}

/* --- what is asked ----------------------------------------------------------------------------*/

static void answer_ping(struct service *s, const struct control_caller *caller,
			const json_t *arguments)
{
	(void)arguments;
	control_answer(s->control, caller->client,
		       json_pack("{s:s, s:i}", "release", PACKAGE_VERSION, "pid", (int)getpid()));
}

static json_t *status_config(const struct service *s)
{
	return json_pack("{s:s, s:o, s:s*}", "path", s->options->conf_path, "generation",
			 number(s->generation), "reload_error",
			 s->reload_error[0] ? s->reload_error : NULL);
}

static json_t *status_queue(const struct service *s)
{
	const struct conf *conf = s->conf;

	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "number", number(conf->queue.number),
			 "workers", number(conf->queue.workers), "away", number(totals_away(s)),
			 "max_held", number(conf->queue.max_held), "filter",
			 conf_filter_name(service_filter_in_force(s)));
}

static json_t *status_policy(const struct policy *policy)
{
	json_t *stale = json_array();

	for (unsigned int state = 0; state < TCPSTATE_COUNT; state++) {
		if (tcpstate_in((enum tcpstate)state, policy->stale))
			json_array_append_new(stale,
					      json_string(tcpstate_name((enum tcpstate)state)));
	}
	return json_pack("{s:s, s:o, s:o, s:o}", "default", action_name(policy->fallback),
			 "min_age_ms", number(policy->min_age_ms), "rules", number(policy->n_rules),
			 "stale", stale);
}

static json_t *status_totals(const struct service *s, const struct stats *stats)
{
	uint64_t judged = 0;

	for (unsigned int finding = 0; finding < FINDING_COUNT; finding++) {
		if (finding != FINDING_NOT_JUDGED)
			judged += stats_get(&stats->finding[finding]);
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "syns", number(judged),
			 "collisions", counter(&stats->finding[FINDING_COLLISION]), "destroyed",
			 counter(&stats->count[STAT_DESTROYED]), "unproven",
			 counter(&stats->finding[FINDING_UNPROVEN]), "accept_queue_full",
			 counter(&stats->finding[FINDING_ACCEPT_QUEUE_FULL]), "lookup_errors",
			 counter(&stats->count[STAT_LOOKUP_ERRORS]), "events_suppressed",
			 number(s->events.suppressed_total));
}

static json_t *status_coverage(const struct service *s, const struct coverage *coverage)
{
	char sentence[COVERAGE_SENTENCE_SIZE];
	json_t *object = json_pack("{s:s, s:s}", "state", coverage_name(coverage->state), "text",
				   coverage_sentence(coverage, s->conf->queue.number, sentence));

	json_object_set_new(object, "let_pass", number(coverage->let_pass));
	if (coverage->state != COVERAGE_UNKNOWN) {
		json_object_set_new(object, "syn_challenges", number(coverage->syn_challenges));
		json_object_set_new(object, "missed", number(coverage->missed));
		json_object_set_new(object, "active_opens", number(coverage->active_opens));
	}
	return object;
}

static json_t *last_collision(struct service *s)
{
	for (size_t i = 0; i < recent_kept(&s->recent); i++) {
		const struct incident *incident = recent_get(&s->recent, i);

		if (incident->finding == FINDING_COLLISION)
			return event(s, incident);
	}
	return NULL;
}

/* The listeners whose accept queue was full in the last hour, in no order. */
static json_t *full_queues(struct service *s)
{
	const uint64_t now_us = clock_us(CLOCK_MONOTONIC);
	json_t *array = json_array();

	for (size_t i = 0; i < s->full_queues.n; i++) {
		const struct fullqueue_entry *entry = &s->full_queues.entries[i];
		json_t *object;

		if (now_us - entry->last_us > FULL_QUEUE_LATELY_US)
			continue;
		object = event(s, &entry->last);
		/* Of the last SYN alone; here it is the listener that counts. */
		json_object_del(object, "event");
		json_object_del(object, "src");
		json_object_del(object, "dst");
		json_object_del(object, "verdict_us");
		json_object_set_new(object, "syns", number(entry->total));
		json_object_set_new(object, "first_time", time_text(entry->first_ns));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *last_sweep(const struct sweepstats *stats)
{
	static const char *const names[SWEEP_LAST_COUNT] = {
		[SWEEP_LAST_FOUND] = "found",	    [SWEEP_LAST_ALIVE] = "with_peer",
		[SWEEP_LAST_YOUNG] = "young",	    [SWEEP_LAST_MINES] = "mines",
		[SWEEP_LAST_DEFUSED] = "destroyed", [SWEEP_LAST_LIMITED] = "passed_over",
		[SWEEP_LAST_US] = "duration_us",
	};
	const uint64_t start_ns = stats_get(&stats->last_start_ns);
	const uint64_t error = stats_get(&stats->last_error);
	json_t *object;

	if (start_ns == 0)
		return NULL;
	object = json_pack("{s:o, s:s*}", "time", time_text(start_ns), "error",
			   error ? strerror((int)error) : NULL);
	for (unsigned int i = 0; i < SWEEP_LAST_COUNT; i++)
		json_object_set_new(object, names[i], counter(&stats->last[i]));
	return object;
}

static json_t *status_sweep(const struct service *s)
{
	const struct sweepstats *stats = sweeper_stats(s->sweeper);
	const enum sweep_phase phase = (enum sweep_phase)stats_get(&stats->phase);
	const uint64_t next_us = stats_get(&stats->next_us), now_us = clock_us(CLOCK_MONOTONIC);
	json_t *object = json_pack(
		"{s:s, s:o, s:s, s:o, s:o*}", "state", sweep_phase_name(phase), "interval_ms",
		number(s->conf->sweep.interval_ms), "action", action_name(s->conf->sweep.action),
		"destroyed", counter(&stats->mines[RESULT_DESTROYED]), "last", last_sweep(stats));

	if (phase == SWEEP_IDLE)
		json_object_set_new(object, "next_ms",
				    number(next_us > now_us ? (next_us - now_us) / 1000 : 0));
	return object;
}

static void answer_status(struct service *s, const struct control_caller *caller,
			  const json_t *arguments)
{
	struct totals totals;

	(void)arguments;
	totals_read(s, &totals);
	control_answer(
		s->control, caller->client,
		json_pack("{s:s, s:i, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, "
			  "s:o, s:o*}",
			  "release", PACKAGE_VERSION, "pid", (int)getpid(), "start_time",
			  time_text(s->start_realtime_ns), "uptime_s", number(uptime_s(s)), "mode",
			  mode_name(reload_mode_of(s, s->conf)), "mode_source",
			  reload_mode_source(s), "mode_in_file", mode_name(s->conf->mode), "leaker",
			  attribution_fd(s->attribution) >= 0 ? "process" : "unit", "config",
			  status_config(s), "queue", status_queue(s), "policy",
			  status_policy(&s->conf->policy), "totals",
			  status_totals(s, &totals.stats), "coverage",
			  status_coverage(s, &totals.coverage), "sweep", status_sweep(s),
			  "full_queues", full_queues(s), "last_collision", last_collision(s)));
}

static void answer_stats(struct service *s, const struct control_caller *caller,
			 const json_t *arguments)
{
	struct totals totals;
	json_t *object;

	(void)arguments;
	totals_read(s, &totals);
	object = statsjson_object(&totals.stats);
	json_object_set_new(object, "events_suppressed", number(s->events.suppressed_total));
	json_object_set_new(object, "uptime_s", number(uptime_s(s)));
	json_object_set_new(object, "coverage", status_coverage(s, &totals.coverage));
	control_answer(s->control, caller->client, object);
}

static void answer_events(struct service *s, const struct control_caller *caller,
			  const json_t *arguments)
{
	size_t kept = recent_kept(&s->recent);

	for (size_t i = kept; i > 0; i--) {
		char *line = event_line(s, recent_get(&s->recent, i - 1));

		if (line)
			control_line(s->control, caller->client, line);
		free(line);
	}
	if (json_is_true(json_object_get(arguments, "follow")))
		control_follow(s->control, caller->client);
	control_answer(
		s->control, caller->client,
		json_pack("{s:o, s:o}", "kept", number(kept), "total", number(s->recent.total)));
}

static void answer_explain(struct service *s, const struct control_caller *caller,
			   const json_t *arguments)
{
	const struct explain_sources sources = {s->diag, s->host, s->cgroups};
	const char *src = json_string_value(json_object_get(arguments, "src"));
	const char *dst = json_string_value(json_object_get(arguments, "dst"));
	struct explanation explanation;
	struct tuple syn = {.scope = 0};

	if (!src || !dst || endpoint_parse(src, &syn.src) < 0 ||
	    endpoint_parse(dst, &syn.dst) < 0) {
		control_refuse(s->control, caller->client, CONTROL_BAD_REQUEST,
			       "explain takes \"src\" and \"dst\", each an address with a port: "
			       "127.0.0.1:80 or [::1]:80");
		return;
	}
	explain_syn(&sources, &s->conf->policy, reload_mode_of(s, s->conf), &syn, &explanation);
	control_answer(
		s->control, caller->client,
		json_pack("{s:o}", "explanation",
			  explain_object(&explanation,
					 cgroup_path(s->cgroups,
						     explanation.incident.occupant.cgroup_id))));
}

static void answer_metrics(struct service *s, const struct control_caller *caller,
			   const json_t *arguments)
{
	size_t len;
	char *text = totals_metrics(s, &len);

	(void)arguments;
	control_answer(s->control, caller->client, json_pack("{s:s}", "metrics", text));
	free(text);
}

/* --- what is changed: answered by answer_done() -----------------------------------------------*/

static void answer_mode(struct service *s, const struct control_caller *caller,
			const json_t *arguments)
{
	const char *text = json_string_value(json_object_get(arguments, "mode"));
	char error[CONF_ERROR_SIZE];
	enum mode mode;

	if (mode_parse(text, &mode) < 0) {
		control_refuse(s->control, caller->client, CONTROL_BAD_REQUEST,
			       "mode takes \"mode\", which is \"audit\" or \"enforce\"");
		return;
	}
	if (reload_mode(s, mode, caller->client, error) < 0) {
		control_refuse(s->control, caller->client, CONTROL_FAILED, "%s", error);
		return;
	}
	log_info("mode %s, as process %d of user %u has asked for", mode_name(mode),
		 (int)caller->pid, (unsigned int)caller->uid);
}

static void answer_reload(struct service *s, const struct control_caller *caller,
			  const json_t *arguments)
{
	char error[CONF_ERROR_SIZE];

	(void)arguments;
	if (reload_file(s, caller->client, error) < 0)
		control_refuse(s->control, caller->client, CONTROL_FAILED, "%s", error);
}

void answer_done(struct service *s, const struct change *change)
{
	if (!s->control || change->client == 0)
		return;
	control_answer(s->control, change->client,
		       json_pack("{s:o, s:s, s:s, s:o, s:b}", "generation",
				 number(change->generation), "mode",
				 mode_name(reload_mode_of(s, s->conf)), "default",
				 action_name(s->conf->policy.fallback), "rules",
				 number(s->conf->policy.n_rules), "restart_needed",
				 change->restart_needed));
}

/* --- the socket -------------------------------------------------------------------------------*/

static const struct request requests[] = {
	{"ping", false, answer_ping},	    {"status", false, answer_status},
	{"stats", false, answer_stats},	    {"events", false, answer_events},
	{"explain", false, answer_explain}, {"metrics", false, answer_metrics},
	{"mode", true, answer_mode},	    {"reload", true, answer_reload},
};

static void answer_request(void *ctx, const struct control_caller *caller, const char *name,
			   const json_t *arguments)
{
	struct service *s = ctx;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(requests[i].name, name) != 0)
			continue;
		if (requests[i].changes && !caller->trusted)
			control_refuse(s->control, caller->client, CONTROL_DENIED,
				       "%s is for root, for the daemon's own user and for members "
				       "of control.group",
				       name);
		else
			requests[i].answer(s, caller, arguments);
		return;
	}
	control_refuse(s->control, caller->client, CONTROL_BAD_REQUEST, "unknown request \"%s\"",
		       name);
}

void answer_publish(struct service *s, const struct incident *incident)
{
	char *line;

	if (!s->control || !control_is_followed(s->control))
		return;
	line = event_line(s, incident);
	if (line)
		control_publish(s->control, line);
	free(line);
}

int answer_open(struct service *s)
{
	char error[CONTROL_ERROR_SIZE];
	uid_t user = SOCKFILE_KEEP_USER;
	int err = 0;

	if (!s->conf->control.socket[0])
		return 0;
	if (s->options->user)
		err = idlookup_user(s->options->user, &user);
	if (err < 0) {
		log_errx("no such user \"%s\"", s->options->user);
		return err;
	}
	err = control_open(s->conf->control.socket, user, s->conf->control.group, answer_request, s,
			   &s->control, error);
	if (err < 0)
		log_errx("%s", error);
	return err;
}
