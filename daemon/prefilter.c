/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program (prefilter.bpf.c) is compiled at build time and lies in this object as bytes.
 *
 * Where the kernel has tcx (6.6) the attachment is a descriptor of ours, so the kernel takes it
 * away when the daemon ends in whatever way. Before, it is a filter of the clsact qdisc, which a
 * crash leaves behind: SYNs then get a mark that no rule needs, and the next start replaces it.
 */
#include "config.h"

#include "prefilter.h"
#include "prefilter_shared.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* BPF_TCX_INGRESS of linux/bpf.h, which headers older than 6.6 do not have. */
#define ATTACH_TCX_INGRESS 46
/* BPF_F_BEFORE with no other program named: before those that may end the chain of programs. */
#define ATTACH_FIRST (1U << 3)
/* Our place among clsact's filters: any would do, as long as the next start finds it again. */
#define CLSACT_PRIORITY 61
/* Two places there, so that a probe leaves a running daemon's filter alone. */
enum clsact_handle { HANDLE_FILTER = 1, HANDLE_PROBE };

struct prefilter {
	struct bpf_object *object;
	struct prefilter_shared *shared;
	int link_fd; /* -1: not by tcx */
	int ifindex; /* 0: not by clsact */
	enum clsact_handle handle;
};

extern const unsigned char prefilter_object[];
extern const unsigned char prefilter_object_end[];

__asm__(".section .rodata\n"
	".balign 8\n"
	".globl prefilter_object\n"
	"prefilter_object:\n"
	".incbin \"" PREFILTER_OBJECT "\"\n"
	".globl prefilter_object_end\n"
	"prefilter_object_end:\n"
	".previous\n");

/* What libbpf and the verifier have to say is kept out of the log; the errno is told. */
static int keep_quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int load(struct prefilter *p, uint32_t mark, tcpstate_set states)
{
	const size_t size = (size_t)(prefilter_object_end - prefilter_object);
	struct bpf_map *map;
	void *shared;
	int err;

	libbpf_set_print(keep_quiet);
	p->object = bpf_object__open_mem(prefilter_object, size, NULL);
	if (!p->object)
		return -ENOMEM; /* it is part of this program, and so it is a good one */
	err = bpf_object__load(p->object);
	if (err < 0)
		return err;
	map = bpf_object__find_map_by_name(p->object, PREFILTER_SECTION);
	if (!map)
		return -ENOENT;
	/* Memory in common (Linux 5.5) needs neither system call nor privilege later on. */
	shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(map), 0);
	if (shared == MAP_FAILED)
		return -errno;
	p->shared = shared;
	p->shared->mark = mark;
	prefilter_set_states(p, states);
	return 0;
}

static int attach_clsact(struct prefilter *p, int ifindex, int program_fd)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = p->handle, .priority = CLSACT_PRIORITY,
			    .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	if (err == 0 || err == -EEXIST)
		err = bpf_tc_attach(&hook, &opts);
	if (err == 0)
		p->ifindex = ifindex;
	return err;
}

static int attach(struct prefilter *p)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = ATTACH_FIRST);
	int program_fd = bpf_program__fd(bpf_object__next_program(p->object, NULL));
	int ifindex = (int)if_nametoindex("lo");

	if (ifindex == 0)
		return -errno;
	p->link_fd = bpf_link_create(program_fd, ifindex, ATTACH_TCX_INGRESS, &opts);
	/* Kernels before 6.6 know no such attachment. */
	return p->link_fd >= 0 ? 0 : attach_clsact(p, ifindex, program_fd);
}

static int start(tcpstate_set states, uint32_t mark, enum clsact_handle handle,
		 struct prefilter **ret_prefilter, char error[static CONF_ERROR_SIZE])
{
	struct prefilter *p = calloc(1, sizeof(*p));
	const char *step = "loaded";
	int err;

	if (!p) {
		snprintf(error, CONF_ERROR_SIZE, "out of memory");
		return -ENOMEM;
	}
	p->link_fd = -1;
	p->handle = handle;
	err = load(p, mark, states);
	if (err == 0) {
		step = "attached to lo";
		err = attach(p);
	}
	if (err < 0) {
		snprintf(error, CONF_ERROR_SIZE,
			 "the bpf filter cannot be %s: %s (it needs root, or CAP_BPF, "
			 "CAP_PERFMON and CAP_NET_ADMIN, and Linux 5.5 with CONFIG_BPF_SYSCALL and "
			 "CONFIG_NET_CLS_ACT)",
			 step, strerror(-err));
		prefilter_detach(p);
		return err;
	}
	*ret_prefilter = p;
	return 0;
}

int prefilter_probe(char error[static CONF_ERROR_SIZE])
{
	struct prefilter *p;
	int err = start(0, 0, HANDLE_PROBE, &p, error);

	if (err == 0)
		prefilter_detach(p);
	return err;
}

int prefilter_attach(tcpstate_set states, uint32_t mark, struct prefilter **ret_prefilter,
		     char error[static CONF_ERROR_SIZE])
{
	return start(states, mark, HANDLE_FILTER, ret_prefilter, error);
}

void prefilter_set_states(struct prefilter *p, tcpstate_set states)
{
	__atomic_store_n(&p->shared->states, states, __ATOMIC_RELAXED);
}

struct prefilter_counts prefilter_read(const struct prefilter *p)
{
	struct prefilter_counts sum = {0};

	for (size_t i = 0; i < PREFILTER_SLOTS; i++) {
		sum.syns += __atomic_load_n(&p->shared->counts[i].syns, __ATOMIC_RELAXED);
		sum.marked += __atomic_load_n(&p->shared->counts[i].marked, __ATOMIC_RELAXED);
	}
	return sum;
}

const char *prefilter_hook(const struct prefilter *p)
{
	return p->link_fd >= 0 ? "tcx" : "clsact";
}

void prefilter_detach(struct prefilter *p)
{
	if (!p)
		return;
	if (p->link_fd >= 0)
		close(p->link_fd);
	if (p->ifindex > 0) {
		DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = p->ifindex,
				    .attach_point = BPF_TC_INGRESS);
		DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = p->handle,
				    .priority = CLSACT_PRIORITY);

		/* The qdisc may serve somebody else by now and stays. */
		bpf_tc_detach(&hook, &opts);
	}
	if (p->shared)
		munmap(p->shared, sizeof(*p->shared));
	bpf_object__close(p->object);
	free(p);
}
