/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "soak/forge.h"

#include "netns/check.h"
#include "netns/rawsyn.h"

#define BURST_MAX 16

enum forgery { FORGE_NUMBER, FORGE_REPLAY, FORGE_REVERSE, FORGERIES };

static struct rawsyn forge(const struct member *m, struct chance *chance)
{
	struct rawsyn syn = rawsyn_make(&m->client_end, &m->place->dialled);
	enum forgery forgery = (enum forgery)chance_below(chance, FORGERIES);

	switch (forgery) {
	case FORGE_NUMBER:
		rawsyn_set_sequence(&syn, (uint32_t)chance_next(chance));
		break;
	case FORGE_REPLAY:
		if (m->syn_len > 0)
			syn = rawsyn_again(m->syn, m->syn_len, &m->place->dialled);
		break;
	case FORGE_REVERSE:
		/* What comes back from a rewritten destination is rewritten too, but for a SYN. */
		if (!m->place->redirected)
			syn = rawsyn_make(&m->place->answered, &m->client_end);
		break;
	case FORGERIES:
		break;
	}
	return syn;
}

long forge_for_member(const struct member *m, struct chance *chance)
{
	const struct rawsyn syn = forge(m, chance);
	long n = 1 + (long)chance_below(chance, BURST_MAX);

	for (long i = 0; i < n; i++)
		must(rawsyn_send(&syn), "send a forged SYN");
	return n;
}

void forge_from(const struct place *place, uint16_t port, struct chance *chance)
{
	union endpoint client = place->client;
	struct rawsyn syn;

	endpoint_set_port(&client, port);
	syn = rawsyn_make(&client, &place->dialled);
	rawsyn_set_sequence(&syn, (uint32_t)chance_next(chance));
	must(rawsyn_send(&syn), "send a forged SYN");
}
