/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event: one incident, one line: key=value pairs or a JSON object, with the same names in both.
 *
 * Told through log.h at a bounded rate; what the rate cuts off is counted and told as "suppressed
 * N". One thread at a time.
 */
#ifndef CW_EVENT_H
#define CW_EVENT_H

#include "cgroup.h"
#include "incident.h"
#include "ratelimit.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a control group's path that are told, NUL included; of a longer one the two ends. */
#define EVENT_CGROUP_SIZE 256
/*
 * The longest line, NUL included: three IPv6 endpoints, a rule, the paths of a control group and of
 * a program, a unit's name, in which a byte may take four.
 */
#define EVENT_LINE_SIZE	 4608
#define EVENT_FIELDS_MAX 32

/* One value with its name; text is NULL for a number. */
struct event_field {
	const char *key;
	const char *text;
	uint64_t number;
};

/* Storage behind the texts of an event's fields. */
struct event_text {
	char time[32];
	char src[ENDPOINT_STRLEN];
	char dst[ENDPOINT_STRLEN];
	char listener[ENDPOINT_STRLEN];
	char cookie[20];
	char cgroup[EVENT_CGROUP_SIZE];
	char unit[POLICY_UNIT_SIZE];
	char leaker_others[LEAKER_OTHERS_MAX * sizeof("-2147483648/-2147483648")]; /* any int */
};

/*
 * The incident as fields, in the order in which they are told; cgroup is the path of the
 * occupant's control group or NULL. Returns their number, at most EVENT_FIELDS_MAX. The fields
 * point into the incident, into text and at cgroup.
 */
size_t event_fields(const struct incident *incident, const char *cgroup, struct event_text *text,
		    struct event_field *ret_fields);
/* The fields as "key=value ...", values quoted where they need it. Cut off at size. */
void event_format_text(const struct event_field *fields, size_t n, char *buf, size_t size);
/* The fields as a JSON object, a new reference; NULL if there is no memory. */
json_t *event_object(const struct event_field *fields, size_t n);
/* The same as one line of text; the caller frees it. NULL if there is no memory. */
char *event_format_json(const struct event_field *fields, size_t n);

struct journal;

struct event_output {
	struct cgroup_map *cgroups; /* the caller's */
	bool json;
	struct journal *journal; /* the caller's; NULL: events go where all lines go */
	struct ratelimit limit;
	uint64_t suppressed;	   /* since the last event that was told */
	uint64_t suppressed_total; /* since the start */
};

/* Tells the incident, or counts it as suppressed. now_us is monotonic. */
void event_tell(struct event_output *output, const struct incident *incident, uint64_t now_us);
/* Tells how many were suppressed, if any; to be called about a second after they were. */
void event_tell_suppressed(struct event_output *output);

#endif
