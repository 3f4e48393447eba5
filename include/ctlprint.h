/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctlprint: how closewaitctl writes for people. */
#ifndef CW_CTLPRINT_H
#define CW_CTLPRINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any text that one of these makes. */
#define CTLPRINT_SIZE 64

enum ctlprint_colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_NOTE, COLOUR_BAD, COLOUR_DIM };

/* What switches to that colour; "" unless stdout is a terminal with some and NO_COLOR is unset. */
const char *ctlprint_colour(enum ctlprint_colour colour);

/* "  name            value", the value in that colour; longer ones are wrapped at words. */
void ctlprint_pair(const char *name, enum ctlprint_colour colour, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Text in that colour and a newline, wrapped at words. The cursor is in column indent (less than
 * 60), where further lines begin too.
 */
void ctlprint_wrap(unsigned int indent, enum ctlprint_colour colour, const char *text);

/* "1,234,567". */
const char *ctlprint_count(uint64_t count, char buf[static CTLPRINT_SIZE]);
/* "350 ms", "4.2 s", "12 m 5 s", "3 h 20 m", "5 d 7 h". */
const char *ctlprint_duration(uint64_t ms, char buf[static CTLPRINT_SIZE]);
/* "36 us", "1.5 ms", "2.0 s". */
const char *ctlprint_us(uint64_t us, char buf[static CTLPRINT_SIZE]);
/* "2026-01-31 13:00:00.123", local time, for the time of an event; as it is if it is none. */
const char *ctlprint_time(const char *text, char buf[static CTLPRINT_SIZE]);

/* A word that comes from the daemon, NULL for none, cut to fit and fit for a terminal. */
const char *ctlprint_word(const char *text, char buf[static CTLPRINT_SIZE]);
/* Members of an object that may be missing: "" and 0. Texts are fit for a terminal. */
const char *ctlprint_text(const json_t *object, const char *key);
uint64_t ctlprint_number(const json_t *object, const char *key);

/* The socket on an event's tuple, in a few words. */
void ctlprint_occupant(const json_t *event, char *buf, size_t size);
/* An event as one line. */
void ctlprint_event(const json_t *event);

#endif
