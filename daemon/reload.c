/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every change has a number, the generation. The workers are handed the newest one and say which
 * they have; what a change took out of use is released when the slowest worker has that number or
 * a later one. So changes need not wait for each other, and a worker may skip one.
 */
#include "config.h"

#include "reload.h"
#include "log.h"
#include "notify.h"
#include "startup.h"
#include "tcpstate.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mode reload_mode_of(const struct service *s, const struct conf *conf)
{
	if (s->has_mode)
		return s->mode;
	return s->options->has_mode ? s->options->mode : conf->mode;
}

const char *reload_mode_source(const struct service *s)
{
	if (s->has_mode)
		return "control";
	return s->options->has_mode ? "option" : "file";
}

static bool wants_destroy(const struct conf *conf)
{
	bool destroys = conf->policy.fallback == ACTION_DESTROY;

	for (size_t i = 0; i < conf->policy.n_rules; i++)
		destroys |= conf->policy.rules[i].action == ACTION_DESTROY;
	return destroys;
}

int reload_check(const struct service *s, const struct conf *conf,
		 char error[static CONF_ERROR_SIZE])
{
	if (s->destroy_support == 0 || reload_mode_of(s, conf) == MODE_AUDIT ||
	    !wants_destroy(conf))
		return 0;
	if (s->destroy_support == -EOPNOTSUPP)
		snprintf(error, CONF_ERROR_SIZE,
			 "this kernel cannot destroy sockets (CONFIG_INET_DIAG_DESTROY is not "
			 "set): use a policy without \"destroy\", mode = \"audit\", or another "
			 "kernel");
	else
		snprintf(error, CONF_ERROR_SIZE,
			 "sock_diag does not answer (%s): load the module tcp_diag, or use a "
			 "kernel with CONFIG_INET_DIAG",
			 strerror(-s->destroy_support));
	return -EOPNOTSUPP;
}

/* What cannot be done about a state is known before the first SYN meets it. */
static void warn_of_closed(const struct conf *conf)
{
	if ((conf->policy.stale & TCPSTATE_SET_FIN_SENT) && wants_destroy(conf) &&
	    !diag_destroys_closed())
		log_warnx("stale.states has states in which a socket outlives its process: this "
			  "kernel destroys such a socket only while a process holds it (Linux "
			  "6.11 and later always), and SYNs that meet another one pass");
}

void reload_apply(struct service *s)
{
	const enum log_target target = startup_log(s->options, s->conf);

	s->events.journal = target == TARGET_JOURNAL ? s->journal : NULL;
	s->events.json = s->conf->log.format == FORMAT_JSON;
	warn_of_closed(s->conf);
	ratelimit_set(&s->events.limit, s->conf->limits.events_per_second);
	ratelimit_set(&s->destroys, s->conf->limits.destroy_per_second);
	textfile_configure(s->textfile, s->conf->metrics.textfile, s->conf->metrics.interval_ms);
	if (s->prefilter)
		prefilter_set_states(s->prefilter, s->conf->policy.stale);
}

/* Member by member: there may be anything between them, and behind the end of a text. */
static bool is_same_queue(const struct conf *a, const struct conf *b)
{
	return a->queue.number == b->queue.number && a->queue.workers == b->queue.workers &&
	       a->queue.max_held == b->queue.max_held && a->queue.filter == b->queue.filter &&
	       a->queue.filter_fallback == b->queue.filter_fallback &&
	       a->queue.filter_mark == b->queue.filter_mark;
}

static bool is_same_control(const struct conf *a, const struct conf *b)
{
	return strcmp(a->control.socket, b->control.socket) == 0 &&
	       strcmp(a->control.group, b->control.group) == 0;
}

/*
 * Queues are bound once, and so is the control socket; an owner server is started before anything
 * else or not at all. Whatever is new about them has to wait.
 */
static bool keep_bound(const struct conf *old, struct conf *new)
{
	bool same_queue = is_same_queue(old, new);
	bool same_control = is_same_control(old, new);
	bool same_leaker = old->log.leaker == new->log.leaker;

	if (!same_queue)
		log_warnx("the queue settings have changed: they take effect at the next restart, "
			  "together with the rules (closewaitd-rules up)");
	if (!same_control)
		log_warnx("the control settings have changed: they take effect at the next "
			  "restart");
	if (!same_leaker)
		log_warnx("log.leaker has changed: it takes effect at the next restart");
	new->queue = old->queue;
	new->control = old->control;
	new->log.leaker = old->log.leaker;
	return !same_queue || !same_control || !same_leaker;
}

