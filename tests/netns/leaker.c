/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "leaker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lib/leak.h"
#include "lib/mine.h"
#include "lib/monotime.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"

#define PATIENCE_MS 5000

static int enter_cgroup(const char *dir)
{
	char path[256];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* A socket belongs to the control group and the user of its maker: first those, then the socket. */
_Noreturn static void leak(const union endpoint *at, uid_t uid, const char *cgroup, int ready)
{
	int listener, rc = 0;

	if (cgroup)
		rc = enter_cgroup(cgroup);
	if (rc == 0 && uid != 0 && (setgroups(0, NULL) < 0 || setresuid(uid, uid, uid) < 0))
		rc = -errno;
	/* Set last, since a change of uid clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	listener = rc == 0 ? sock_listen(at, 64, true) : rc;
	if (listener >= 0)
		fcntl(listener, F_SETFL, O_NONBLOCK);
	if (write(ready, &listener, sizeof(listener)) == sizeof(listener) && listener >= 0)
		leak_serve(listener, -1, false);
	_exit(1);
}

pid_t leaker_start(const union endpoint *at, uid_t uid, const char *cgroup)
{
	int ready[2], listener;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		leak(at, uid, cgroup, ready[1]);
	close(ready[1]);
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &listener, sizeof(listener)), sizeof(listener));
	must(listener, "start a leaking server");
	close(ready[0]);
	return pid;
}

static bool is_accepted(void *arg)
{
	const struct inet_diag_req_v2 *req = arg;
	struct sockdiag_info info;
	int rc, nl = sockdiag_open();

	if (nl < 0)
		return false;
	rc = sockdiag_get(nl, req, &info);
	close(nl);
	return rc == 0 && info.msg.idiag_inode != 0;
}

void leaker_leave_mine(const union endpoint *server, const union endpoint *client)
{
	struct inet_diag_req_v2 occupant = sockdiag_request(server, client);
	int fd = must(sock_connect(client, server, PATIENCE_MS), "connect");

	must(wait_until(is_accepted, &occupant, PATIENCE_MS), "see it accepted");
	must(mine_abandon(fd), "let the client vanish");
}

void leaker_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int leaker_make_cgroup(const char *name, char *ret_dir, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;
	int rc = -ENOENT;

	if (!mounts)
		return -errno;
	while (rc == -ENOENT && (mount = getmntent(mounts))) {
		if (strcmp(mount->mnt_type, "cgroup2") != 0)
			continue;
		snprintf(ret_dir, size, "%s/%s", mount->mnt_dir, name);
		rc = mkdir(ret_dir, 0755) < 0 ? -errno : 0;
	}
	endmntent(mounts);
	return rc;
}

static bool is_removed(void *arg)
{
	return rmdir(arg) == 0 || errno != EBUSY;
}

void leaker_remove_cgroup(const char *dir)
{
	char path[256];
	FILE *processes;
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	processes = fopen(path, "re");
	if (!processes)
		return;
	while (fscanf(processes, "%d", &pid) == 1)
		leaker_stop(pid);
	fclose(processes);
	/* A process leaves its group a moment after its parent has heard of its end. */
	wait_until(is_removed, (void *)(uintptr_t)dir, 5000);
}
