/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctldoctorqueue: accept queues that are full or were, the other cause of connects that hang. */
#ifndef CW_CTLDOCTORQUEUE_H
#define CW_CTLDOCTORQUEUE_H

#include "ctldiagnosis.h"
#include "kstat.h"
#include "tuple.h"

#include <stddef.h>
#include <stdint.h>

/* Full queues that are named one by one. */
#define DOCTOR_QUEUES_NAMED 4

struct doctor_queues {
	int error; /* negative errno: the listeners are not known */
	size_t listeners, full;
	struct {
		struct endpoint local;
		uint32_t queued, backlog;
	} named[DOCTOR_QUEUES_NAMED];
	int count_error;
	uint64_t overflows;	/* since the network namespace was made */
	uint64_t overflows_now; /* while the doctor was at work */
};

/* before: the counters when the doctor began, NULL if they could not be read. */
void doctor_queues_read(const struct kstat *before, struct doctor_queues *ret_queues);
void doctor_queues_judge(const struct doctor_queues *queues, struct diagnoses *all);

#endif
