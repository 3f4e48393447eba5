/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each test isolates a child of its own and looks at how that child ends. */
#include "config.h"

#include "isolate.h"
#include "syscalls.h"
#include "unit.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's status after both stages and then act(). */
static int isolated(enum isolate_role role, int (*act)(void))
{
	char error[256];
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (isolate_privileges(role, NULL, error, sizeof(error)) < 0 ||
		    isolate_system_calls(role, error, sizeof(error)) < 0) {
			fprintf(stderr, "%s\n", error);
			_exit(99);
		}
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int read_a_file(void)
{
	char byte;
	int fd = open("/proc/self/status", O_RDONLY);

	return read(fd, &byte, 1) == 1 && close(fd) == 0 ? 0 : 1;
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 ? 0 : 1;
}

static int open_internet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int run_a_program(void)
{
	char name[] = "true";
	char *argv[] = {name, NULL};

	return execv("/bin/true", argv);
}

static int run_an_open_program(void)
{
	char name[] = "true";
	char *argv[] = {name, NULL};

	return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv + 1, 0);
}

static int be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static int become_oneself(void)
{
	return setuid(getuid());
}

static int mount_something(void)
{
	return mount("none", "/nonexistent", "tmpfs", 0, NULL);
}

static int load_a_module(void)
{
	return (int)syscall(SYS_init_module, NULL, 0, "");
}

static int load_a_bpf_program(void)
{
	return (int)syscall(SYS_bpf, 5, NULL, 0);
}

#ifdef __x86_64__
static void *run_an_x32_program(void *unused)
{
	(void)unused;
	syscall(0x40000000 + 520, "/bin/true", NULL, NULL);
	return NULL;
}

/* In a thread, since the rest of the process must end with it. */
static int evade_by_architecture(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_an_x32_program, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	return 0;
}
#endif

static int look_up_a_group(void)
{
	return getgrnam("no-such-group-here") != NULL;
}

/* Not what came of it, which is up to the kernel. */
static int wait_as_a_newer_libc(void)
{
#ifdef SYS_epoll_pwait2
	syscall(SYS_epoll_pwait2, -1, NULL, 0, NULL, NULL, 0);
#endif
	return 0;
}

static int make_a_call_that_is_not_there(void)
{
	return syscall(100000) == -1 && errno == ENOSYS ? 0 : 1;
}

static int make_a_call_that_is_not_listed(void)
{
	return syscall(SYS_getpriority, 0, 0) == -1 && errno == ENOSYS ? 0 : 1;
}

static int be_refused_the_internet(void)
{
#ifdef SYS_socketcall
	/* It takes the family from memory, which no filter can see. */
	return 0;
#else
	return open_internet() == -1 && errno == ENOSYS ? 0 : 1;
#endif
}

static void *do_nothing(void *unused)
{
	(void)unused;
	return NULL;
}

static int start_a_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, do_nothing, NULL) == 0 &&
			       pthread_join(thread, NULL) == 0
		       ? 0
		       : 1;
}

/* By the system call itself; the child, if there is one after all, has nothing to do. */
static long clone_with(unsigned long flags)
{
	long pid;

#ifdef __s390__
	pid = syscall(SYS_clone, 0, flags | SIGCHLD, 0, 0, 0);
#else
	pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
#endif
	if (pid == 0)
		_exit(0);
	return pid;
}

/* With each flag alone, with all, and with one behind those that a thread has. */
static int be_refused_a_namespace(void)
{
	static const unsigned long flags[] = {
		CLONE_NEWNS,
		CLONE_NEWCGROUP,
		CLONE_NEWUTS,
		CLONE_NEWIPC,
		CLONE_NEWUSER,
		CLONE_NEWPID,
		CLONE_NEWNET,
		CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
			CLONE_NEWPID | CLONE_NEWNET,
		CLONE_FILES | CLONE_FS | CLONE_NEWNET,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (clone_with(flags[i]) != -1 || errno != ENOSYS)
			return (int)i + 1;
	}
	return clone_with(CLONE_FILES) > 0 ? 0 : 99;
}

