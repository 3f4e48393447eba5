/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every change has a number, the generation. The workers are handed the newest one and say which
 * they have; what a change took out of use is released when the slowest worker has that number or
 * a later one. So changes need not wait for each other, and a worker may skip one.
 */
#include "config.h"

#include "reload.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mode reload_mode_of(const struct service *s, const struct conf *conf)
{
	return s->options->has_mode ? s->options->mode : conf->mode;
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

void reload_apply(struct service *s)
{
	service_open_log(s->options, s->conf);
	s->events.json = s->conf->log.format == FORMAT_JSON;
	ratelimit_set(&s->events.limit, s->conf->limits.events_per_second);
}

/* Queues are bound once; whatever is new about them has to wait. */
static void keep_queue(const struct conf *old, struct conf *new)
{
	if (memcmp(&old->queue, &new->queue, sizeof(old->queue)) == 0)
		return;
	log_warnx("the queue settings have changed: they take effect at the next restart, together "
		  "with the rules (closewaitd-rules up)");
	new->queue = old->queue;
}

/* Gives the configuration in force to the workers; old is what it replaces. */
static void begin_change(struct service *s, struct change *change, struct conf *old)
{
	struct change **last = &s->changes;

	while (*last)
		last = &(*last)->next;
	*change = (struct change){.generation = ++s->generation, .old = old};
	*last = change;
	for (unsigned int i = 0; i < s->n_workers; i++) {
		while (worker_configure(s->workers[i], s->conf, reload_mode_of(s, s->conf),
					s->generation) < 0)
			poll(NULL, 0, 100); /* no memory for a few bytes: all others wait as well */
	}
}

static int read_file(struct service *s, struct conf **ret_conf, char error[static CONF_ERROR_SIZE])
{
	struct conf *conf;
	int err = conf_load(s->options->conf_path, &conf, error);

	if (err < 0)
		return err;
	keep_queue(s->conf, conf);
	err = reload_check(s, conf, error);
	if (err < 0) {
		conf_free(conf);
		return err;
	}
	*ret_conf = conf;
	return 0;
}

int reload_file(struct service *s, char error[static CONF_ERROR_SIZE])
{
	struct change *change = malloc(sizeof(*change));
	struct conf *old = s->conf;
	int err = -ENOMEM;

	if (change)
		err = read_file(s, &s->conf, error);
	else
		snprintf(error, CONF_ERROR_SIZE, "out of memory");
	if (err < 0) {
		log_errx("%s", error);
		log_errx("the old configuration stays in force");
		free(change);
		return err;
	}
	begin_change(s, change, old);
	reload_apply(s);
	return 0;
}

/* The generation that every worker has. */
static uint64_t common_generation(const struct service *s)
{
	uint64_t common = s->generation;

	for (unsigned int i = 0; i < s->n_workers; i++) {
		uint64_t generation = worker_generation(s->workers[i]);

		if (generation < common)
			common = generation;
	}
	return common;
}

void reload_finish(struct service *s)
{
	uint64_t common = common_generation(s);

	while (s->changes && s->changes->generation <= common) {
		struct change *done = s->changes;

		s->changes = done->next;
		log_info("reloaded %s: mode %s, default action %s, %zu rules",
			 s->options->conf_path, mode_name(reload_mode_of(s, s->conf)),
			 action_name(s->conf->policy.fallback), s->conf->policy.n_rules);
		conf_free(done->old);
		free(done);
	}
}

void reload_abandon(struct service *s)
{
	while (s->changes) {
		struct change *change = s->changes;

		s->changes = change->next;
		conf_free(change->old);
		free(change);
	}
}
