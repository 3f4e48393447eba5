/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctorleaks.h"
#include "ctlprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Those that are told one by one; closewaitctl scan tells all. */
#define LISTENERS_MAX	8
#define DESCRIPTORS_MAX 8

/* Bytes of a leaker's name, so that the figures behind it have room. */
#define NAME_SHOWN 100

/* Percent of RLIMIT_NOFILE: from there on it is worth a look; from there on it is urgent. */
#define NEAR_LIMIT 70
#define AT_LIMIT   90

/* --- the facts --------------------------------------------------------------------------------*/

void doctor_leaks_scan(const struct ephemeral *ephemeral, struct doctor_leaks *ret_leaks)
{
	struct doctor_leaks leaks = {.scan = NULL};

	leaks.error = ctlscan_open(&leaks.sources);
	if (leaks.error == 0)
		leaks.error = ctlscan_run(&leaks.sources, ephemeral, &leaks.scan);
	*ret_leaks = leaks;
}

void doctor_leaks_release(struct doctor_leaks *leaks)
{
	scan_free(leaks->scan);
	ctlscan_close(&leaks->sources);
}

size_t doctor_leaks_mines(const struct doctor_leaks *leaks)
{
	return leaks->error == 0 ? leaks->scan->counts[SCAN_MINE] : 0;
}

/* --- the judgement ----------------------------------------------------------------------------*/

static struct diagnosis judge_failure(const char *name, int error)
{
	struct diagnosis diagnosis = diagnosis_make(name, VERDICT_UNKNOWN, "not known");

	diagnosis_means(&diagnosis, "the kernel's sockets cannot be read: %s", strerror(-error));
	return diagnosis;
}

/* --- descriptors ------------------------------------------------------------------------------*/

static unsigned int percent(const struct owner_process *process)
{
	if (process->fd_limit == 0 || process->fd_limit == UINT64_MAX || process->fd_count < 0)
		return 0;
	return (unsigned int)((double)process->fd_count * 100 / (double)process->fd_limit);
}

/* Whether this process was met at an earlier listener already. */
static bool is_known(const struct scan *scan, const struct scan_leaker *leaker)
{
	for (size_t l = 0; l < scan->n_listeners; l++) {
		for (size_t i = 0; i < scan->listeners[l].n_leakers; i++) {
			const struct scan_leaker *other = &scan->listeners[l].leakers[i];

			if (other == leaker)
				return false;
			if (other->process.pid == leaker->process.pid)
				return true;
		}
	}
	return false;
}

static void judge_process(struct cgroup_map *cgroups, const struct scan_leaker *leaker,
			  struct diagnoses *all)
{
	const struct owner_process *process = &leaker->process;
	bool urgent = percent(process) >= AT_LIMIT;
	char count[CTLPRINT_SIZE], limit[CTLPRINT_SIZE], name[CTLSCAN_LEAKER_SIZE];
	struct diagnosis diagnosis = diagnosis_make(
		"process", urgent ? VERDICT_BAD : VERDICT_NOTE, "%.*s: %s of %s descriptors",
		NAME_SHOWN, ctlscan_name_leaker(cgroups, leaker, name),
		ctlprint_count((uint64_t)process->fd_count, count),
		ctlprint_count(process->fd_limit, limit));

	diagnosis_number(&diagnosis, (uint64_t)process->fd_count);
	diagnosis_means(&diagnosis,
			"it holds sockets in CLOSE_WAIT and is near its RLIMIT_NOFILE: beyond that "
			"it accepts nobody. A destroyed socket keeps its descriptor");
	diagnosis_advise(&diagnosis, EFFECT_DESCRIPTORS,
			 "Start %.*s again before it runs out of descriptors, and raise its "
			 "RLIMIT_NOFILE (LimitNOFILE= of its unit) until the leak is fixed.",
			 NAME_SHOWN, name);
	diagnoses_add(all, QUESTION_DESCRIPTORS, &diagnosis);
}

