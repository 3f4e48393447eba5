/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what closewaitctl doctor makes of facts: verdicts, and advice in the order of its effect. */
#include "config.h"

#include "ctldiagnosis.h"
#include "ctldoctorguard.h"
#include "ctldoctorleaks.h"
#include "ctldoctorqueue.h"
#include "ctldoctorreuse.h"
#include "ctldoctorsysctl.h"
#include "ctldoctortrial.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static struct diagnoses all;

static int setup(void **state)
{
	(void)state;
	memset(&all, 0, sizeof(all));
	return 0;
}

/* The only diagnosis of that name. */
static const struct diagnosis *find(const char *name)
{
	const struct diagnosis *found = NULL;

	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.list[i].name, name) != 0)
			continue;
		assert_null(found);
		found = &all.list[i];
	}
	if (!found)
		fail_msg("no diagnosis \"%s\"", name);
	return found;
}

static void expect(const char *name, enum ctl_verdict verdict, const char *value)
{
	const struct diagnosis *diagnosis = find(name);

	assert_string_equal(verdict_name(diagnosis->verdict), verdict_name(verdict));
	assert_string_equal(diagnosis->value, value);
}

static void expect_advice(const char *name, enum ctl_effect effect)
{
	const struct diagnosis *diagnosis = find(name);

	assert_int_equal(diagnosis->effect, effect);
	assert_int_equal(diagnosis->advice[0] != '\0', effect != EFFECT_NONE);
}

static bool is_there(const char *name)
{
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.list[i].name, name) == 0)
			return true;
	}
	return false;
}

/* --- diagnoses --------------------------------------------------------------------------------*/

static void add(const char *name, enum ctl_verdict verdict, enum ctl_effect effect,
		const char *advice)
{
	struct diagnosis diagnosis = diagnosis_make(name, verdict, "value");

	if (effect != EFFECT_NONE)
		diagnosis_advise(&diagnosis, effect, "%s", advice);
	diagnoses_add(&all, QUESTION_SETTINGS, &diagnosis);
}

static void test_names(void **state)
{
	static const char *const verdicts[] = {"good", "note", "bad", "unknown"};
	static const char *const questions[] = {"collision",   "settings", "accept-queues",
						"descriptors", "mines",	   "protection"};

	(void)state;
	for (unsigned int i = 0; i < VERDICT_COUNT; i++)
		assert_string_equal(verdict_name((enum ctl_verdict)i), verdicts[i]);
	for (unsigned int i = 0; i < QUESTION_COUNT; i++)
		assert_string_equal(question_name((enum ctl_question)i), questions[i]);
	assert_non_null(verdict_name((enum ctl_verdict)VERDICT_COUNT));
	assert_non_null(question_name((enum ctl_question)QUESTION_COUNT));
}

static void test_worst(void **state)
{
	(void)state;
	assert_int_equal(diagnoses_worst(&all), VERDICT_GOOD);
	add("a", VERDICT_GOOD, EFFECT_NONE, NULL);
	assert_int_equal(diagnoses_worst(&all), VERDICT_GOOD);
	add("b", VERDICT_NOTE, EFFECT_NONE, NULL);
	assert_int_equal(diagnoses_worst(&all), VERDICT_NOTE);
	add("c", VERDICT_UNKNOWN, EFFECT_NONE, NULL);
	assert_int_equal(diagnoses_worst(&all), VERDICT_UNKNOWN);
	add("d", VERDICT_BAD, EFFECT_NONE, NULL);
	add("e", VERDICT_UNKNOWN, EFFECT_NONE, NULL);
	assert_int_equal(diagnoses_worst(&all), VERDICT_BAD);
}

static void test_json(void **state)
{
	const char *at;
	json_t *object;
	json_t *advice;

	(void)state;
	add("a", VERDICT_NOTE, EFFECT_SETTING, "then this");
	add("b", VERDICT_BAD, EFFECT_FIREWALL, "first this");
	add("c", VERDICT_BAD, EFFECT_FIREWALL, "first this");
	diagnosis_number(&all.list[1], 7);
	strcpy(all.list[2].value, "\xff bytes of a name");
	object = diagnoses_object(&all);
	assert_non_null(object);
	at = json_string_value(json_object_get(object, "verdict"));
	assert_string_equal(at, "bad");

	advice = json_object_get(object, "advice");
	assert_int_equal(json_array_size(advice), 2);
	assert_string_equal(json_string_value(json_array_get(advice, 0)), "first this");
	assert_string_equal(json_string_value(json_array_get(advice, 1)), "then this");

	advice = json_object_get(object, "diagnoses");
	assert_int_equal(json_array_size(advice), 3);
	assert_null(json_object_get(json_array_get(advice, 0), "number"));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(advice, 1), "number")),
			 7);
	at = json_string_value(json_object_get(json_array_get(advice, 1), "question"));
	assert_string_equal(at, "settings");
	json_decref(object);
}

