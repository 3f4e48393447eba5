/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctorsysctl.h"
#include "ctlprint.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Seconds: a port that is free so soon meets sockets that close late, not leaked ones only. */
#define FIN_TIMEOUT_SHORT 10
/* A collision is two of them; with fewer, ordinary traffic of other hosts uses them up. */
#define CHALLENGES_FEW 100
/* Half of the default range of 28232 ports, in which a mine is met twice as often. */
#define PORTS_FEW 14116
/* The kernel's default before 5.4; a burst of connects fills that. */
#define SOMAXCONN_SMALL 128

static const char port_range[] = "ip_local_port_range";

/* --- the facts --------------------------------------------------------------------------------*/

static const struct {
	const char *name;
	const char *path;
} settings[SETTING_COUNT] = {
	[SETTING_FIN_TIMEOUT] = {"tcp_fin_timeout", "/proc/sys/net/ipv4/tcp_fin_timeout"},
	[SETTING_TW_REUSE] = {"tcp_tw_reuse", "/proc/sys/net/ipv4/tcp_tw_reuse"},
	[SETTING_CHALLENGE_ACK_LIMIT] = {"tcp_challenge_ack_limit",
					 "/proc/sys/net/ipv4/tcp_challenge_ack_limit"},
	[SETTING_ABORT_ON_OVERFLOW] = {"tcp_abort_on_overflow",
				       "/proc/sys/net/ipv4/tcp_abort_on_overflow"},
	[SETTING_SYN_RETRIES] = {"tcp_syn_retries", "/proc/sys/net/ipv4/tcp_syn_retries"},
	[SETTING_SOMAXCONN] = {"somaxconn", "/proc/sys/net/core/somaxconn"},
};

static int64_t read_number(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t len;

	if (fd < 0)
		return SETTING_UNKNOWN;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return SETTING_UNKNOWN;
	text[len] = '\0';
	return strtoll(text, NULL, 10);
}

void doctor_sysctl_read(struct doctor_sysctl *ret_sysctl)
{
	struct doctor_sysctl found = {.ports_error = 0};

	for (size_t i = 0; i < SETTING_COUNT; i++)
		found.value[i] = read_number(settings[i].path);
	found.ports_error = ephemeral_read(EPHEMERAL_ROOT, &found.ports);
	*ret_sysctl = found;
}

/* --- the judgement ----------------------------------------------------------------------------*/

static void judge_fin_timeout(struct diagnosis *diagnosis, int64_t value)
{
	if (value <= FIN_TIMEOUT_SHORT)
		diagnosis->verdict = VERDICT_NOTE;
	diagnosis_means(
		diagnosis,
		"seconds after a client has closed, its port is free for another one, and a "
		"socket that the server has not closed by then becomes a mine%s",
		value <= FIN_TIMEOUT_SHORT ? ": one that is merely slow to close, too" : "");
}

static void judge_tw_reuse(struct diagnosis *diagnosis, int64_t value)
{
	if (value == 0)
		diagnosis_means(diagnosis,
				"ports in TIME_WAIT are not used again before their time");
	else
		diagnosis_means(diagnosis, "%s may use a port in TIME_WAIT again after a second",
				value == 1 ? "a connect" : "a connect on loopback");
	if (value == 1)
		diagnosis->verdict = VERDICT_NOTE;
}

static void judge_challenge_limit(struct diagnosis *diagnosis, int64_t value)
{
	if (value >= INT32_MAX)
		snprintf(diagnosis->value, sizeof(diagnosis->value), "no limit");
	if (value >= CHALLENGES_FEW)
		return;
	diagnosis->verdict = VERDICT_NOTE;
	diagnosis_means(diagnosis,
			"so many challenge ACKs a second for all connections: collisions "
			"beyond that are healed a second later or not at all");
	diagnosis_advise(diagnosis, EFFECT_SETTING,
			 "Raise net.ipv4.tcp_challenge_ack_limit: bursts of collisions need more "
			 "than %" PRId64 " a second.",
			 value);
}

static void judge_abort_on_overflow(struct diagnosis *diagnosis, int64_t value)
{
	if (value == 0) {
		diagnosis_means(diagnosis, "where an accept queue is full, clients wait and try "
					   "again");
		return;
	}
	diagnosis->verdict = VERDICT_NOTE;
	diagnosis_means(diagnosis,
			"where an accept queue is full, connections are reset instead of "
			"tried again");
}