void doctor_leaks_judge_descriptors(const struct doctor_leaks *leaks, struct diagnoses *all)
{
	const struct scan *scan = leaks->scan;
	static const char name[] = "descriptors";
	struct diagnosis diagnosis;
	size_t processes = 0, near = 0;
	bool hidden = false;

	if (leaks->error) {
		diagnosis = judge_failure(name, leaks->error);
		diagnoses_add(all, QUESTION_DESCRIPTORS, &diagnosis);
		return;
	}
	for (size_t l = 0; l < scan->n_listeners; l++) {
		for (size_t i = 0; i < scan->listeners[l].n_leakers; i++) {
			const struct scan_leaker *leaker = &scan->listeners[l].leakers[i];

			if (leaker->process.pid == 0)
				hidden = hidden || scan->view.denied > 0 || scan->view.hidden;
			if (leaker->process.pid == 0 || is_known(scan, leaker))
				continue;
			processes++;
			if (percent(&leaker->process) < NEAR_LIMIT)
				continue;
			if (near++ < DESCRIPTORS_MAX)
				judge_process(leaks->sources.cgroups, leaker, all);
		}
	}
	if (hidden && near == 0) {
		diagnosis = diagnosis_make(name, VERDICT_UNKNOWN, "not known");
		diagnosis_means(&diagnosis,
				"other users' processes hold sockets in CLOSE_WAIT: run "
				"as root");
	} else {
		diagnosis = diagnosis_make(name, near > 0 ? VERDICT_NOTE : VERDICT_GOOD,
					   "%zu of %zu who hold CLOSE_WAIT sockets near the limit",
					   near, processes);
		diagnosis_number(&diagnosis, near);
	}
	diagnoses_add(all, QUESTION_DESCRIPTORS, &diagnosis);
}

/* --- mines ------------------------------------------------------------------------------------*/

static void judge_listener(struct cgroup_map *cgroups, const struct scan_listener *listener,
			   enum ctl_verdict verdict, struct diagnoses *all)
{
	char local[ENDPOINT_STRLEN], count[CTLPRINT_SIZE], name[CTLSCAN_LEAKER_SIZE];
	struct diagnosis diagnosis = diagnosis_make(
		"listener", verdict, "%s: %s mines", endpoint_format(&listener->local, local),
		ctlprint_count(listener->counts[SCAN_MINE], count));

	diagnosis_number(&diagnosis, listener->counts[SCAN_MINE]);
	if (listener->share > 0)
		diagnosis_means(&diagnosis, "%.2g %% of the connects to it meet one",
				listener->share * 100);
	if (listener->n_leakers > 0) {
		ctlscan_name_leaker(cgroups, &listener->leakers[0], name);
		diagnosis_advise(
			&diagnosis, EFFECT_LEAK,
			"Fix %.*s, which does not close what its clients at %s have closed. "
			"To start it again frees the sockets; closewaitctl scan tells more.",
			NAME_SHOWN, name, local);
	}
	diagnoses_add(all, QUESTION_MINES, &diagnosis);
}

void doctor_leaks_judge_mines(const struct doctor_leaks *leaks, const struct doctor_danger *danger,
			      struct diagnoses *all)
{
	const struct scan *scan = leaks->scan;
	static const char name[] = "mines";
	enum ctl_verdict verdict = VERDICT_GOOD;
	char count[CTLPRINT_SIZE];
	struct diagnosis diagnosis;
	size_t mines;

	if (leaks->error) {
		diagnosis = judge_failure(name, leaks->error);
		diagnoses_add(all, QUESTION_MINES, &diagnosis);
		return;
	}
	mines = scan->counts[SCAN_MINE];
	if (mines > 0)
		verdict = danger->hurts && !danger->protected ? VERDICT_BAD : VERDICT_NOTE;
	diagnosis = diagnosis_make(name, verdict, "%s", ctlprint_count(mines, count));
	diagnosis_number(&diagnosis, mines);
	if (mines > 0)
		diagnosis_means(&diagnosis,
				"sockets in CLOSE_WAIT whose clients are gone: the next "
				"client that is given such a client's port meets the "
				"old socket%s",
				danger->hurts && !danger->protected ? ", and hangs" : "");
	diagnoses_add(all, QUESTION_MINES, &diagnosis);
	for (size_t i = 0, told = 0; i < scan->n_listeners && told < LISTENERS_MAX; i++) {
		if (scan->listeners[i].counts[SCAN_MINE] == 0)
			continue;
		judge_listener(leaks->sources.cgroups, &scan->listeners[i], verdict, all);
		told++;
	}
}
