/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stops one thread of another process, as long as this program runs: a signal would stop the whole
 * process, a tracer stops one thread.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t tid = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	int status;

	if (tid <= 0) {
		fputs("Usage: stop-thread TID\n"
		      "Stops the thread TID until this program ends, which it does when the thread is "
		      "gone.\nThe line \"stopped\" says that it has stopped.\n",
		      stderr);
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 || waitpid(tid, &status, __WALL) < 0) {
		fprintf(stderr, "stop-thread: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	puts("stopped");
	fflush(stdout);
	/* Whatever happens to the thread is left to wait, but for its end. */
	do {
		if (waitpid(tid, &status, __WALL) < 0)
			return errno == ECHILD ? 0 : 1;
	} while (!WIFEXITED(status) && !WIFSIGNALED(status));
	return 0;
}