static void test_too_many(void **state)
{
	(void)state;
	for (int i = 0; i < DIAGNOSES_MAX + 1; i++)
		add("a", VERDICT_GOOD, EFFECT_NONE, NULL);
	assert_int_equal(all.n, DIAGNOSES_MAX);
}

/* --- collisions -------------------------------------------------------------------------------*/

static const struct trial healed = {
	.end = TRIAL_CONNECTED,
	.step = TRIAL_AT_COLLISION,
	.us = 12000,
	.occupant = TRIAL_RESET,
	.resets_arrived = TRIAL_RESETS,
	.resets_sent = TRIAL_RESETS,
};
static const struct trial hangs = {
	.end = TRIAL_HANGS,
	.step = TRIAL_AT_COLLISION,
	.us = 3500000,
	.occupant = TRIAL_STAYS,
	.resets_arrived = TRIAL_RESETS,
	.resets_sent = TRIAL_RESETS,
};

static struct doctor_trials trials_of(const struct trial *alone, const struct trial *v4)
{
	struct doctor_trials trials = {.deadline_ms = 0};

	trials.of[ARENA_KERNEL].trial = *alone;
	trials.of[ARENA_IPV4].trial = *v4;
	trials.of[ARENA_IPV6].trial = healed;
	return trials;
}

static void judge_trials(const struct doctor_trials *trials)
{
	doctor_trials_judge(trials, "6.1", &all);
}

static void test_healed(void **state)
{
	struct doctor_trials trials = trials_of(&healed, &healed);

	(void)state;
	judge_trials(&trials);
	expect("kernel", VERDICT_GOOD, "Linux 6.1");
	expect("collision-alone", VERDICT_GOOD, "connected in 12.0 ms, the old socket reset");
	expect("collision-ipv4", VERDICT_GOOD, "connected in 12.0 ms, the old socket reset");
	assert_int_equal(find("collision-ipv4")->number, 12000);
	expect("resets-ipv4", VERDICT_GOOD, "20 of 20 arrive");
	expect("acks-ipv4", VERDICT_GOOD, "arrive");
	expect("acks-ipv6", VERDICT_GOOD, "arrive");
	assert_int_equal(diagnoses_worst(&all), VERDICT_GOOD);
	assert_false(doctor_trials_hurt(&trials));
}

/* Kernels before 5.6, and SYNs whose challenge was limited. */
static void test_healed_late(void **state)
{
	struct trial late = healed;
	struct doctor_trials trials;

	(void)state;
	late.us = 1012000;
	trials = trials_of(&late, &late);
	judge_trials(&trials);
	expect("collision-alone", VERDICT_BAD, "connected in 1.0 s, the old socket reset");
	assert_false(doctor_trials_hurt(&trials));
}

static void test_rules_keep_it_from_healing(void **state)
{
	struct doctor_trials trials = trials_of(&healed, &hangs);

	(void)state;
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_BAD, "no answer for 3.5 s, the old socket stays");
	assert_non_null(strstr(find("collision-ipv4")->meaning, "rules of this host"));
	expect_advice("collision-ipv4", EFFECT_FIREWALL);
	expect_advice("collision-alone", EFFECT_NONE);
	assert_true(doctor_trials_hurt(&trials));
}

/* Then it is no use to look for a rule. */
static void test_kernel_does_not_heal(void **state)
{
	struct doctor_trials trials = trials_of(&hangs, &hangs);

	(void)state;
	judge_trials(&trials);
	expect("collision-alone", VERDICT_BAD, "no answer for 3.5 s, the old socket stays");
	expect_advice("collision-alone", EFFECT_DAEMON);
	expect_advice("collision-ipv4", EFFECT_NONE);
}

/* Which rule it is, is known: one piece of advice is enough. */
static void test_resets_dropped(void **state)
{
	struct trial dropped = hangs;
	struct doctor_trials trials;

	(void)state;
	dropped.resets_arrived = 0;
	trials = trials_of(&healed, &dropped);
	judge_trials(&trials);
	expect("resets-ipv4", VERDICT_BAD, "0 of 20 arrive");
	assert_non_null(strstr(find("resets-ipv4")->meaning, "drops RSTs"));
	expect_advice("resets-ipv4", EFFECT_FIREWALL);
	expect_advice("collision-ipv4", EFFECT_NONE);
	expect("resets-ipv6", VERDICT_GOOD, "20 of 20 arrive");
}

