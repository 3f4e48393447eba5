/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "ctlprint.h"

#include <inttypes.h>
#include <stdio.h>

static void print_count(const char *name, uint64_t count)
{
	char text[CTLPRINT_SIZE];

	printf("  %-44s %15s\n", name, ctlprint_count(count, text));
}

/* The members of an object that are not zero, under a heading. */
static void print_counts(const char *heading, const json_t *object)
{
	const char *key;
	json_t *value;
	char name[CTLPRINT_SIZE];

	json_object_foreach((json_t *)object, key, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		if (heading)
			puts(heading);
		heading = NULL;
		print_count(ctlprint_word(key, name), (uint64_t)json_integer_value(value));
	}
}

static void print_collisions(const json_t *collisions)
{
	const json_t *collision;
	size_t i;

	if (json_array_size(collisions) > 0)
		puts("collisions");
	json_array_foreach(collisions, i, collision)
	{
		char name[128];

		snprintf(name, sizeof(name), "%s: %s, %s", ctlprint_text(collision, "state"),
			 ctlprint_text(collision, "action"), ctlprint_text(collision, "result"));
		print_count(name, ctlprint_number(collision, "count"));
	}
}

/* The bound of the bucket in which the fraction lies, of total. */
static void print_quantile(const json_t *buckets, uint64_t total, const char *name, double fraction)
{
	char text[CTLPRINT_SIZE];
	const json_t *bucket;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach(buckets, i, bucket)
	{
		sum += ctlprint_number(bucket, "count");
		if ((double)sum < fraction * (double)total)
			continue;
		if (json_object_get(bucket, "up_to_us"))
			printf("  %-44s %15s\n", name,
			       ctlprint_us(ctlprint_number(bucket, "up_to_us"), text));
		else
			printf("  %-44s %15s\n", name, "more than 1 s");
		return;
	}
}

static void print_verdict_time(const json_t *time)
{
	const json_t *buckets = json_object_get(time, "buckets");
	char text[CTLPRINT_SIZE];
	const json_t *bucket;
	uint64_t total = 0;
	size_t i;

	json_array_foreach(buckets, i, bucket)
	{
		total += ctlprint_number(bucket, "count");
	}
	if (total == 0)
		return;
	puts("time to verdict");
	printf("  %-44s %15s\n", "mean",
	       ctlprint_us(ctlprint_number(time, "sum_us") / total, text));
	print_quantile(buckets, total, "half within", 0.5);
	print_quantile(buckets, total, "99 of 100 within", 0.99);
	print_quantile(buckets, total, "999 of 1000 within", 0.999);
	print_quantile(buckets, total, "all within", 1);
}

static void print_losses(const json_t *stats)
{
	static const struct {
		const char *key;
		const char *name;
	} losses[] = {
		{"overruns", "overruns of the receive buffer"},
		{"missed", "packets that never arrived"},
		{"bad_messages", "messages that could not be read"},
		{"verdict_errors", "verdicts that the kernel refused"},
		{"let_go", "let go, as a worker did not come back"},
		{"lookup_errors", "look-ups that failed"},
		{"not_loopback", "packets of other interfaces"},
		{"events_suppressed", "events above limits.events_per_second"},
		{"events_lost", "events lost in a burst"},
	};

	puts("losses");
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		print_count(losses[i].name, ctlprint_number(stats, losses[i].key));
}

static void print_stats(const json_t *stats)
{
	char uptime[CTLPRINT_SIZE];

	printf("since the start, %s ago\n",
	       ctlprint_duration(ctlprint_number(stats, "uptime_s") * 1000, uptime));
	print_count("packets held", ctlprint_number(stats, "held"));
	print_count("in batches", ctlprint_number(stats, "batches"));
	print_count("of at most", ctlprint_number(stats, "held_peak"));
	print_count("sockets destroyed", ctlprint_number(stats, "destroyed"));
	print_counts("packets by kind", json_object_get(stats, "packets"));
	print_counts("SYNs by what they met", json_object_get(stats, "findings"));
	print_counts("sockets in states that are not stale", json_object_get(stats, "not_stale"));
	print_collisions(json_object_get(stats, "collisions"));
	print_verdict_time(json_object_get(stats, "verdict_time"));
	print_losses(stats);
}

int ctl_stats(struct ctl *ctl, int argc, char **argv)
{
	json_t *answer = NULL;
	int status;

	if (ctl_arguments(ctl, argc, argv, NULL, 0, 0) < 0)
		return CTL_USAGE;
	status = ctlclient_ask(ctl, json_pack("{s:s}", "request", "stats"), &answer);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctlclient_print(answer);
	else
		print_stats(answer);
	json_decref(answer);
	return CTL_OK;
}
