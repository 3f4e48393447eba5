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
 *   Mustn't: run a program, trace a process, change a user or a mount, load a module, open an
 *           internet socket.
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

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
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
	/* Started without it, there is nothing to keep; binding the queue will say what is missing. */
	bool can = isolate_is_capable(role);
	/* To empty the bounding set takes a capability too, which a service manager has not given. */
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

/* By what they serve. A libc may use a newer call of the same kind, so both stand here. */
static const int allowed[] = {
	/* sockets, queues, clients */
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(listen),
	SCMP_SYS(recv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(send),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	/* waiting */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(futex),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(nanosleep),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	/* files */
	SCMP_SYS(access),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(faccessat),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(fsync),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(readv),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(stat),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(statx),
	SCMP_SYS(umask),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(chmod),
	SCMP_SYS(chown),
	SCMP_SYS(fchmodat),
	SCMP_SYS(fchownat),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	/* threads and their end */
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_setaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(membarrier),
	SCMP_SYS(tgkill),
	/* signals */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(signalfd4),
	/* who and where we are */
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrusage),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(prlimit64),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
};

static int fill_daemon(scmp_filter_ctx filter)
{
	/* The families that are needed; anything else, the internet's above all, is not listed. */
	static const unsigned int families[] = {AF_UNIX, AF_NETLINK};
	int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	for (size_t i = 0; err == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	/* libcap's constructor: a module of nsswitch.conf(5) brings it in at a look-up (libnss_systemd). */
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_CAPBSET_READ, 0));
	for (size_t i = 0; err == 0 && i < sizeof(families) / sizeof(families[0]); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, families[i], 0));
	return err;
}

static const int allowed_owner_server[] = {
	/* questions, answers, waiting */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(recv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(send),
	SCMP_SYS(sendto),
	/* /proc, and a line to the log */
	SCMP_SYS(close),
	SCMP_SYS(getdents64),
	SCMP_SYS(read),
	SCMP_SYS(readlinkat),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	/* memory (how much there is, qsort() wants to know), and the end */
	SCMP_SYS(brk),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(madvise),
	SCMP_SYS(mmap),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sysinfo),
};

static int fill_owner_server(scmp_filter_ctx filter)
{
	const size_t n = sizeof(allowed_owner_server) / sizeof(allowed_owner_server[0]);
	int err = 0;

	for (size_t i = 0; err == 0 && i < n; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_owner_server[i], 0);
	if (err == 0)
		err = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	return err;
}

int isolate_system_calls(enum isolate_role role, char *error, size_t size)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = -ENOMEM;

	if (filter)
		err = role == ISOLATE_DAEMON ? fill_daemon(filter) : fill_owner_server(filter);
	if (err == 0)
		err = seccomp_load(filter);
	if (err < 0)
		snprintf(error, size, "cannot enter the seccomp filter: %s", strerror(-err));
	seccomp_release(filter);
	return err;
}
