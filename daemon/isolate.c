/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon:
 *
 * Stage 0, as started: root, or a user with CAP_NET_ADMIN.
 *   Should: read the options and the configuration, open the log, start the owner server, load the
 *           bpf filter, make the control socket.
 *   Mustn't: look at anything that comes from the network or from a client.
 *
 * Stage 1, isolate_privileges(): another user, CAP_NET_ADMIN alone, no way back.
 *   CAP_NET_ADMIN stays in force: the kernel asks for it with every verdict (nfnetlink_rcv()) and
 *   with every destroy (sock_diag_destroy()), not just when the sockets are opened.
 *   Should: bind the queues, start the workers.
 *   Mustn't: need a file that only root may read.
 *
 * Stage 2, isolate_system_calls(): what the loops do, and no more.
 *   Should: hold SYNs and give verdicts; read the configuration again, and the user database with
 *           it (hence files, mmap() for the modules of nsswitch.conf(5), local sockets); replace
 *           a sock_diag socket after a dump that hung; write the metrics file; serve clients of
 *           the control socket.
 *   Mustn't: run a program, trace a process, change a user, a namespace or a mount, load a module,
 *           open an internet socket.
 *
 * The owner server, which runs beside it if log.leaker is "process":
 *
 * Stage 1: the same user, with CAP_DAC_READ_SEARCH to list the descriptors of other users'
 *   processes and CAP_SYS_PTRACE to see where they lead (proc_fd_access_allowed()).
 *   With these two it could read every file and every process's memory. That is why it is a process
 *   of its own: it sees no packet and no client, and takes nothing from the daemon but numbers.
 *
 * Stage 2: walk over /proc, answer.
 *   Mustn't: open anything for writing, open a socket, start a thread or a program, send a signal.
 */
#include "config.h"

#include "isolate.h"
#include "syscalls.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int become(const char *user, char *error, size_t size)
{
	const struct passwd *entry;
	int err;

	errno = 0;
	entry = getpwnam(user);
	if (!entry) {
		snprintf(error, size, "no such user \"%s\"%s%s", user, errno ? ": " : "",
			 errno ? strerror(errno) : "");
		return errno ? -errno : -ENOENT;
	}
	err = capng_change_id((int)entry->pw_uid, (int)entry->pw_gid,
			      CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (err < 0) {
		snprintf(error, size,
			 "cannot become user \"%s\" (libcap-ng says %d): start as root", user, err);
		return -EPERM;
	}
	return 0;
}

/* What is kept, by role. */
static const struct {
	size_t n;
	unsigned int capability[2];
} kept[ISOLATE_ROLE_COUNT] = {
	[ISOLATE_DAEMON] = {1, {CAP_NET_ADMIN}},
	[ISOLATE_OWNER_SERVER] = {2, {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH}},
};

bool isolate_is_capable(enum isolate_role role)
{
	for (size_t i = 0; i < kept[role].n; i++) {
		if (!capng_have_capability(CAPNG_PERMITTED, kept[role].capability[i]))
			return false;
	}
	return true;
}

int isolate_privileges(enum isolate_role role, const char *user, char *error, size_t size)
{
	/* Started without it, there is nothing to keep; binding the queue says what is missing. */
	bool can = isolate_is_capable(role);
	/* To empty the bounding set takes a capability too, which no service manager gives. */
	int can_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; can && i < kept[role].n; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			     kept[role].capability[i]);
	if (user) {
		int err = become(user, error, size);

		if (err < 0)
			return err;
	} else if (capng_apply(can_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) < 0) {
		snprintf(error, size, "cannot drop capabilities: %s", strerror(errno));
		return -EPERM;
	}
	/* No program that is run could gain privileges; and seccomp asks for it. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		int err = -errno;

		snprintf(error, size, "cannot set no_new_privs: %s", strerror(errno));
		return err;
	}
	return 0;
}

/*
 * A name that this libseccomp does not know gets no rule: what the filter does with all else is
 * right for it, too. One that this architecture does not have gets a rule for a number that none
 * has.
 */
static int add_each(scmp_filter_ctx filter, uint32_t action, const char *const *name)
{
	int err = 0;

	for (; err == 0 && *name; name++) {
		int number = seccomp_syscall_resolve_name(*name);

		if (number != __NR_SCMP_ERROR)
			err = seccomp_rule_add(filter, action, number, 0);
	}
	return err;
}

/* CLONE_NEWTIME is not among them: for clone() that bit is one of the signal's number, clone(2). */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
/* Where clone() has its flags: on s390 the stack comes first (CONFIG_CLONE_BACKWARDS2). */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/*
 * Threads and processes, but in no other namespace than ours. clone3() has its flags in memory,
 * which no filter sees: it is not there (ENOSYS), and a libc then falls back to clone().
 */
static int allow_clone(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_CMP(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
}

/*
 * What is on neither list is answered as by a kernel that does not have it. A newer libc, or a
 * module of nsswitch.conf(5) that a reload brings in, may try any call: told so it takes an older
 * way, or the look-up fails and the reload with it. A daemon that died of it would die again of the
 * next one.
 */
static int fill_daemon(scmp_filter_ctx filter)
{
	/* The families that are needed; anything else, the internet's above all, is not listed. */
	static const unsigned int families[] = {AF_UNIX, AF_NETLINK};
	int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	/* So that the kernel tells of what is refused as of a kill; one that cannot, does not. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (err == 0)
		err = add_each(filter, SCMP_ACT_ALLOW, syscalls_daemon);
	if (err == 0)
		err = allow_clone(filter);
	if (err == 0)
		err = add_each(filter, SCMP_ACT_KILL_PROCESS, syscalls_deadly);
	/* libcap's constructor: a module of nsswitch.conf(5) brings it in (libnss_systemd). */
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_CAPBSET_READ, 0));
	for (size_t i = 0; err == 0 && i < sizeof(families) / sizeof(families[0]); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, families[i], 0));
	return err;
}

static int fill_owner_server(scmp_filter_ctx filter)
{
	int err = add_each(filter, SCMP_ACT_ALLOW, syscalls_owner_server);

	if (err == 0)
		err = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	return err;
}

/* The owner server runs no foreign code and has more to lose: there, all else kills. */
static const struct {
	uint32_t otherwise;
	int (*fill)(scmp_filter_ctx filter);
} filters[ISOLATE_ROLE_COUNT] = {
	[ISOLATE_DAEMON] = {SCMP_ACT_ERRNO(ENOSYS), fill_daemon},
	[ISOLATE_OWNER_SERVER] = {SCMP_ACT_KILL_PROCESS, fill_owner_server},
};

int isolate_system_calls(enum isolate_role role, char *error, size_t size)
{
	scmp_filter_ctx filter = seccomp_init(filters[role].otherwise);
	int err = -ENOMEM;

	/* By default calls of another architecture (32-bit x86 on x86-64) kill one thread only. */
	if (filter)
		err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (err == 0)
		err = filters[role].fill(filter);
	if (err == 0)
		err = seccomp_load(filter);
	if (err < 0)
		snprintf(error, size, "cannot enter the seccomp filter: %s", strerror(-err));
	seccomp_release(filter);
	return err;
}
