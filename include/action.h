/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action: what is done about a collision, and whether it is done at all; to and from text. */
#ifndef CW_ACTION_H
#define CW_ACTION_H

enum action {
	ACTION_LOG,	/* let the SYN pass, leave the occupant alone */
	ACTION_DESTROY, /* destroy the occupant, then let the SYN pass */
	/* From here on, what can only be done to a SYN: no action of a sweep. */
	ACTION_DROP,   /* drop the SYN: the client tries again, the occupant is untouched */
	ACTION_REJECT, /* answer the SYN with a reset: ECONNREFUSED */
};
#define ACTION_COUNT 4

enum mode {
	MODE_AUDIT,   /* decide and report, touch nothing */
	MODE_ENFORCE, /* decide, act and report */
};
#define MODE_COUNT 2

/* The word used in the configuration, events and metrics; never NULL. */
const char *action_name(enum action action);
/* -EINVAL for a text that is no action's name, NULL included. */
int action_parse(const char *text, enum action *ret_action);

/* The same for modes. */
const char *mode_name(enum mode mode);
int mode_parse(const char *text, enum mode *ret_mode);

#endif
