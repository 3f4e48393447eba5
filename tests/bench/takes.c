/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one run of a command takes: time, processor and memory. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/monotime.h"

static const char help[] =
	"Usage: takes COMMAND [ARGUMENT]...\n"
	"Runs it with its output to /dev/null and prints: elapsed ms, user ms, system ms, the most\n"
	"memory that was resident in KiB, and its exit status.\n";

static long ms(const struct timeval *time)
{
	return time->tv_sec * 1000 + time->tv_usec / 1000;
}

_Noreturn static void run(char **argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
		execvp(argv[0], argv);
	fprintf(stderr, "takes: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	int64_t start = mono_ns();
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return argc < 2 ? 2 : 0;
	}
	/* Until exec() our own memory is the command's too; it is small. */
	pid = fork();
	if (pid == 0)
		run(argv + 1);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		fprintf(stderr, "takes: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	printf("%lld %ld %ld %ld %d\n", (long long)((mono_ns() - start) / 1000000),
	       ms(&usage.ru_utime), ms(&usage.ru_stime), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return EXIT_SUCCESS;
}
