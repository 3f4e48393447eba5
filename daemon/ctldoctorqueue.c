/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctldoctorqueue.h"
#include "ctlprint.h"
#include "sockdump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ACCEPT_ADVICE                                                                              \
	"It is the server that must accept faster, or its backlog (and net.core.somaxconn) that "  \
	"must be larger: closewaitd cannot help there."

/* --- the facts --------------------------------------------------------------------------------*/

static int take_listener(void *ctx, const struct sock_info *info)
{
	struct doctor_queues *queues = ctx;

	queues->listeners++;
	if (!sock_info_accept_queue_full(info))
		return 0;
	if (queues->full < DOCTOR_QUEUES_NAMED) {
		queues->named[queues->full].local = info->tuple.src;
		queues->named[queues->full].queued = info->rqueue;
		queues->named[queues->full].backlog = info->wqueue;
	}
	queues->full++;
	return 0;
}

void doctor_queues_read(const struct kstat *before, struct doctor_queues *ret_queues)
{
	struct doctor_queues queues = {.listeners = 0};
	struct kstat now;

	queues.error =
		sockdump_walk(tcpstate_bit(TCPSTATE_LISTEN), false, take_listener, &queues, NULL);
	queues.count_error = before ? kstat_read(&now) : -ENOENT;
	if (queues.count_error == 0) {
		queues.overflows = now.listen_overflows;
		queues.overflows_now = now.listen_overflows - before->listen_overflows;
	}
	*ret_queues = queues;
}

/* --- the judgement ----------------------------------------------------------------------------*/

static void judge_full(const struct doctor_queues *queues, struct diagnoses *all)
{
	size_t named = queues->full < DOCTOR_QUEUES_NAMED ? queues->full : DOCTOR_QUEUES_NAMED;

	for (size_t i = 0; i < named; i++) {
		char local[ENDPOINT_STRLEN];
		struct diagnosis diagnosis = diagnosis_make(
			"accept-queue", VERDICT_BAD, "%s: %" PRIu32 " wait, %" PRIu32 " may",
			endpoint_format(&queues->named[i].local, local), queues->named[i].queued,
			queues->named[i].backlog);

		diagnosis_number(&diagnosis, queues->named[i].queued);
		diagnosis_means(&diagnosis, "it is full: a SYN to it is not answered, which looks "
					    "to the client as a collision does");
		diagnosis_advise(
			&diagnosis, EFFECT_ACCEPT,
			"The server at %s does not accept what waits in its queue. " ACCEPT_ADVICE,
			local);
		diagnoses_add(all, QUESTION_ACCEPT_QUEUES, &diagnosis);
	}
}

static struct diagnosis judge_listeners(const struct doctor_queues *queues)
{
	struct diagnosis diagnosis;

	if (queues->error) {
		diagnosis = diagnosis_make("accept-queues", VERDICT_UNKNOWN, "cannot be read");
		diagnosis_means(&diagnosis, "sock_diag: %s", strerror(-queues->error));
		return diagnosis;
	}
	diagnosis = diagnosis_make("accept-queues", queues->full ? VERDICT_BAD : VERDICT_GOOD,
				   "%zu of %zu listeners %s full", queues->full, queues->listeners,
				   queues->full == 1 ? "is" : "are");
	diagnosis_number(&diagnosis, queues->full);
	return diagnosis;
}

static struct diagnosis judge_overflows(const struct doctor_queues *queues)
{
	static const char name[] = "overflows";
	char count[CTLPRINT_SIZE];
	struct diagnosis diagnosis;

	if (queues->count_error) {
		diagnosis = diagnosis_make(name, VERDICT_UNKNOWN, "cannot be read");
		diagnosis_means(&diagnosis, "the kernel's counters in /proc/net: %s",
				strerror(-queues->count_error));
		return diagnosis;
	}
	ctlprint_count(queues->overflows, count);
	if (queues->overflows_now > 0) {
		diagnosis = diagnosis_make(name, VERDICT_BAD, "%s, %" PRIu64 " of them just now",
					   count, queues->overflows_now);
		diagnosis_means(&diagnosis, "SYNs met a full accept queue while this ran: those "
					    "connects take a second or more");
		diagnosis_advise(&diagnosis, EFFECT_ACCEPT,
				 "An accept queue overflows at this moment: ss -ltn shows whose "
				 "Recv-Q is as large as its Send-Q. " ACCEPT_ADVICE);
	} else {
		diagnosis = diagnosis_make(
			name, queues->overflows > 0 ? VERDICT_NOTE : VERDICT_GOOD, "%s", count);
		diagnosis_means(&diagnosis,
				"SYNs that met a full accept queue since this machine "
				"was started%s",
				queues->overflows > 0 ? ": each of those connects took a second or "
							"more"
						      : "");
	}
	diagnosis_number(&diagnosis, queues->overflows);
	return diagnosis;
}

void doctor_queues_judge(const struct doctor_queues *queues, struct diagnoses *all)
{
	struct diagnosis diagnosis = judge_listeners(queues);

	diagnoses_add(all, QUESTION_ACCEPT_QUEUES, &diagnosis);
	judge_full(queues, all);
	diagnosis = judge_overflows(queues);
	diagnoses_add(all, QUESTION_ACCEPT_QUEUES, &diagnosis);
}