/* Gives what is in force now to the other threads. */
static void begin(struct service *s, struct change *change)
{
	struct change **last = &s->changes;

	while (*last)
		last = &(*last)->next;
	*last = change;
	change->generation = ++s->generation;
	for (unsigned int i = 0; i < s->n_workers; i++) {
		while (worker_configure(s->workers[i], s->conf, reload_mode_of(s, s->conf),
					s->generation) < 0)
			poll(NULL, 0, 100); /* no memory for a few bytes: all others wait as well */
	}
	while (sweeper_configure(s->sweeper, s->conf, reload_mode_of(s, s->conf), s->generation) <
	       0)
		poll(NULL, 0, 100);
}

static struct change *new_change(uint64_t client, char error[static CONF_ERROR_SIZE])
{
	struct change *change = calloc(1, sizeof(*change));

	if (change)
		change->client = client;
	else
		snprintf(error, CONF_ERROR_SIZE, "out of memory");
	return change;
}

static int load(const struct service *s, struct conf **ret_conf, bool *ret_restart_needed,
		char error[static CONF_ERROR_SIZE])
{
	struct conf *conf;
	int err = conf_load(s->options->conf_path, &conf, error);

	if (err < 0)
		return err;
	err = reload_check(s, conf, error);
	if (err < 0) {
		conf_free(conf);
		return err;
	}
	*ret_restart_needed = keep_bound(s->conf, conf);
	*ret_conf = conf;
	return 0;
}

void reload_tell(const struct service *s)
{
	char status[CONF_ERROR_SIZE + 128];

	if (s->changes)
		return; /* the last of them ends the reload */
	if (s->reload_error[0])
		snprintf(status, sizeof(status),
			 "the last reload has failed, the configuration before it is in force: %s",
			 s->reload_error);
	else
		snprintf(status, sizeof(status), "mode %s, default action %s, %zu rules",
			 mode_name(reload_mode_of(s, s->conf)),
			 action_name(s->conf->policy.fallback), s->conf->policy.n_rules);
	notify_ready(status);
}

int reload_file(struct service *s, uint64_t client, char error[static CONF_ERROR_SIZE])
{
	struct change *change = new_change(client, error);
	struct conf *old = s->conf;
	int err;

	notify_reloading();
	err = change ? load(s, &s->conf, &change->restart_needed, error) : -ENOMEM;

	if (err < 0) {
		log_errx("%s", error);
		log_errx("the old configuration stays in force");
		strcpy(s->reload_error, error);
		reload_tell(s);
		free(change);
		return err;
	}
	s->reload_error[0] = '\0';
	change->is_reload = true;
	change->old = old;
	begin(s, change);
	reload_apply(s);
	return 0;
}

int reload_mode(struct service *s, enum mode mode, uint64_t client,
		char error[static CONF_ERROR_SIZE])
{
	const bool had_mode = s->has_mode;
	const enum mode old_mode = s->mode;
	struct change *change = new_change(client, error);
	int err = -ENOMEM;

	if (change) {
		s->has_mode = true;
		s->mode = mode;
		err = reload_check(s, s->conf, error);
	}
	if (err < 0) {
		s->has_mode = had_mode;
		s->mode = old_mode;
		free(change);
		return err;
	}
	begin(s, change);
	return 0;
}

/* The generation that every thread has. */
static uint64_t common_generation(const struct service *s)
{
	uint64_t common = sweeper_generation(s->sweeper);

	for (unsigned int i = 0; i < s->n_workers; i++) {
		uint64_t generation = worker_generation(s->workers[i]);

		if (generation < common)
			common = generation;
	}
	return common;
}

bool reload_take_done(struct service *s, struct change *ret_change)
{
	struct change *done = s->changes;

	if (!done || done->generation > common_generation(s))
		return false;
	s->changes = done->next;
	conf_free(done->old);
	done->old = NULL;
	*ret_change = *done;
	free(done);
	return true;
}

void reload_close(struct service *s)
{
	while (s->changes) {
		struct change *change = s->changes;

		s->changes = change->next;
		conf_free(change->old);
		free(change);
	}
}
