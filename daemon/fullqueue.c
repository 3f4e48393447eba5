/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "fullqueue.h"

static const struct endpoint *listener(const struct incident *incident)
{
	return &incident->occupant.tuple.src;
}

/* The listener's entry, an empty one, or the one that has to make room. */
static struct fullqueue_entry *find(struct fullqueue *table, const struct endpoint *ep)
{
	struct fullqueue_entry *quietest = &table->entries[0];

	for (size_t i = 0; i < table->n; i++) {
		struct fullqueue_entry *entry = &table->entries[i];

		if (endpoint_equal(listener(&entry->last), ep))
			return entry;
		if (entry->last_us < quietest->last_us)
			quietest = entry;
	}
	return table->n < FULLQUEUE_MAX ? &table->entries[table->n++] : quietest;
}

bool fullqueue_add(struct fullqueue *table, const struct incident *incident, uint64_t now_us,
		   struct incident *ret_incident)
{
	struct fullqueue_entry *entry = find(table, listener(incident));
	bool has_untold = false;
	uint32_t untold = 0;

	if (entry->total > 0 && endpoint_equal(listener(&entry->last), listener(incident))) {
		untold = entry->last.syns;
	} else {
		has_untold = entry->last.syns > 0;
		if (has_untold)
			*ret_incident = entry->last;
		*entry = (struct fullqueue_entry){.first_ns = incident->time_ns, .due_us = now_us};
	}
	entry->last = *incident;
	entry->last.syns += untold;
	entry->total += incident->syns;
	entry->last_us = now_us;
	return has_untold;
}

bool fullqueue_take(struct fullqueue *table, uint64_t now_us, struct incident *ret_incident)
{
	for (size_t i = 0; i < table->n; i++) {
		struct fullqueue_entry *entry = &table->entries[i];

		if (entry->last.syns == 0 || entry->due_us > now_us)
			continue;
		*ret_incident = entry->last;
		entry->last.syns = 0;
		entry->due_us = now_us + FULLQUEUE_INTERVAL_US;
		return true;
	}
	return false;
}

uint64_t fullqueue_wait_us(const struct fullqueue *table, uint64_t now_us)
{
	uint64_t wait = UINT64_MAX;

	for (size_t i = 0; i < table->n; i++) {
		const struct fullqueue_entry *entry = &table->entries[i];
		uint64_t left = entry->due_us > now_us ? entry->due_us - now_us : 0;

		if (entry->last.syns > 0 && left < wait)
			wait = left;
	}
	return wait;
}
