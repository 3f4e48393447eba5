/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/run.h"

#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 64

extern char **environ;

int run_command(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status, rc;
	pid_t pid;

	rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (!rc) /* The cast is safe: exec never writes to its arguments. */
		rc = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return -rc;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_iptables(int family, ...)
{
	const char *argv[MAX_ARGS] = {family == AF_INET6 ? "ip6tables" : "iptables", "-w"};
	size_t n = 2;
	va_list args;
	int rc;

	va_start(args, family);
	do {
		argv[n] = va_arg(args, const char *);
	} while (argv[n] && ++n < MAX_ARGS - 1);
	va_end(args);
	if (argv[n])
		return -E2BIG;
	rc = run_command(argv);
	return rc > 0 ? -EINVAL : rc;
}