/* A single collision heals, and yet. */
static void test_resets_limited(void **state)
{
	struct trial limited = healed;
	struct doctor_trials trials;

	(void)state;
	limited.resets_arrived = 0;
	trials = trials_of(&healed, &limited);
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_GOOD, "connected in 12.0 ms, the old socket reset");
	expect("resets-ipv4", VERDICT_BAD, "0 of 20 arrive");
	assert_non_null(strstr(find("resets-ipv4")->meaning, "limits the rate of RSTs"));

	/* It is closewaitd that has connected this one. */
	setup(NULL);
	limited.occupant = TRIAL_DESTROYED;
	trials = trials_of(&healed, &limited);
	judge_trials(&trials);
	assert_non_null(strstr(find("resets-ipv4")->meaning, "drops RSTs"));
}

static void test_acks_dropped(void **state)
{
	const struct trial lost = {.step = TRIAL_AT_CONNECT, .error = -ETIMEDOUT, .ack_lost = true};
	struct doctor_trials trials = trials_of(&healed, &lost);

	(void)state;
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_UNKNOWN, "not measured");
	assert_null(strstr(find("collision-ipv4")->meaning, "certain ports"));
	expect("acks-ipv4", VERDICT_BAD, "lost");
	expect_advice("acks-ipv4", EFFECT_FIREWALL);
	assert_false(is_there("resets-ipv4"));
}

/* Rules that let doctor's ports not pass say nothing about others. */
static void test_no_connection(void **state)
{
	const struct trial none = {.step = TRIAL_AT_CONNECT, .error = -ETIMEDOUT};
	struct doctor_trials trials = trials_of(&healed, &none);

	(void)state;
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_UNKNOWN, "not measured");
	assert_non_null(strstr(find("collision-ipv4")->meaning, "certain ports"));
	assert_false(is_there("acks-ipv4"));
	assert_false(is_there("resets-ipv4"));
}

static void test_no_ipv6(void **state)
{
	struct doctor_trials trials = trials_of(&healed, &healed);

	(void)state;
	trials.of[ARENA_IPV6].trial =
		(struct trial){.step = TRIAL_AT_LISTEN, .error = -EADDRNOTAVAIL};
	judge_trials(&trials);
	expect("collision-ipv6", VERDICT_GOOD, "no IPv6 on loopback");
	assert_false(is_there("resets-ipv6"));
}

static void test_not_permitted(void **state)
{
	struct doctor_trials trials = trials_of(&healed, &hangs);

	(void)state;
	trials.of[ARENA_KERNEL].error = -EPERM;
	judge_trials(&trials);
	expect("collision-alone", VERDICT_UNKNOWN, "not measured");
	assert_non_null(strstr(find("collision-alone")->meaning, "run as root"));
	/* It hangs, but whose fault that is cannot be told. */
	expect("collision-ipv4", VERDICT_BAD, "no answer for 3.5 s, the old socket stays");
	assert_null(strstr(find("collision-ipv4")->meaning, "rules of this host"));
}

static void test_not_wanted(void **state)
{
	struct doctor_trials trials = trials_of(&healed, &healed);

	(void)state;
	trials.of[ARENA_IPV4] = (struct doctor_trial){.why_not = "because"};
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_UNKNOWN, "not measured");
	assert_string_equal(find("collision-ipv4")->meaning, "because");
	assert_false(is_there("resets-ipv4"));
	assert_false(doctor_trials_hurt(&trials));
}

/* What closewaitd's policy did on purpose is no fault. */
static void test_by_policy(void **state)
{
	struct trial refused = {.end = TRIAL_REFUSED, .step = TRIAL_AT_COLLISION};
	struct trial destroyed = healed;
	struct doctor_trials trials;

	(void)state;
	destroyed.us = 343;
	destroyed.occupant = TRIAL_DESTROYED;
	trials = trials_of(&healed, &destroyed);
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_GOOD, "connected in 343 us, the old socket destroyed");

	setup(NULL);
	trials = trials_of(&healed, &refused);
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_NOTE, "refused, the old socket stays");
	setup(NULL);
	strcpy(trials.of[ARENA_IPV4].result, "rejected");
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_GOOD, "refused, the old socket stays");

	setup(NULL);
	trials = trials_of(&healed, &hangs);
	strcpy(trials.of[ARENA_IPV4].result, "dropped");
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_NOTE, "no answer for 3.5 s, the old socket stays");
	assert_false(doctor_trials_hurt(&trials));

	/* In audit mode nothing is done, whatever the policy says. */
	setup(NULL);
	strcpy(trials.of[ARENA_IPV4].result, "audited");
	judge_trials(&trials);
	expect("collision-ipv4", VERDICT_BAD, "no answer for 3.5 s, the old socket stays");
	assert_true(doctor_trials_hurt(&trials));
}

