/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf: the configuration file, read, checked and complete.
 *
 * The only user of libconfig. Returns errors as text, never logs, never exits. What it returns is
 * never changed again: the daemon swaps whole configurations.
 */
#ifndef CW_CONF_H
#define CW_CONF_H

#include "action.h"
#include "log.h"
#include "policy.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_DEFAULT_PATH SYSCONFDIR "/closewaitd/closewaitd.conf"

/* Which SYNs reach the queue: a matter of the rules, see closewaitd-rules(8). */
enum conf_filter { FILTER_ALL, FILTER_SOCKET, FILTER_BPF };
#define CONF_FILTER_COUNT 3
/* "all", "socket", "bpf". */
const char *conf_filter_name(enum conf_filter filter);

enum conf_format { FORMAT_TEXT, FORMAT_JSON };
#define CONF_FORMAT_COUNT 2

/* How far an event names the leaker: by unit and user, or by process too. */
enum conf_leaker { NAME_UNIT, NAME_PROCESS };
#define CONF_LEAKER_COUNT 2

/* Between which addresses the sweep may destroy. */
enum conf_addresses { ADDRESSES_LOOPBACK, ADDRESSES_LOCAL };
#define CONF_ADDRESSES_COUNT 2

struct conf {
	enum mode mode;
	struct {
		uint16_t number;
		unsigned int workers; /* never 0: that is settled */
		uint32_t max_held;    /* packets per queue */
		enum conf_filter filter;
		enum conf_filter filter_fallback; /* where FILTER_BPF cannot be had; not that */
		uint32_t filter_mark;		  /* the bits that the bpf filter sets */
	} queue;
	struct policy policy; /* stale.states included */
	struct {
		unsigned int destroy_per_second; /* 0: no limit */
		unsigned int events_per_second;	 /* 0: no limit */
	} limits;
	struct {
		uint64_t interval_ms; /* 0: no sweeps */
		uint64_t min_age_ms;
		enum action action; /* ACTION_LOG or ACTION_DESTROY */
		unsigned int max_per_second;
		enum conf_addresses addresses;
	} sweep;
	struct {
		enum log_target target;
		enum conf_format format;
		enum log_level level;
		enum conf_leaker leaker;
	} log;
	struct {
		char textfile[PATH_MAX]; /* "": none */
		uint64_t interval_ms;
	} metrics;
	struct {
		char socket[108]; /* "": none; sun_path's size */
		char group[33];	  /* "": only root */
	} control;
};

/* Room for any message: file, line, value, legal range and a suggestion. */
#define CONF_ERROR_SIZE 512

/* Every key at its default. -ENOMEM. */
int conf_defaults(struct conf **ret_conf);
/*
 * Reads and checks a file. On failure error holds one line "FILE:LINE: ..." that says what is
 * wrong, the value, what is allowed; -EINVAL for what the file says, else the errno of reading it.
 */
int conf_load(const char *path, struct conf **ret_conf, char error[static CONF_ERROR_SIZE]);
/* The same for text already in memory; name stands where the file's name would. */
int conf_parse(const char *text, const char *name, struct conf **ret_conf,
	       char error[static CONF_ERROR_SIZE]);
/* Writes every key with its value, in a form that conf_parse() reads back to the same. */
void conf_print(const struct conf *conf, FILE *out);
void conf_free(struct conf *conf);

#endif
