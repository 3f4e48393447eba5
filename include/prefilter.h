/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefilter: a program in the kernel that marks the SYNs worth queueing (queue.filter = "bpf").
 *
 * It sits on lo, before netfilter's INPUT: the rule then queues marked SYNs only. Optional at
 * build time: without libbpf and clang every call says -ENOSYS.
 */
#ifndef CW_PREFILTER_H
#define CW_PREFILTER_H

#include "conf.h"
#include "tcpstate.h"

#include <stdint.h>

struct prefilter;

/* Since it was attached. */
struct prefilter_counts {
	uint64_t syns;	 /* SYNs that were looked at */
	uint64_t marked; /* of them, given the mark */
};

/*
 * Whether prefilter_attach() would succeed, tried out beside whatever is attached already. The
 * same errors.
 */
int prefilter_probe(char error[static CONF_ERROR_SIZE]);
/*
 * Loads the program and attaches it to the loopback device of the caller's network namespace.
 * Needs CAP_NET_ADMIN, CAP_BPF, and CAP_PERFMON, without which many kernels let no program read
 * packets directly (check_cond_jmp_op(), kernel/bpf/verifier.c, Linux 5.10); before Linux 5.8:
 * CAP_SYS_ADMIN. On failure error holds one line that says why; -errno is returned, -ENOSYS if it
 * was left out of this build.
 */
int prefilter_attach(tcpstate_set states, uint32_t mark, struct prefilter **ret_prefilter,
		     char error[static CONF_ERROR_SIZE]);
/* From the next SYN on; needs no privilege and no system call. */
void prefilter_set_states(struct prefilter *prefilter, tcpstate_set states);
struct prefilter_counts prefilter_read(const struct prefilter *prefilter);
/* "tcx" or "clsact": how it is attached. */
const char *prefilter_hook(const struct prefilter *prefilter);
/* Needs CAP_NET_ADMIN where the hook is clsact. */
void prefilter_detach(struct prefilter *prefilter);

#endif