static void test_port_reuse(void **state)
{
	struct doctor_reuse reuse = {.trial = {.after_ms = 2100}};

	(void)state;
	doctor_reuse_judge(&reuse, true, &all);
	expect("port-reuse", VERDICT_GOOD, "not within 2.1 s");
	expect_advice("port-reuse", EFFECT_NONE);

	setup(NULL);
	reuse.trial = (struct trialreuse){.reused = true, .after_ms = 1024};
	doctor_reuse_judge(&reuse, false, &all);
	expect("port-reuse", VERDICT_NOTE, "after 1.0 s already");
	expect_advice("port-reuse", EFFECT_SETTING);
	assert_int_equal(find("port-reuse")->number, 1024);
	setup(NULL);
	doctor_reuse_judge(&reuse, true, &all);
	expect("port-reuse", VERDICT_BAD, "after 1.0 s already");

	setup(NULL);
	reuse.trial.error = -EACCES;
	doctor_reuse_judge(&reuse, true, &all);
	expect("port-reuse", VERDICT_UNKNOWN, "not measured");
	setup(NULL);
	reuse = (struct doctor_reuse){.error = -EPERM};
	doctor_reuse_judge(&reuse, true, &all);
	expect("port-reuse", VERDICT_UNKNOWN, "not measured");
}

/* --- settings ---------------------------------------------------------------------------------*/

static struct doctor_sysctl usual_settings(void)
{
	struct doctor_sysctl sysctl = {.ports_error = 0};

	sysctl.value[SETTING_FIN_TIMEOUT] = 60;
	sysctl.value[SETTING_TW_REUSE] = 2;
	sysctl.value[SETTING_CHALLENGE_ACK_LIMIT] = INT32_MAX;
	sysctl.value[SETTING_ABORT_ON_OVERFLOW] = 0;
	sysctl.value[SETTING_SYN_RETRIES] = 6;
	sysctl.value[SETTING_SOMAXCONN] = 4096;
	sysctl.ports.low = 32768;
	sysctl.ports.high = 60999;
	return sysctl;
}

static void test_usual_settings(void **state)
{
	struct doctor_sysctl sysctl = usual_settings();

	(void)state;
	doctor_sysctl_judge(&sysctl, &all);
	assert_int_equal(all.n, SETTING_COUNT + 1);
	assert_int_equal(diagnoses_worst(&all), VERDICT_GOOD);
	expect("tcp_fin_timeout", VERDICT_GOOD, "60");
	expect("tcp_challenge_ack_limit", VERDICT_GOOD, "no limit");
	expect("ip_local_port_range", VERDICT_GOOD,
	       "32768-60999, 0 of them reserved: 28,232 ports");
	assert_non_null(strstr(find("tcp_syn_retries")->meaning, "2 m 7 s"));
}

static void test_unusual_settings(void **state)
{
	struct doctor_sysctl sysctl = usual_settings();

	(void)state;
	sysctl.value[SETTING_FIN_TIMEOUT] = 5;
	sysctl.value[SETTING_TW_REUSE] = 1;
	sysctl.value[SETTING_CHALLENGE_ACK_LIMIT] = 99;
	sysctl.value[SETTING_ABORT_ON_OVERFLOW] = 1;
	sysctl.value[SETTING_SOMAXCONN] = 128;
	sysctl.value[SETTING_SYN_RETRIES] = SETTING_UNKNOWN;
	doctor_sysctl_judge(&sysctl, &all);
	expect("tcp_fin_timeout", VERDICT_NOTE, "5");
	expect("tcp_tw_reuse", VERDICT_NOTE, "1");
	expect("tcp_challenge_ack_limit", VERDICT_NOTE, "99");
	expect_advice("tcp_challenge_ack_limit", EFFECT_SETTING);
	expect("tcp_abort_on_overflow", VERDICT_NOTE, "1");
	expect("somaxconn", VERDICT_NOTE, "128");
	expect_advice("somaxconn", EFFECT_SETTING);
	expect("tcp_syn_retries", VERDICT_UNKNOWN, "cannot be read");
}

static void test_ports(void **state)
{
	struct doctor_sysctl sysctl = usual_settings();

	(void)state;
	sysctl.ports.low = 65000;
	sysctl.ports.high = 65535;
	portset_add(&sysctl.ports.reserved, 64999);
	portset_add(&sysctl.ports.reserved, 65535);
	doctor_sysctl_judge(&sysctl, &all);
	expect("ip_local_port_range", VERDICT_NOTE, "65000-65535, 1 of them reserved: 535 ports");
	expect_advice("ip_local_port_range", EFFECT_SETTING);

	setup(NULL);
	sysctl.ports_error = -ENOENT;
	doctor_sysctl_judge(&sysctl, &all);
	expect("ip_local_port_range", VERDICT_UNKNOWN, "cannot be read");
}

