/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "statsjson.h"
#include "packet.h"

static const char *const counts[STAT_COUNT] = {
	[STAT_HELD] = "held",
	[STAT_BATCHES] = "batches",
	[STAT_HELD_PEAK] = "held_peak",
	[STAT_NOT_LOOPBACK] = "not_loopback",
	[STAT_OVERRUNS] = "overruns",
	[STAT_MISSED] = "missed",
	[STAT_BAD_MESSAGES] = "bad_messages",
	[STAT_VERDICT_ERRORS] = "verdict_errors",
	[STAT_LET_GO] = "let_go",
	[STAT_LOOKUP_ERRORS] = "lookup_errors",
	[STAT_DESTROYED] = "destroyed",
	[STAT_EVENTS_LOST] = "events_lost",
};

static void set(json_t *object, const char *key, const _Atomic uint64_t *counter)
{
	json_object_set_new(object, key, json_integer((json_int_t)stats_get(counter)));
}

static json_t *packets(const struct stats *stats)
{
	json_t *object = json_object();

	for (unsigned int kind = 0; kind < PACKET_KIND_COUNT; kind++)
		set(object, packet_kind_name((enum packet_kind)kind), &stats->packet[kind]);
	return object;
}

static json_t *findings(const struct stats *stats)
{
	json_t *object = json_object();

	for (unsigned int finding = 0; finding < FINDING_COUNT; finding++)
		set(object, finding_name((enum finding)finding), &stats->finding[finding]);
	return object;
}

static json_t *not_stale(const struct stats *stats)
{
	json_t *object = json_object();

	for (unsigned int state = TCPSTATE_ESTABLISHED; state < TCPSTATE_COUNT; state++) {
		if (state != TCPSTATE_LISTEN)
			set(object, tcpstate_name((enum tcpstate)state), &stats->not_stale[state]);
	}
	return object;
}

static json_t *collisions(const struct stats *stats)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < TCPSTATE_COUNT * ACTION_COUNT * RESULT_COUNT; i++) {
		enum tcpstate state = i / (ACTION_COUNT * RESULT_COUNT);
		enum action action = i / RESULT_COUNT % ACTION_COUNT;
		enum result result = i % RESULT_COUNT;
		uint64_t count = stats_get(&stats->collision[state][action][result]);

		if (count > 0)
			json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I}", "state",
							       tcpstate_name(state), "action",
							       action_name(action), "result",
							       result_name(result), "count",
							       (json_int_t)count));
	}
	return array;
}

/* Not cumulative: each count is of its own bucket. The last one has no upper bound. */
static json_t *verdict_time(const struct stats *stats)
{
	json_t *object = json_object();
	json_t *array = json_array();

	for (unsigned int i = 0; i <= STATS_BUCKETS; i++) {
		json_t *bucket = json_object();

		if (i < STATS_BUCKETS)
			json_object_set_new(bucket, "up_to_us", json_integer(stats_bucket_us[i]));
		set(bucket, "count", &stats->bucket[i]);
		json_array_append_new(array, bucket);
	}
	set(object, "sum_us", &stats->time_us);
	json_object_set_new(object, "buckets", array);
	return object;
}

json_t *statsjson_object(const struct stats *stats)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < STAT_COUNT; i++)
		set(object, counts[i], &stats->count[i]);
	json_object_set_new(object, "packets", packets(stats));
	json_object_set_new(object, "findings", findings(stats));
	json_object_set_new(object, "not_stale", not_stale(stats));
	json_object_set_new(object, "collisions", collisions(stats));
	json_object_set_new(object, "verdict_time", verdict_time(stats));
	return object;
}
