/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each test isolates a child of its own and looks at how that child ends. */
#include "config.h"

#include "isolate.h"
#include "unit.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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
	return fork() == 0;
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

static void test_what_is_needed_goes_on(void **state)
{
	(void)state;
	skip_without_filter();
	assert_int_equal(isolated(ISOLATE_DAEMON, read_a_file), 0);
	assert_int_equal(isolated(ISOLATE_DAEMON, open_netlink), 0);
}

static void test_what_is_not_needed_kills(void **state)
{
	int status;

	(void)state;
	skip_without_filter();
	status = isolated(ISOLATE_DAEMON, open_internet);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	status = isolated(ISOLATE_DAEMON, run_a_program);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_the_owner_server_only_reads(void **state)
{
	int (*const acts[])(void) = {open_netlink,  open_internet,    run_a_program,  open_to_write,
				     create_a_file, signal_a_process, start_a_process};

	(void)state;
	skip_without_filter();
	assert_int_equal(isolated(ISOLATE_OWNER_SERVER, read_a_file), 0);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int status = isolated(ISOLATE_OWNER_SERVER, acts[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
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
		cmocka_unit_test(test_what_is_not_needed_kills),
		cmocka_unit_test(test_the_owner_server_only_reads),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_unknown_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