/* --- accept queues ----------------------------------------------------------------------------*/

static void test_queues(void **state)
{
	struct doctor_queues queues = {.listeners = 3};

	(void)state;
	doctor_queues_judge(&queues, &all);
	expect("accept-queues", VERDICT_GOOD, "0 of 3 listeners are full");
	expect("overflows", VERDICT_GOOD, "0");

	setup(NULL);
	queues.overflows = 1234;
	doctor_queues_judge(&queues, &all);
	expect("overflows", VERDICT_NOTE, "1,234");
	expect_advice("overflows", EFFECT_NONE);

	setup(NULL);
	queues.overflows_now = 2;
	doctor_queues_judge(&queues, &all);
	expect("overflows", VERDICT_BAD, "1,234, 2 of them just now");
	expect_advice("overflows", EFFECT_ACCEPT);
}

static void test_full_queues(void **state)
{
	struct doctor_queues queues = {.listeners = 3, .full = 1};

	(void)state;
	assert_int_equal(endpoint_parse("127.0.0.1:8000", &queues.named[0].local), 0);
	queues.named[0].queued = 6;
	queues.named[0].backlog = 5;
	doctor_queues_judge(&queues, &all);
	expect("accept-queues", VERDICT_BAD, "1 of 3 listeners is full");
	expect("accept-queue", VERDICT_BAD, "127.0.0.1:8000: 6 wait, 5 may");
	expect_advice("accept-queue", EFFECT_ACCEPT);

	setup(NULL);
	queues.full = DOCTOR_QUEUES_NAMED + 1;
	doctor_queues_judge(&queues, &all);
	assert_int_equal(all.n, 2 + DOCTOR_QUEUES_NAMED);
}

static void test_queues_unknown(void **state)
{
	struct doctor_queues queues = {.error = -EPERM, .count_error = -ENOENT};

	(void)state;
	doctor_queues_judge(&queues, &all);
	expect("accept-queues", VERDICT_UNKNOWN, "cannot be read");
	expect("overflows", VERDICT_UNKNOWN, "cannot be read");
}

/* --- leaks ------------------------------------------------------------------------------------*/

/* Two listeners, with two leakers and with one. */
static struct scan_leaker leakers[3];
static struct scan_listener listeners[2];
static struct scan found;
static struct doctor_leaks leaks;

static struct owner_process process_of(pid_t pid, const char *comm, int64_t fds)
{
	struct owner_process process = {.pid = pid, .fd_limit = 1000, .fd_count = fds};

	strcpy(process.comm, comm);
	return process;
}

static int set_up_leaks(void **state)
{
	memset(leakers, 0, sizeof(leakers));
	memset(listeners, 0, sizeof(listeners));
	leakers[0].process = process_of(11, "nginx", 10);
	leakers[1].process = process_of(12, "ruby", 10);
	leakers[2].process = process_of(11, "nginx", 10);
	listeners[0] = (struct scan_listener){.leakers = &leakers[0], .n_leakers = 2};
	listeners[1] = (struct scan_listener){.leakers = &leakers[2], .n_leakers = 1};
	assert_int_equal(endpoint_parse("127.0.0.1:8000", &listeners[0].local), 0);
	assert_int_equal(endpoint_parse("[::1]:8000", &listeners[1].local), 0);
	found = (struct scan){.listeners = listeners, .n_listeners = 2};
	leaks = (struct doctor_leaks){.scan = &found};
	assert_int_equal(cgroup_open(CGROUP_WALK_TOOL_US, &leaks.sources.cgroups), 0);
	return setup(state);
}

static int tear_down_leaks(void **state)
{
	(void)state;
	cgroup_close(leaks.sources.cgroups);
	return 0;
}

static void test_descriptors(void **state)
{
	(void)state;
	doctor_leaks_judge_descriptors(&leaks, &all);
	assert_int_equal(all.n, 1);
	expect("descriptors", VERDICT_GOOD, "0 of 2 who hold CLOSE_WAIT sockets near the limit");

	/* Once, although it leaks at both listeners. */
	setup(NULL);
	leakers[0].process.fd_count = leakers[2].process.fd_count = 700;
	doctor_leaks_judge_descriptors(&leaks, &all);
	expect("descriptors", VERDICT_NOTE, "1 of 2 who hold CLOSE_WAIT sockets near the limit");
	expect("process", VERDICT_NOTE, "nginx (pid 11): 700 of 1,000 descriptors");
	expect_advice("process", EFFECT_DESCRIPTORS);

	setup(NULL);
	leakers[0].process.fd_count = 900;
	doctor_leaks_judge_descriptors(&leaks, &all);
	expect("process", VERDICT_BAD, "nginx (pid 11): 900 of 1,000 descriptors");
}