static void judge_syn_retries(struct diagnosis *diagnosis, int64_t value)
{
	char time[CTLPRINT_SIZE];

	/* 1 s, doubled with each; newer kernels (tcp_syn_linear_timeouts) are a little slower. */
	if (value < 32)
		diagnosis_means(diagnosis, "a connect without an answer gives up after about %s",
				ctlprint_duration(((UINT64_C(2) << value) - 1) * 1000, time));
}

static void judge_somaxconn(struct diagnosis *diagnosis, int64_t value)
{
	if (value > SOMAXCONN_SMALL) {
		diagnosis_means(diagnosis, "no accept queue is longer than that");
		return;
	}
	diagnosis->verdict = VERDICT_NOTE;
	diagnosis_means(diagnosis, "no accept queue is longer than that, whatever a server asks "
				   "for: a burst of connects fills it, and the next ones hang");
	diagnosis_advise(diagnosis, EFFECT_SETTING,
			 "Raise net.core.somaxconn, to 4096 for example, and start servers again.");
}

static void judge_unreadable(const char *name, struct diagnoses *all)
{
	struct diagnosis diagnosis = diagnosis_make(name, VERDICT_UNKNOWN, "cannot be read");

	diagnoses_add(all, QUESTION_SETTINGS, &diagnosis);
}

static void judge_setting(enum doctor_setting setting, int64_t value, struct diagnoses *all)
{
	struct diagnosis diagnosis =
		diagnosis_make(settings[setting].name, VERDICT_GOOD, "%" PRId64, value);

	if (value == SETTING_UNKNOWN) {
		diagnosis =
			diagnosis_make(settings[setting].name, VERDICT_UNKNOWN, "cannot be read");
		diagnoses_add(all, QUESTION_SETTINGS, &diagnosis);
		return;
	}
	diagnosis_number(&diagnosis, (uint64_t)value);
	switch (setting) {
	case SETTING_FIN_TIMEOUT:
		judge_fin_timeout(&diagnosis, value);
		break;
	case SETTING_TW_REUSE:
		judge_tw_reuse(&diagnosis, value);
		break;
	case SETTING_CHALLENGE_ACK_LIMIT:
		judge_challenge_limit(&diagnosis, value);
		break;
	case SETTING_ABORT_ON_OVERFLOW:
		judge_abort_on_overflow(&diagnosis, value);
		break;
	case SETTING_SYN_RETRIES:
		judge_syn_retries(&diagnosis, value);
		break;
	case SETTING_SOMAXCONN:
		judge_somaxconn(&diagnosis, value);
		break;
	}
	diagnoses_add(all, QUESTION_SETTINGS, &diagnosis);
}

static void judge_ports(const struct ephemeral *range, struct diagnoses *all)
{
	uint32_t ports = 0, reserved = 0;
	char count[CTLPRINT_SIZE], left_out[CTLPRINT_SIZE];
	struct diagnosis diagnosis;

	for (uint32_t port = range->low; port <= range->high; port++) {
		ports++;
		reserved += portset_has(&range->reserved, (uint16_t)port);
	}
	ports -= reserved;
	diagnosis =
		diagnosis_make(port_range, ports < PORTS_FEW ? VERDICT_NOTE : VERDICT_GOOD,
			       "%u-%u, %s of them reserved: %s ports", range->low, range->high,
			       ctlprint_count(reserved, left_out), ctlprint_count(ports, count));
	diagnosis_number(&diagnosis, ports);
	diagnosis_means(
		&diagnosis,
		"connect() chooses from these: the fewer there are, the more often it meets a "
		"mine");
	if (ports < PORTS_FEW)
		diagnosis_advise(&diagnosis, EFFECT_SETTING,
				 "Widen net.ipv4.ip_local_port_range, to 32768-60999 at least (or "
				 "reserve fewer ports): collisions become rarer.");
	diagnoses_add(all, QUESTION_SETTINGS, &diagnosis);
}

void doctor_sysctl_judge(const struct doctor_sysctl *sysctl, struct diagnoses *all)
{
	for (unsigned int setting = 0; setting < SETTING_COUNT; setting++)
		judge_setting((enum doctor_setting)setting, sysctl->value[setting], all);
	if (sysctl->ports_error)
		judge_unreadable(port_range, all);
	else
		judge_ports(&sysctl->ports, all);
}
