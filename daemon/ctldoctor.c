/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is slow goes on at the same time: the trials, and the check of the rules, are processes of
 * their own. The trial on the host itself waits for the check, since where a closewaitd is at work
 * and its rules do not hold the collision, the daemon would count it as traffic that they miss.
 *
 * Nothing takes longer than its deadline; all together TRIAL_DEADLINE_MS and RULES_MS at most.
 */
#include "config.h"

#include "clock.h"
#include "control.h"
#include "ctl.h"
#include "ctlclient.h"
#include "ctldiagnosis.h"
#include "ctldoctordaemon.h"
#include "ctldoctorguard.h"
#include "ctldoctorleaks.h"
#include "ctldoctorqueue.h"
#include "ctldoctorreuse.h"
#include "ctldoctorrules.h"
#include "ctldoctorsysctl.h"
#include "ctldoctortrial.h"
#include "ctloptions.h"

#include <stdio.h>
#include <sys/utsname.h>

/* nft and iptables are quick; another closewaitd-rules may be at work, and is waited for. */
#define RULES_MS 10000

struct examination {
	struct utsname system;
	struct doctor_trials trials;
	struct doctor_reuse reuse;
	struct doctor_daemon daemon;
	struct doctor_rules rules;
	struct doctor_sysctl sysctl;
	struct doctor_queues queues;
	struct doctor_leaks leaks;
};

static void examine(const struct ctl *ctl, bool passive, struct examination *found)
{
	const char *objection = passive ? "not wanted: --passive" : NULL;
	struct kstat before;
	bool counted = kstat_read(&before) == 0;

	uname(&found->system);
	doctor_trial_start(&found->trials, ARENA_KERNEL, objection);
	doctor_reuse_start(&found->reuse, objection);
	doctor_rules_start(ctl, &found->rules);
	doctor_daemon_ask(ctl, &found->daemon);
	doctor_sysctl_read(&found->sysctl);
	doctor_leaks_scan(found->sysctl.ports_error ? NULL : &found->sysctl.ports, &found->leaks);
	doctor_rules_finish(&found->rules, clock_ms(CLOCK_MONOTONIC) + RULES_MS);
	if (!objection)
		objection = doctor_guard_objection(&found->daemon, &found->rules);
	doctor_trial_start(&found->trials, ARENA_IPV4, objection);
	doctor_trial_start(&found->trials, ARENA_IPV6, objection);
	doctor_trials_finish(&found->trials);
	doctor_reuse_finish(&found->reuse);
	if (found->daemon.status == CTL_OK)
		doctor_daemon_ask_about(ctl, &found->trials);
	doctor_queues_read(counted ? &before : NULL, &found->queues);
}

static void judge(const struct examination *found, struct diagnoses *all)
{
	const struct doctor_danger danger = {
		.hurts = doctor_trials_hurt(&found->trials),
		.protected = doctor_guard_protects(&found->daemon),
	};

	doctor_trials_judge(&found->trials, found->system.release, all);
	doctor_reuse_judge(&found->reuse, danger.hurts, all);
	doctor_sysctl_judge(&found->sysctl, all);
	doctor_queues_judge(&found->queues, all);
	doctor_leaks_judge_descriptors(&found->leaks, all);
	doctor_leaks_judge_mines(&found->leaks, &danger, all);
	doctor_guard_judge(&found->daemon, &found->rules, &found->trials,
			   doctor_leaks_mines(&found->leaks), all);
}

static void print_json(const struct diagnoses *all)
{
	json_t *answer = diagnoses_object(all);

	json_object_set_new(answer, "ok", json_true());
	json_object_set_new(answer, "version", json_integer(CONTROL_VERSION));
	ctlclient_print(answer);
	json_decref(answer);
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
	bool passive = false;
	const struct ctl_option own[] = {{"passive", 0, &passive, NULL}};
	static struct examination found;
	static struct diagnoses all;

	if (ctl_arguments(ctl, argc, argv, own, 1, 0) < 0)
		return CTL_USAGE;
	examine(ctl, passive, &found);
	judge(&found, &all);
	doctor_leaks_release(&found.leaks);
	if (ctl->json)
		print_json(&all);
	else
		diagnoses_print(&all);
	return diagnoses_worst(&all) == VERDICT_BAD ? CTL_FOUND : CTL_OK;
}