/* Its flags are in memory. */
static int be_refused_the_newer_clone(void)
{
#ifdef SYS_clone3
	uint64_t arguments[8] = {0};

	arguments[4] = SIGCHLD;
	if (syscall(SYS_clone3, arguments, sizeof(arguments)) != -1 || errno != ENOSYS)
		return 1;
#endif
	return 0;
}

static int leave_a_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int open_to_write(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int create_a_file(void)
{
	return open("/nonexistent/file", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int signal_a_process(void)
{
	return kill(getppid(), 0);
}

static int start_a_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 ? 0 : 1;
}

static bool is_kept(enum isolate_role role, int capability)
{
	return role == ISOLATE_DAEMON
		       ? capability == CAP_NET_ADMIN
		       : capability == CAP_SYS_PTRACE || capability == CAP_DAC_READ_SEARCH;
}

static int only_its_own_are_left(enum isolate_role role)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (!is_kept(role, cap) && capng_have_capability(CAPNG_PERMITTED, (unsigned)cap))
			return 1;
	}
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 2;
}

static void skip_without_filter(void)
{
#ifdef WITHOUT_SECCOMP
	print_message("built without the filter, since the sanitizers need more system calls\n");
	skip();
#endif
}

static void assert_killed(enum isolate_role role, int (*const *acts)(void), size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = isolated(role, acts[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("act %zu: status %#x", i, (unsigned int)status);
	}
}

static void test_what_is_needed_goes_on(void **state)
{
	(void)state;
	skip_without_filter();
	assert_int_equal(isolated(ISOLATE_DAEMON, read_a_file), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, open_netlink), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, look_up_a_group), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, start_a_thread), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, start_a_process), 0);
}

static void test_what_is_not_needed_is_refused(void **state)
{
	(void)state;
	skip_without_filter();
	assert_int_equal(isolated(ISOLATE_DAEMON, wait_as_a_newer_libc), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, make_a_call_that_is_not_there), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, make_a_call_that_is_not_listed), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, be_refused_the_internet), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, be_refused_a_namespace), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, be_refused_the_newer_clone), 0);
}

static void test_what_an_intruder_would_do_kills(void **state)
{
	int (*const acts[])(void) = {
		run_a_program,	       run_an_open_program, be_traced,		become_oneself,
		mount_something,       load_a_module,	    load_a_bpf_program, leave_a_namespace,
#ifdef __x86_64__
		evade_by_architecture,
#endif
	};

	(void)state;
	skip_without_filter();
	assert_killed(ISOLATE_DAEMON, acts, sizeof(acts) / sizeof(acts[0]));
}

static void test_the_owner_server_only_reads(void **state)
{
	int (*const acts[])(void) = {open_netlink,  open_internet,    run_a_program,  open_to_write,
				     create_a_file, signal_a_process, start_a_process};

	(void)state;
	skip_without_filter();
	assert_int_equal(isolated(ISOLATE_OWNER_SERVER, read_a_file), 0);
	assert_killed(ISOLATE_OWNER_SERVER, acts, sizeof(acts) / sizeof(acts[0]));
}

/* A misspelt one would be passed over. */
static void test_every_name_is_known(void **state)
{
	const char *const *const lists[] = {syscalls_daemon, syscalls_deadly,
					    syscalls_owner_server};
	const struct scmp_version *version = seccomp_version();

	(void)state;
	if (version->major == 2 &&
	    (version->minor < 5 || (version->minor == 5 && version->micro < 2))) {
		print_message("this libseccomp is too old to know every name\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const char *const *name = lists[i]; *name; name++) {
			if (seccomp_syscall_resolve_name(*name) == __NR_SCMP_ERROR)
				fail_msg("no system call: %s", *name);
		}
	}
}

static const uint32_t architectures[] = {
	SCMP_ARCH_X86_64,      SCMP_ARCH_X86,	   SCMP_ARCH_AARCH64,	  SCMP_ARCH_ARM,
	SCMP_ARCH_PPC64LE,     SCMP_ARCH_PPC,	   SCMP_ARCH_S390X,	  SCMP_ARCH_S390,
	SCMP_ARCH_MIPSEL,      SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_PARISC,
#ifdef SCMP_ARCH_RISCV64
	SCMP_ARCH_RISCV64,
#endif
#ifdef SCMP_ARCH_LOONGARCH64
	SCMP_ARCH_LOONGARCH64,
#endif
};

