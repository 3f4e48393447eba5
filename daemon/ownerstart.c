/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server ends when the daemon's end of the pair is closed, by the daemon or by the kernel after
 * it. Signals that end the daemon reach the whole control group or terminal; the server leaves them
 * to the daemon, whose last events may still want an answer.
 */
#include "config.h"

#include "ownerstart.h"
#include "isolate.h"
#include "log.h"
#include "owner.h"
#include "ownerserver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * An event can wait, what runs on the machine should not; but it waits ten seconds only, and at 19
 * nothing would come of a look on a machine that is busy.
 */
#define NICE 10

static int enter_filter(char *error, size_t size)
{
#ifdef WITHOUT_SECCOMP
	(void)error;
	(void)size;
	return 0;
#else
	return isolate_system_calls(ISOLATE_OWNER_SERVER, error, size);
#endif
}

static void serve(const char *user, int fd)
{
	char error[CONF_ERROR_SIZE];
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	prctl(PR_SET_NAME, "closewaitd-own");
	/* The service manager's filter may not allow it; then walks are merely less polite. */
	setpriority(PRIO_PROCESS, 0, NICE);
	if (isolate_privileges(ISOLATE_OWNER_SERVER, user, error, sizeof(error)) < 0 ||
	    enter_filter(error, sizeof(error)) < 0) {
		log_errx("owner server: %s", error);
		return;
	}
	err = ownerserver_run(fd, OWNER_PROC);
	if (err < 0)
		log_errx("owner server: %s", strerror(-err));
}

int ownerstart(const struct conf *conf, const char *user, int *ret_fd)
{
	int fds[2];
	pid_t pid;

	*ret_fd = -1;
	if (conf->log.leaker != NAME_PROCESS)
		return 0;
	if (!isolate_is_capable(ISOLATE_OWNER_SERVER)) {
		log_warnx("log.leaker is \"process\", but CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH "
			  "is missing: events do not name processes (closewaitd.conf(5) says how "
			  "to give both to the service)");
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		log_err("owner server: socketpair");
		return -errno;
	}
	/* Nobody asks how it ended: the closed socket says enough. */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		log_err("cannot start the owner server");
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	close(fds[pid == 0 ? 0 : 1]);
	if (pid == 0) {
		serve(user, fds[1]);
		return 1;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ret_fd = fds[0];
	return 0;
}
