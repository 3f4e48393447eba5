/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of prefilter.c where clang or libbpf was missing when this was built. */
#include "config.h"

#include "prefilter.h"

#include <errno.h>
#include <stdio.h>

int prefilter_probe(char error[static CONF_ERROR_SIZE])
{
	snprintf(error, CONF_ERROR_SIZE,
		 "the bpf filter was left out of this build (configure --with-bpf)");
	return -ENOSYS;
}

int prefilter_attach(tcpstate_set states, uint32_t mark, struct prefilter **ret_prefilter,
		     char error[static CONF_ERROR_SIZE])
{
	(void)states;
	(void)mark;
	(void)ret_prefilter;
	return prefilter_probe(error);
}

void prefilter_set_states(struct prefilter *p, tcpstate_set states)
{
	(void)p;
	(void)states;
}

struct prefilter_counts prefilter_read(const struct prefilter *p)
{
	(void)p;
	return (struct prefilter_counts){0};
}

const char *prefilter_hook(const struct prefilter *p)
{
	(void)p;
	return "none";
}

void prefilter_detach(struct prefilter *p)
{
	(void)p;
}