/* Of each line a libc takes the first that the architecture has. */
static const struct {
	const char *names[4];
	bool by_owner_server;
} choices[] = {
	{{"_llseek", "lseek"}, false},
	{{"access", "faccessat"}, false},
	{{"chmod", "fchmodat"}, false},
	{{"chown32", "chown", "fchownat"}, false},
	{{"clock_gettime64", "clock_gettime"}, true},
	{{"clock_nanosleep_time64", "clock_nanosleep"}, false},
	{{"epoll_wait", "epoll_pwait"}, false},
	{{"fchown32", "fchown"}, false},
	{{"fcntl64", "fcntl"}, false},
	{{"fstat64", "fstat", "statx"}, true},
	{{"fstatat64", "newfstatat", "statx"}, true},
	{{"fstatfs64", "fstatfs"}, false},
	{{"futex_time64", "futex"}, true},
	{{"getegid32", "getegid"}, false},
	{{"geteuid32", "geteuid"}, false},
	{{"getgid32", "getgid"}, false},
	{{"getuid32", "getuid"}, false},
	{{"lstat64", "lstat", "newfstatat", "statx"}, false},
	{{"mmap2", "mmap"}, true},
	{{"open", "openat"}, false},
	{{"poll", "ppoll_time64", "ppoll"}, true},
	{{"ppoll_time64", "ppoll"}, true},
	{{"readlink", "readlinkat"}, false},
	{{"recvmmsg_time64", "recvmmsg"}, false},
	{{"rename", "renameat", "renameat2"}, false},
	{{"sigreturn", "rt_sigreturn"}, true},
	{{"stat64", "stat", "newfstatat", "statx"}, false},
	{{"statfs64", "statfs"}, false},
	{{"timerfd_settime64", "timerfd_settime"}, false},
	{{"unlink", "unlinkat"}, false},
};

static bool is_listed(const char *const *list, const char *name)
{
	while (*list && strcmp(*list, name) != 0)
		list++;
	return *list;
}

/* libseccomp has -101 to -120 for what architectures with socketcall(2) do by that. */
static bool is_there(uint32_t architecture, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(architecture, name);

	return number >= 0 || (number < -100 && number > -200);
}

static const char *first_there(uint32_t architecture, const char *const names[static 4])
{
	for (size_t i = 0; i < 4 && names[i]; i++) {
		if (is_there(architecture, names[i]))
			return names[i];
	}
	return NULL;
}

static void test_every_architecture_has_its_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++) {
		for (size_t k = 0; k < sizeof(choices) / sizeof(choices[0]); k++) {
			const char *name = first_there(architectures[i], choices[k].names);

			if (!name)
				fail_msg("architecture %#x: none like %s", architectures[i],
					 choices[k].names[0]);
			if (!is_listed(syscalls_daemon, name) ||
			    (choices[k].by_owner_server && !is_listed(syscalls_owner_server, name)))
				fail_msg("architecture %#x: %s", architectures[i], name);
		}
	}
}

static void check_capabilities(enum isolate_role role)
{
	int status;
	char error[256];
	pid_t pid = fork();

	if (pid == 0) {
		bool was_capable = isolate_is_capable(role);

		if (isolate_privileges(role, NULL, error, sizeof(error)) < 0)
			_exit(99);
		capng_get_caps_process();
		_exit(isolate_is_capable(role) == was_capable ? only_its_own_are_left(role) : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_capabilities(void **state)
{
	(void)state;
	check_capabilities(ISOLATE_DAEMON);
	check_capabilities(ISOLATE_OWNER_SERVER);
}

static void test_unknown_user(void **state)
{
	char error[256] = "";

	(void)state;
	assert_true(isolate_privileges(ISOLATE_DAEMON, "no-such-user-here", error, sizeof(error)) <
		    0);
	assert_string_equal(error, "no such user \"no-such-user-here\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_needed_goes_on),
		cmocka_unit_test(test_what_is_not_needed_is_refused),
		cmocka_unit_test(test_what_an_intruder_would_do_kills),
		cmocka_unit_test(test_the_owner_server_only_reads),
		cmocka_unit_test(test_every_name_is_known),
		cmocka_unit_test(test_every_architecture_has_its_calls),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_unknown_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
