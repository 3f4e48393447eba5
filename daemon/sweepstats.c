/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "sweepstats.h"
#include "names.h"

static const char *const phase_names[SWEEP_PHASE_COUNT] = {
	[SWEEP_OFF] = "off",	     [SWEEP_IDLE] = "idle",	    [SWEEP_LOOKING] = "looking",
	[SWEEP_WAITING] = "waiting", [SWEEP_DEFUSING] = "defusing",
};

const char *sweep_phase_name(enum sweep_phase phase)
{
	return names_get(phase_names, SWEEP_PHASE_COUNT, phase);
}