static void test_descriptors_without_limit(void **state)
{
	(void)state;
	leakers[0].process.fd_count = leakers[1].process.fd_count = 100000;
	leakers[0].process.fd_limit = UINT64_MAX;
	leakers[1].process.fd_limit = 0; /* not known */
	doctor_leaks_judge_descriptors(&leaks, &all);
	assert_int_equal(all.n, 1);
	expect("descriptors", VERDICT_GOOD, "0 of 2 who hold CLOSE_WAIT sockets near the limit");
}

static void test_descriptors_hidden(void **state)
{
	(void)state;
	leakers[1].process.pid = 0;
	doctor_leaks_judge_descriptors(&leaks, &all);
	expect("descriptors", VERDICT_GOOD, "0 of 1 who hold CLOSE_WAIT sockets near the limit");

	setup(NULL);
	found.view.denied = 1;
	doctor_leaks_judge_descriptors(&leaks, &all);
	expect("descriptors", VERDICT_UNKNOWN, "not known");

	/* What was seen is worth more than what was not. */
	setup(NULL);
	leakers[0].process.fd_count = 950;
	doctor_leaks_judge_descriptors(&leaks, &all);
	expect("process", VERDICT_BAD, "nginx (pid 11): 950 of 1,000 descriptors");
}

static void test_mines(void **state)
{
	const struct doctor_danger none = {.hurts = false};
	const struct doctor_danger danger = {.hurts = true};
	const struct doctor_danger averted = {.hurts = true, .protected = true};

	(void)state;
	doctor_leaks_judge_mines(&leaks, &danger, &all);
	assert_int_equal(all.n, 1);
	expect("mines", VERDICT_GOOD, "0");

	setup(NULL);
	listeners[1].counts[SCAN_MINE] = found.counts[SCAN_MINE] = 1234;
	listeners[1].share = 0.044;
	listeners[0].counts[SCAN_HALF_CLOSED] = found.counts[SCAN_HALF_CLOSED] = 7;
	doctor_leaks_judge_mines(&leaks, &none, &all);
	expect("mines", VERDICT_NOTE, "1,234");
	expect("listener", VERDICT_NOTE, "[::1]:8000: 1,234 mines");
	assert_non_null(strstr(find("listener")->meaning, "4.4 %"));
	assert_non_null(strstr(find("listener")->advice, "nginx (pid 11)"));
	expect_advice("listener", EFFECT_LEAK);
	assert_int_equal(doctor_leaks_mines(&leaks), 1234);

	setup(NULL);
	doctor_leaks_judge_mines(&leaks, &averted, &all);
	expect("mines", VERDICT_NOTE, "1,234");
	setup(NULL);
	doctor_leaks_judge_mines(&leaks, &danger, &all);
	expect("mines", VERDICT_BAD, "1,234");
	expect("listener", VERDICT_BAD, "[::1]:8000: 1,234 mines");
}

static void test_leaks_unknown(void **state)
{
	const struct doctor_danger none = {.hurts = false};

	(void)state;
	leaks.error = -EPERM;
	leaks.scan = NULL;
	doctor_leaks_judge_descriptors(&leaks, &all);
	doctor_leaks_judge_mines(&leaks, &none, &all);
	expect("descriptors", VERDICT_UNKNOWN, "not known");
	expect("mines", VERDICT_UNKNOWN, "not known");
	assert_int_equal(doctor_leaks_mines(&leaks), 0);
}

/* --- protection -------------------------------------------------------------------------------*/

static const struct doctor_daemon nobody = {.status = CTL_NO_DAEMON};
static const struct doctor_rules no_rules = {.state = DOCTOR_RULES_NONE};
static const struct doctor_rules right_rules = {.state = DOCTOR_RULES_RIGHT, .all_ports = true};

static struct doctor_daemon daemon_of(const char *mode, const char *coverage)
{
	struct doctor_daemon daemon = {.status = CTL_OK};

	strcpy(daemon.mode, mode);
	strcpy(daemon.coverage, coverage);
	return daemon;
}

static void judge_guard(const struct doctor_daemon *daemon, const struct doctor_rules *rules,
			bool hurt, size_t mines)
{
	struct doctor_trials trials = trials_of(&healed, hurt ? &hangs : &healed);

	setup(NULL);
	doctor_guard_judge(daemon, rules, &trials, mines, &all);
}

