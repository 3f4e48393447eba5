/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No healthy connection is harmed: tests/soak, for a number of SYNs ($SOAK_SYNS) and by a seed
 * ($SOAK_SEED). `make soak` takes a million.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/number.h"
#include "soak/soak.h"

#define SYNS_MIN     1000
#define SYNS_MAX     1000000000
#define SYNS_DEFAULT 100000

static long setting(const char *name, long min, long max, long otherwise)
{
	const char *text = getenv(name);
	long value = otherwise;

	if (text && number_parse(text, min, max, &value) < 0)
		fail_msg("%s: \"%s\" is not a number from %ld to %ld", name, text, min, max);
	return value;
}

/* VmRSS in KiB. */
static long resident_kib(pid_t pid)
{
	char path[64], line[128];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "VmRSS: %ld", &kib);
	fclose(file);
	assert_true(kib > 0);
	return kib;
}

static long syns(const struct figures *f)
{
	return f->connects + f->forged;
}

static void report(const struct figures *f, long start_kib, long end_kib, long seed)
{
	printf("soak: seed %ld\n"
	       "soak: SYNs                            %ld\n"
	       "soak:   of connects                   %ld\n"
	       "soak:   forged, repeated, replayed    %ld\n"
	       "soak: healthy connections watched     %ld\n"
	       "soak:   handed to another process     %ld\n"
	       "soak: collisions that can be proved   %ld\n"
	       "soak:   destroyed                     %ld\n"
	       "soak:   met while it was away         %ld\n"
	       "soak:   let pass, look-up too slow    %ld\n"
	       "soak:   failed after it stood still   %ld\n"
	       "soak:   missed                        %ld\n"
	       "soak: stale, met by other SYNs only   %ld\n"
	       "soak: wrongly destroyed               %ld\n"
	       "soak: unexplained SYN challenges      %ld\n"
	       "soak: stopped, killed, restarted      %ld, %ld, %ld times\n"
	       "soak: reloaded                        %ld times\n"
	       "soak: slowest connect                 %ld ms\n"
	       "soak:   while stopped, killed, ...    %ld ms\n"
	       "soak: resident memory, start, end     %ld KiB, %ld KiB\n",
	       seed, syns(f), f->connects, f->forged, f->members, f->handed, f->collisions,
	       f->destroyed, f->healed_upset, f->given_up, f->failed_upset, f->missed, f->unproven,
	       f->wrongly_destroyed, f->unexplained, f->stops, f->kills, f->restarts, f->reloads,
	       f->slowest_ms, f->slowest_upset_ms, start_kib, end_kib);
	fflush(stdout);
}

static void run(struct stage *stage, bool tracks)
{
	const long wanted = setting("SOAK_SYNS", SYNS_MIN, SYNS_MAX, SYNS_DEFAULT);
	const long seed = setting("SOAK_SEED", 0, SYNS_MAX, 1);
	static struct soak soak;
	const struct figures *f = &soak.figures;
	long start_kib;

	soak_begin(&soak, stage, (uint64_t)seed, tracks);
	/* Troubles first: the daemon that comes through them then lives for the rest. */
	while (syns(f) < wanted / 5)
		soak_round(&soak, true);
	soak_round(&soak, false);
	start_kib = resident_kib(stage->daemon.pid);
	while (syns(f) < wanted)
		soak_round(&soak, false);
	soak_end(&soak);
	report(f, start_kib, resident_kib(stage->daemon.pid), seed);

	assert_int_equal(f->wrongly_destroyed, 0);
	assert_int_equal(f->missed, 0);
	assert_int_equal(f->unexplained, 0);
	assert_true(f->destroyed > 0);
	daemon_stop(&stage->daemon);
}

static void nobody_is_harmed(struct stage *stage)
{
	run(stage, false);
}

/* REDIRECT needs it. Then a proof is doubted once more, which takes longer. */
static void with_connection_tracking(struct stage *stage)
{
	run(stage, true);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"nobody is harmed", nobody_is_harmed, 0, IN_ENFORCE},
		{"nobody is harmed, connection tracking", with_connection_tracking, 0, IN_ENFORCE},
	};

	return stage_run("soak", tests, COUNT_OF(tests), argc, argv);
}
