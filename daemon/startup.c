/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "startup.h"
#include "isolate.h"
#include "log.h"

#include <inttypes.h>

enum log_target startup_log(const struct service_options *options, const struct conf *conf)
{
	return log_open("closewaitd", options->debug ? TARGET_STDERR : conf->log.target,
			options->debug ? LEVEL_DEBUG : conf->log.level,
			conf->log.format == FORMAT_JSON);
}

enum conf_filter startup_filter(const struct conf *conf, char error[static CONF_ERROR_SIZE])
{
	error[0] = '\0';
	if (conf->queue.filter == FILTER_BPF && prefilter_probe(error) < 0)
		return conf->queue.filter_fallback;
	return conf->queue.filter;
}

/* A daemon that sees more than it has to is better than none. */
void startup_prefilter(struct service *s)
{
	const struct conf *conf = s->conf;
	char error[CONF_ERROR_SIZE];

	if (conf->queue.filter == FILTER_BPF &&
	    prefilter_attach(conf->policy.stale, conf->queue.filter_mark, &s->prefilter, error) < 0)
		log_warnx("%s: the filter is \"%s\" (queue.filter_fallback) instead, and the rules "
			  "must be for that one: closewaitd-rules up --filter %s",
			  error, conf_filter_name(conf->queue.filter_fallback),
			  conf_filter_name(conf->queue.filter_fallback));
}

void startup_end_prefilter(struct service *s)
{
	struct prefilter_counts counts;

	if (!s->prefilter)
		return;
	counts = prefilter_read(s->prefilter);
	log_info("bpf filter: syns=%" PRIu64 " marked=%" PRIu64, counts.syns, counts.marked);
	prefilter_detach(s->prefilter);
	s->prefilter = NULL;
}

int startup_privileges(const struct service *s)
{
	char error[CONF_ERROR_SIZE];
	int err = isolate_privileges(ISOLATE_DAEMON, s->options->user, error, sizeof(error));

	if (err < 0)
		log_errx("%s", error);
	return err;
}

int startup_system_calls(void)
{
#ifdef WITHOUT_SECCOMP
	log_warnx("built with sanitizers: no seccomp filter");
	return 0;
#else
	char error[CONF_ERROR_SIZE];
	int err = isolate_system_calls(ISOLATE_DAEMON, error, sizeof(error));

	if (err < 0)
		log_errx("%s", error);
	return err;
#endif
}