static void test_no_daemon(void **state)
{
	(void)state;
	judge_guard(&nobody, &no_rules, false, 0);
	expect("closewaitd", VERDICT_NOTE, "not running");
	expect_advice("closewaitd", EFFECT_NONE);
	expect("rules", VERDICT_NOTE, "none");
	expect_advice("rules", EFFECT_NONE);
	assert_false(is_there("coverage"));
	judge_guard(&nobody, &no_rules, false, 1);
	expect("closewaitd", VERDICT_NOTE, "not running");
	expect_advice("closewaitd", EFFECT_DAEMON);
	judge_guard(&nobody, &no_rules, true, 0);
	expect("closewaitd", VERDICT_NOTE, "not running");
	expect_advice("closewaitd", EFFECT_DAEMON);
	judge_guard(&nobody, &no_rules, true, 1);
	expect("closewaitd", VERDICT_BAD, "not running");
	assert_false(doctor_guard_protects(&nobody));
}

static void test_daemon(void **state)
{
	struct doctor_daemon daemon = daemon_of("audit", "idle");

	(void)state;
	judge_guard(&daemon, &right_rules, false, 0);
	expect("closewaitd", VERDICT_NOTE, "running, mode audit");
	expect_advice("closewaitd", EFFECT_NONE);
	expect("coverage", VERDICT_GOOD, "idle");
	expect("rules", VERDICT_GOOD, "in order");
	judge_guard(&daemon, &right_rules, true, 0);
	expect_advice("closewaitd", EFFECT_DAEMON);
	assert_false(doctor_guard_protects(&daemon));

	daemon = daemon_of("enforce", "ok");
	judge_guard(&daemon, &right_rules, true, 1);
	expect("closewaitd", VERDICT_GOOD, "running, mode enforce");
	expect_advice("closewaitd", EFFECT_NONE);
	assert_true(doctor_guard_protects(&daemon));
}

static void test_coverage(void **state)
{
	static const char *const bad[] = {"missed", "not-fed"};
	struct doctor_daemon daemon = daemon_of("enforce", "unknown");

	(void)state;
	judge_guard(&daemon, &right_rules, false, 0);
	expect("coverage", VERDICT_UNKNOWN, "unknown");
	for (size_t i = 0; i < 2; i++) {
		daemon = daemon_of("enforce", bad[i]);
		judge_guard(&daemon, &right_rules, false, 0);
		expect("coverage", VERDICT_BAD, bad[i]);
		expect_advice("coverage", EFFECT_RULES);
		assert_false(doctor_guard_protects(&daemon));
	}
}

static void test_daemon_silent(void **state)
{
	struct doctor_daemon daemon = {.status = CTL_DENIED};

	(void)state;
	judge_guard(&daemon, &right_rules, false, 0);
	expect("closewaitd", VERDICT_UNKNOWN, "may not be asked");
	daemon.status = CTL_FAILED;
	judge_guard(&daemon, &right_rules, false, 0);
	expect("closewaitd", VERDICT_BAD, "does not answer");
	expect_advice("closewaitd", EFFECT_RULES);
}

static void test_rules(void **state)
{
	struct doctor_daemon daemon = daemon_of("enforce", "idle");
	struct doctor_rules rules = {.state = DOCTOR_RULES_WRONG, .text = "no jump"};

	(void)state;
	judge_guard(&daemon, &no_rules, false, 0);
	expect("rules", VERDICT_BAD, "none");
	expect_advice("rules", EFFECT_RULES);
	judge_guard(&daemon, &rules, false, 0);
	expect("rules", VERDICT_BAD, "not in order");
	assert_string_equal(find("rules")->meaning, "no jump");
	rules.state = DOCTOR_RULES_UNKNOWN;
	judge_guard(&daemon, &rules, false, 0);
	expect("rules", VERDICT_UNKNOWN, "not known");
	rules.state = DOCTOR_RULES_RIGHT;
	judge_guard(&daemon, &rules, false, 0);
	expect("rules", VERDICT_GOOD, "in order, for certain ports only");
}

static void test_own_collision(void **state)
{
	struct doctor_daemon daemon = daemon_of("enforce", "ok");
	struct doctor_trials trials = trials_of(&healed, &healed);

	(void)state;
	trials.of[ARENA_IPV4].was_asked = trials.of[ARENA_IPV6].was_asked = true;
	strcpy(trials.of[ARENA_IPV4].result, "destroyed");
	doctor_guard_judge(&daemon, &right_rules, &trials, 0, &all);
	expect("own-collision-ipv4", VERDICT_GOOD, "seen by closewaitd: destroyed");
	expect("own-collision-ipv6", VERDICT_BAD, "not seen by closewaitd");
	expect_advice("own-collision-ipv6", EFFECT_RULES);
}

