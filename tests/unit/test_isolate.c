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
static int isolated(int (*act)(void))
{
	char error[256];
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (isolate_privileges(NULL, error, sizeof(error)) < 0 ||
		    isolate_system_calls(error, sizeof(error)) < 0) {
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

static int only_net_admin_is_left(void)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (cap != CAP_NET_ADMIN && capng_have_capability(CAPNG_PERMITTED, (unsigned)cap))
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
	assert_int_equal(isolated(read_a_file), 0);
	assert_int_equal(isolated(open_netlink), 0);
}

static void test_what_is_not_needed_kills(void **state)
{
	int status;

	(void)state;
	skip_without_filter();
	status = isolated(open_internet);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	status = isolated(run_a_program);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_capabilities(void **state)
{
	int status;
	char error[256];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (isolate_privileges(NULL, error, sizeof(error)) < 0)
			_exit(99);
		capng_get_caps_process();
		_exit(only_net_admin_is_left());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_unknown_user(void **state)
{
	char error[256] = "";

	(void)state;
	assert_true(isolate_privileges("no-such-user-here", error, sizeof(error)) < 0);
	assert_string_equal(error, "no such user \"no-such-user-here\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_needed_goes_on),
		cmocka_unit_test(test_what_is_not_needed_kills),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_unknown_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
