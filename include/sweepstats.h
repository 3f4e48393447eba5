/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweepstats: what the sweep does and has done; one thread writes it and any thread reads it.
 *
 * Counts are since the start, those of last of the sweep that ended last.
 */
#ifndef CW_SWEEPSTATS_H
#define CW_SWEEPSTATS_H

#include "outcome.h"
#include "stats.h"

enum sweep_phase {
	SWEEP_OFF,
	SWEEP_IDLE,    /* until the next sweep */
	SWEEP_LOOKING, /* which CLOSE_WAIT sockets have no peer? */
	SWEEP_WAITING, /* until the second look proves it */
	SWEEP_DEFUSING /* the second look, and what follows from it */
};
#define SWEEP_PHASE_COUNT 5

/* "off", "idle", "looking", "waiting", "defusing"; never NULL. */
const char *sweep_phase_name(enum sweep_phase phase);

enum sweep_stat {
	SWEEP_STAT_SWEEPS,	  /* that came to their end */
	SWEEP_STAT_FAILURES,	  /* sweeps given up because the kernel gave no usable answer */
	SWEEP_STAT_LOOKUP_ERRORS, /* sockets left alone for the same reason */
	SWEEP_STAT_LIMITED,	  /* CLOSE_WAIT sockets passed over: too many for one sweep */
	SWEEP_STAT_EVENTS_LOST,	  /* the ring to the main thread was full */
};
#define SWEEP_STAT_COUNT 5

/* The CLOSE_WAIT sockets of one sweep. Each is one of alive, young, mines, or is gone by itself. */
enum sweep_last {
	SWEEP_LAST_FOUND,   /* taken up in the beginning */
	SWEEP_LAST_ALIVE,   /* their peer exists, or may exist */
	SWEEP_LAST_YOUNG,   /* proven mines, but younger than sweep.min_age */
	SWEEP_LAST_MINES,   /* proven mines, decided about */
	SWEEP_LAST_DEFUSED, /* of those, destroyed */
	SWEEP_LAST_LIMITED, /* passed over */
	SWEEP_LAST_US,	    /* how long it took, in microseconds */
};
#define SWEEP_LAST_COUNT 7

/* One sweep, as it ended. */
struct sweep_end {
	uint64_t counts[SWEEP_LAST_COUNT];
	int error; /* the negative errno that it was given up for, 0: none */
};

struct sweepstats {
	_Atomic uint64_t phase;
	_Atomic uint64_t count[SWEEP_STAT_COUNT];
	_Atomic uint64_t mines[RESULT_COUNT]; /* by what was done */
	_Atomic uint64_t last[SWEEP_LAST_COUNT];
	_Atomic uint64_t last_start_ns; /* CLOCK_REALTIME, 0: none yet */
	_Atomic uint64_t last_error;	/* errno of a sweep that was given up, 0: none */
	_Atomic uint64_t next_us;	/* CLOCK_MONOTONIC of the next one, while idle */
};

#endif
