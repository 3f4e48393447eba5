/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroup of a socket comes with every answer, and is the inode of the cgroup's directory. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fact.h"
#include "scene.h"

/* The mount point of the unified hierarchy. */
static bool find_cgroup2(char path[256])
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], type[64];
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts))
		found = sscanf(line, "%*s %255s %63s", path, type) == 2 &&
			strcmp(type, "cgroup2") == 0;
	if (mounts)
		fclose(mounts);
	return found;
}

/* "0::/path" of our own process. */
static bool own_cgroup(char path[256])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "0::%255s", path) == 1;
	if (file)
		fclose(file);
	return found;
}

int main(void)
{
	char root[256], cgroup[256], path[512];
	struct inet_diag_req_v2 req;
	struct sockdiag_info info;
	int nl, listener;
	struct mine mine;
	struct stat st;

	fact_begin("diag-cgroup");
	nl = must(sockdiag_open(), "open a sock_diag socket");
	listener = scene_listen("127.0.0.1");
	mine = scene_mine(listener, "127.0.0.1", CLIENT_PORT);
	req = sockdiag_request(&mine.server, &mine.client);
	req.idiag_ext = 0;
	must(sockdiag_get(nl, &req, &info), "look the mine up");
	if (info.cgroup == 0)
		fact_skip("no INET_DIAG_CGROUP_ID: Linux 5.8 with CONFIG_SOCK_CGROUP_DATA has it");
	fact("INET_DIAG_CGROUP_ID with no extension asked for", "%llu",
	     (unsigned long long)info.cgroup);
	fact_is("INET_DIAG_INFO with no extension asked for", "no", "%s",
		info.has_tcp ? "yes" : "no");

	if (!find_cgroup2(root) || !own_cgroup(cgroup))
		fact_skip("no unified cgroup hierarchy is mounted to compare with");
	snprintf(path, sizeof(path), "%s%s", root, cgroup);
	must(stat(path, &st), "find the cgroup's directory");
	fact_is("it is the inode of our cgroup's directory", "yes", "%s",
		st.st_ino == info.cgroup ? "yes" : "no");
	close(mine.fd);
	close(listener);
	return fact_end();
}