/* A collision that the rules do not hold would become one that they miss. */
static void test_objection(void **state)
{
	const struct doctor_rules unknown = {.state = DOCTOR_RULES_UNKNOWN};
	const struct doctor_rules some_ports = {.state = DOCTOR_RULES_RIGHT};
	const struct doctor_rules bound = {.state = DOCTOR_RULES_WRONG, .bound = true};
	struct doctor_daemon daemon = daemon_of("audit", "idle");

	(void)state;
	assert_null(doctor_guard_objection(&nobody, &no_rules));
	assert_null(doctor_guard_objection(&nobody, &unknown));
	assert_null(doctor_guard_objection(&nobody, &some_ports));
	assert_non_null(doctor_guard_objection(&nobody, &bound));
	assert_null(doctor_guard_objection(&daemon, &right_rules));
	assert_non_null(doctor_guard_objection(&daemon, &no_rules));
	assert_non_null(doctor_guard_objection(&daemon, &unknown));
	assert_non_null(doctor_guard_objection(&daemon, &some_ports));
	daemon.status = CTL_DENIED;
	assert_non_null(doctor_guard_objection(&daemon, &unknown));
}

static void test_rules_parse(void **state)
{
	struct doctor_rules rules;

	(void)state;
	doctor_rules_parse("ok: rules of the backend nft are there\n"
			   "ok: nft: every rule is as up makes it (filter all, ports all)\n"
			   "note: queue 61: bound by port id 812 (closewaitd), held now 0\n",
			   0, &rules);
	assert_int_equal(rules.state, DOCTOR_RULES_RIGHT);
	assert_true(rules.all_ports);
	assert_true(rules.bound);
	doctor_rules_parse("ok: nft: every rule is as up makes it (filter all, ports 80,443)\n", 0,
			   &rules);
	assert_int_equal(rules.state, DOCTOR_RULES_RIGHT);
	assert_false(rules.all_ports);
	assert_false(rules.bound);
	doctor_rules_parse("wrong: no rules are there\nnote: x\n", 1, &rules);
	assert_int_equal(rules.state, DOCTOR_RULES_NONE);
	doctor_rules_parse("ok: a\nwrong: b c\nwrong: d\n", 1, &rules);
	assert_int_equal(rules.state, DOCTOR_RULES_WRONG);
	assert_string_equal(rules.text, "b c");
	doctor_rules_parse("closewaitd-rules: check: must be run as root\n", 1, &rules);
	assert_int_equal(rules.state, DOCTOR_RULES_UNKNOWN);
	assert_string_equal(rules.text, "check: must be run as root");
	doctor_rules_parse("", 1, &rules);
	assert_int_equal(rules.state, DOCTOR_RULES_UNKNOWN);
	assert_string_not_equal(rules.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup(test_worst, setup),
		cmocka_unit_test_setup(test_json, setup),
		cmocka_unit_test_setup(test_too_many, setup),
		cmocka_unit_test_setup(test_healed, setup),
		cmocka_unit_test_setup(test_healed_late, setup),
		cmocka_unit_test_setup(test_rules_keep_it_from_healing, setup),
		cmocka_unit_test_setup(test_kernel_does_not_heal, setup),
		cmocka_unit_test_setup(test_resets_dropped, setup),
		cmocka_unit_test_setup(test_resets_limited, setup),
		cmocka_unit_test_setup(test_acks_dropped, setup),
		cmocka_unit_test_setup(test_no_connection, setup),
		cmocka_unit_test_setup(test_no_ipv6, setup),
		cmocka_unit_test_setup(test_not_permitted, setup),
		cmocka_unit_test_setup(test_not_wanted, setup),
		cmocka_unit_test_setup(test_by_policy, setup),
		cmocka_unit_test_setup(test_port_reuse, setup),
		cmocka_unit_test_setup(test_usual_settings, setup),
		cmocka_unit_test_setup(test_unusual_settings, setup),
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_queues, setup),
		cmocka_unit_test_setup(test_full_queues, setup),
		cmocka_unit_test_setup(test_queues_unknown, setup),
		cmocka_unit_test_setup_teardown(test_descriptors, set_up_leaks, tear_down_leaks),
		cmocka_unit_test_setup_teardown(test_descriptors_without_limit, set_up_leaks,
						tear_down_leaks),
		cmocka_unit_test_setup_teardown(test_descriptors_hidden, set_up_leaks,
						tear_down_leaks),
		cmocka_unit_test_setup_teardown(test_mines, set_up_leaks, tear_down_leaks),
		cmocka_unit_test_setup_teardown(test_leaks_unknown, set_up_leaks, tear_down_leaks),
		cmocka_unit_test(test_no_daemon),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_daemon_silent),
		cmocka_unit_test(test_rules),
		cmocka_unit_test_setup(test_own_collision, setup),
		cmocka_unit_test(test_objection),
		cmocka_unit_test(test_rules_parse),
	};

	return cmocka_run_group_tests_name("ctldoctor", tests, NULL, NULL);
}
