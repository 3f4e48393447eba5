/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events that name the process: the right one, all of them, or the reason why there is none. */
#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "leaker.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/sockets.h"
#include "rules.h"
#include "stage.h"

static void protect(struct stage *s)
{
	stage_listen(s, 256);
	s->daemon.name_process = true;
	daemon_want_control(&s->daemon);
	/* One worker tells what it has done in its order. */
	stage_protect(s, "queue = { workers = 1; }; limits = { events_per_second = 0; };");
}

/* A mine, its collision, and the event. */
static json_t *collide(struct stage *s, uint16_t port)
{
	json_t *event;

	stage_connects(s, port);
	event = daemon_event(&s->daemon, "collision");
	stage_event_is_of(s, event, port);
	return event;
}

/* A mine that is with the server, or in its accept queue. */
static void leave_mine(struct stage *s, uint16_t port)
{
	union endpoint client = stage_client(s, port);
	int fd = must(sock_connect(&client, &s->server, 5000), "connect");

	must(mine_abandon(fd), "leave a mine behind");
}

static void check_holder(const json_t *event, const char *kind, pid_t pid, int fd)
{
	assert_string_equal(event_text(event, "leaker"), kind);
	assert_int_equal(event_number(event, "leaker_pid"), pid);
	assert_int_equal(event_number(event, "leaker_fd"), fd);
}

static void check_nobody(const json_t *event, const char *kind)
{
	assert_string_equal(event_text(event, "leaker"), kind);
	assert_null(json_object_get(event, "leaker_pid"));
	assert_null(json_object_get(event, "leaker_comm"));
	assert_null(json_object_get(event, "leaker_count"));
}

static void check_status(struct stage *s, const char *leaker)
{
	json_t *status = ctl_json(&s->daemon, "status", NULL);

	assert_string_equal(ctl_text(status, "leaker"), leaker);
	json_decref(status);
}

static void names_the_holder(struct stage *s)
{
	char exe[512] = "", comm[16];
	struct mine mine;
	json_t *event;

	protect(s);
	mine = stage_mine(s, CLIENT_PORT);
	event = collide(s, CLIENT_PORT);
	check_holder(event, "held", getpid(), mine.fd);
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_int_equal(prctl(PR_GET_NAME, comm), 0);
	assert_string_equal(event_text(event, "leaker_exe"), exe);
	assert_string_equal(event_text(event, "leaker_comm"), comm);
	assert_int_equal(event_number(event, "leaker_count"), 1);
	assert_null(json_object_get(event, "leaker_others"));
	assert_non_null(
		strstr(ctl_run(&s->daemon, "events", "--json", NULL)->out, "\"leaker_pid\":"));
	check_status(s, "process");
	assert_non_null(strstr(ctl_run(&s->daemon, "metrics", NULL)->out,
			       "closewaitd_leaker_lookups_total{leaker=\"held\"} 1\n"));
	daemon_stop(&s->daemon);
}

static void nothing_by_default(struct stage *s)
{
	json_t *event;

	stage_listen(s, 8);
	stage_protect(s, NULL);
	stage_mine(s, CLIENT_PORT);
	event = collide(s, CLIENT_PORT);
	assert_null(json_object_get(event, "leaker"));
	assert_null(json_object_get(event, "leaker_pid"));
	daemon_stop(&s->daemon);
}

/* What the kernel says of a process: the mask of its permitted capabilities, or its first child. */
static unsigned long capabilities(pid_t pid)
{
	unsigned long mask = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapPrm: %lx", &mask) == 1)
			break;
	}
	fclose(file);
	return mask;
}

static pid_t server_of(const struct daemon *daemon)
{
	char path[96];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)daemon->pid,
		 (int)daemon->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid;
}

/*
 * As the service runs: a user of its own. Who handles packets keeps what he had, and the process of
 * another user is named all the same.
 */
static void another_user(struct stage *s)
{
	static const char *const arguments[] = {"--user", "nobody", "--enforce", NULL};
	const union endpoint client = stage_client(s, CLIENT_PORT);
	pid_t leaker, server;
	json_t *event;

	s->daemon.name_process = true;
	daemon_write_conf(&s->daemon, "");
	daemon_spawn(&s->daemon, 0, arguments);
	daemon_message(&s->daemon, "ready: ");
	must(rules_up(s->daemon.conf_path), "put the rules in");
	server = server_of(&s->daemon);
	assert_true(server > 0);
	assert_int_equal(capabilities(s->daemon.pid), 1UL << CAP_NET_ADMIN);
	assert_int_equal(capabilities(server), 1UL << CAP_SYS_PTRACE | 1UL << CAP_DAC_READ_SEARCH);

	leaker = leaker_start(&s->server, 12345, NULL);
	leaker_leave_mine(&s->server, &client);
	event = collide(s, CLIENT_PORT);
	assert_string_equal(event_text(event, "leaker"), "held");
	assert_int_equal(event_number(event, "leaker_pid"), leaker);
	assert_int_equal(event_number(event, "uid"), 12345);
	daemon_stop(&s->daemon);
	leaker_stop(leaker);
}

/* As in a service with ProtectProc=invisible: the processes of others are not even listed. */
static void hidden_processes(struct stage *s)
{
	must(unshare(CLONE_NEWNS) < 0 ? -errno : 0, "enter a mount namespace");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0,
	     "keep mounts to ourselves");
	must(mount("proc", "/proc", "proc", 0, "hidepid=2") < 0 ? -errno : 0, "mount /proc");
	another_user(s);
	assert_int_equal(umount2("/proc", MNT_DETACH), 0);
}

static void not_accepted(struct stage *s)
{
	json_t *event;

	protect(s);
	leave_mine(s, CLIENT_PORT);
	event = collide(s, CLIENT_PORT);
	assert_int_equal(event_number(event, "inode"), 0);
	check_holder(event, "accept-queue", getpid(), s->listener);
	daemon_stop(&s->daemon);
}

static void full_accept_queue(struct stage *s)
{
	json_t *event;

	stage_listen(s, 0);
	s->daemon.name_process = true;
	stage_protect(s, NULL);
	stage_connects(s, CLIENT_PORT);
	assert_int_equal(stage_connect(s, CLIENT_PORT + 1, 100).rc, -EINPROGRESS);
	event = daemon_event(&s->daemon, "accept-queue-full");
	check_holder(event, "held", getpid(), s->listener);
	daemon_stop(&s->daemon);
}

/* A child that has all our descriptors, under a name of its own. */
static pid_t share(const char *comm)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* In a text that has a space around every pair. */
static void check_is_listed(const char *text, pid_t pid, int fd)
{
	char pair[32];

	snprintf(pair, sizeof(pair), " %d/%d ", (int)pid, fd);
	assert_non_null(strstr(text, pair));
}

static void several_holders(struct stage *s)
{
	char text[128];
	struct mine mine;
	pid_t pids[2];
	json_t *event;
	int copy;

	protect(s);
	mine = stage_mine(s, CLIENT_PORT);
	copy = dup(mine.fd);
	assert_true(copy >= 0);
	pids[0] = share("first");
	close(copy);
	pids[1] = share("second");
	event = collide(s, CLIENT_PORT);
	assert_string_equal(event_text(event, "leaker"), "held");
	assert_int_equal(event_number(event, "leaker_count"), 4);
	snprintf(text, sizeof(text), " %ld/%ld %s ", event_number(event, "leaker_pid"),
		 event_number(event, "leaker_fd"), event_text(event, "leaker_others"));
	check_is_listed(text, getpid(), mine.fd);
	check_is_listed(text, pids[0], mine.fd);
	check_is_listed(text, pids[0], copy);
	check_is_listed(text, pids[1], mine.fd);
	daemon_stop(&s->daemon);
	stop(pids[0]);
	stop(pids[1]);
}

/* More than are listed: all are counted. */
static void many_holders(struct stage *s)
{
	pid_t pids[20];
	json_t *event;
	size_t listed = 1;

	protect(s);
	stage_mine(s, CLIENT_PORT);
	for (size_t i = 0; i < COUNT_OF(pids); i++)
		pids[i] = share("holder");
	event = collide(s, CLIENT_PORT);
	assert_int_equal(event_number(event, "leaker_count"), 21);
	for (const char *at = event_text(event, "leaker_others"); (at = strchr(at, ' ')); at++)
		listed++;
	assert_int_equal(listed, 7);
	daemon_stop(&s->daemon);
	for (size_t i = 0; i < COUNT_OF(pids); i++)
		stop(pids[i]);
}

/* The socket lives on in a message that nobody has received: no process has a descriptor of it. */
static void held_by_nobody(struct stage *s)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct mine mine;
	json_t *event;
	int pair[2];

	protect(s);
	mine = stage_mine(s, CLIENT_PORT);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &mine.fd, sizeof(int));
	assert_int_equal(sendmsg(pair[0], &msg, 0), 1);
	close(mine.fd);
	event = collide(s, CLIENT_PORT);
	/* In a container there can be processes that not even root may look at. */
	if (strcmp(event_text(event, "leaker"), "denied") != 0)
		check_nobody(event, "gone");
	assert_null(json_object_get(event, "leaker_pid"));
	daemon_stop(&s->daemon);
}

/*
 * What the first look has seen is not believed later: its process has ended, another one that had
 * the socket all the time is named.
 */
static void process_ends(struct stage *s)
{
	struct mine first, second;
	pid_t holder;

	protect(s);
	first = stage_mine(s, CLIENT_PORT);
	second = stage_mine(s, CLIENT_PORT + 1);
	holder = share("holder");
	close(second.fd);
	check_holder(collide(s, CLIENT_PORT), "held", getpid() < holder ? getpid() : holder,
		     first.fd);
	second.fd = dup(s->listener); /* the old number is another file now */
	check_holder(collide(s, CLIENT_PORT + 1), "held", holder, second.fd);
	stop(holder);
	daemon_stop(&s->daemon);
}

static void names_of_every_kind(struct stage *s)
{
	static const char *const names[] = {"a\nb) S 1 (", "x=\"1\" \\", "\xff\xc2\x9b[1m",
					    "\xc2\x9b"};
	/* As they are told in a line of text; JSON has its own way. */
	static const char *const quoted[] = {
		"leaker_comm=\"a\\x0ab) S 1 (\"",
		"leaker_comm=\"x=\\\"1\\\" \\\\\"",
		"leaker_comm=\"\\xff\\xc2\\x9b[1m\"",
		"leaker_comm=\"\\xc2\\x9b\"",
	};

	s->daemon.text_format = true;
	protect(s);
	for (uint16_t i = 0; i < COUNT_OF(names); i++) {
		struct mine mine = stage_mine(s, CLIENT_PORT + i);
		pid_t pid = share(names[i]);

		close(mine.fd);
		stage_connects(s, CLIENT_PORT + i);
		daemon_message(&s->daemon, quoted[i]);
		stage_accept_from(s, CLIENT_PORT + i);
		stop(pid);
	}
	daemon_stop(&s->daemon);
}

/* No SYN has met this one. */
static void found_by_a_sweep(struct stage *s)
{
	struct mine mine;
	json_t *event;

	/* A sweep believes that a peer is gone when FIN_WAIT_2 has had the time to expire. */
	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "shorten tcp_fin_timeout");
	stage_listen(s, 8);
	mine = stage_mine(s, CLIENT_PORT);
	s->daemon.name_process = true;
	daemon_start(&s->daemon,
		     "mode = \"enforce\"; sweep = { interval = \"1s\"; min_age = \"0s\"; };");
	event = daemon_event(&s->daemon, "mine");
	check_holder(event, "held", getpid(), mine.fd);
	daemon_stop(&s->daemon);
}

/* --- the owner server -------------------------------------------------------------------------*/

static void without_capability(struct stage *s)
{
	json_t *event;

	s->daemon.lacks = CAP_SYS_PTRACE;
	protect(s);
	assert_int_equal(server_of(&s->daemon), 0);
	check_status(s, "unit");
	stage_mine(s, CLIENT_PORT);
	event = collide(s, CLIENT_PORT);
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_null(json_object_get(event, "leaker"));
	daemon_stop(&s->daemon);
	s->daemon.next_message = 0;
	daemon_message(&s->daemon, "CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing");
}

/* A slow /proc: the server does not answer. No client waits for it, and events keep their order. */
static void server_hangs(struct stage *s)
{
	enum { MAX = 256, SOME = MAX + 6 }; /* more than may wait */
	pid_t server;

	protect(s);
	server = server_of(&s->daemon);
	for (uint16_t i = 0; i < SOME; i++)
		stage_mine(s, CLIENT_PORT + i);
	assert_int_equal(kill(server, SIGSTOP), 0);
	for (uint16_t i = 0; i < SOME; i++) {
		stage_connects(s, CLIENT_PORT + i);
		stage_accept_from(s, CLIENT_PORT + i);
	}
	for (uint16_t i = 0; i < SOME; i++) {
		json_t *event;

		if (i == SOME - MAX)
			assert_int_equal(kill(server, SIGCONT), 0);
		event = daemon_event(&s->daemon, "collision");
		stage_event_is_of(s, event, CLIENT_PORT + i);
		assert_string_equal(event_text(event, "result"), "destroyed");
		if (i < SOME - MAX)
			check_nobody(event, "late");
		else
			assert_int_equal(event_number(event, "leaker_pid"), getpid());
	}
	daemon_stop(&s->daemon);
}

/* What waits at the end is told. */
static void stops_meanwhile(struct stage *s)
{
	pid_t server;

	protect(s);
	server = server_of(&s->daemon);
	assert_int_equal(kill(server, SIGSTOP), 0);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	daemon_signal(&s->daemon, SIGTERM);
	check_nobody(daemon_event(&s->daemon, "collision"), "late");
	daemon_message(&s->daemon, "stopped: ");
	assert_int_equal(kill(server, SIGCONT), 0);
	assert_int_equal(daemon_wait_exit(&s->daemon), 0);
}

static bool has_ended(void *arg)
{
	return kill(*(pid_t *)arg, 0) < 0 && errno == ESRCH;
}

static void server_is_killed(struct stage *s)
{
	pid_t server;
	json_t *event;

	protect(s);
	server = server_of(&s->daemon);
	assert_int_equal(kill(server, SIGSTOP), 0);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	assert_int_equal(kill(server, SIGKILL), 0);
	/* "late", or nothing at all if the daemon has heard of the end first. */
	event = daemon_event(&s->daemon, "collision");
	assert_null(json_object_get(event, "leaker_pid"));
	daemon_message(&s->daemon, "the owner server has ended");
	stage_accept_from(s, CLIENT_PORT);
	stage_mine(s, CLIENT_PORT + 1);
	event = collide(s, CLIENT_PORT + 1);
	assert_string_equal(event_text(event, "result"), "destroyed");
	assert_null(json_object_get(event, "leaker"));
	check_status(s, "unit");
	assert_non_null(strstr(ctl_run(&s->daemon, "metrics", NULL)->out,
			       "\nclosewaitd_owner_server_up 0\n"));
	must(wait_until(has_ended, &server, 5000), "see that no zombie is left");
	daemon_stop(&s->daemon);
}

/* It leaves signals to the daemon, and ends with it however that ends. */
static void ends_with_the_daemon(struct stage *s)
{
	pid_t server;

	protect(s);
	server = server_of(&s->daemon);
	assert_int_equal(kill(server, SIGTERM), 0);
	assert_int_equal(kill(server, SIGINT), 0);
	assert_int_equal(kill(server, SIGHUP), 0);
	stage_mine(s, CLIENT_PORT);
	assert_string_equal(event_text(collide(s, CLIENT_PORT), "leaker"), "held");
	daemon_signal(&s->daemon, SIGKILL);
	daemon_wait_exit(&s->daemon);
	must(wait_until(has_ended, &server, 5000), "see the owner server end");
}

static void reload_changes_nothing(struct stage *s)
{
	json_t *answer;

	protect(s);
	s->daemon.name_process = false;
	daemon_write_conf(&s->daemon, "mode = \"enforce\";");
	answer = ctl_json(&s->daemon, "reload", NULL);
	assert_true(json_is_true(ctl_member(answer, "restart_needed")));
	json_decref(answer);
	daemon_message(&s->daemon, "log.leaker has changed: it takes effect at the next restart");
	stage_mine(s, CLIENT_PORT);
	assert_string_equal(event_text(collide(s, CLIENT_PORT), "leaker"), "held");
	daemon_stop(&s->daemon);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"names the holder", names_the_holder, EVERY_WAY, IN_BOTH},
		{"nothing by default", nothing_by_default, 0, IN_ENFORCE},
		{"a process of another user", another_user, 0, IN_ENFORCE},
		{"hidden processes", hidden_processes, 0, IN_ENFORCE},
		{"a socket that was not accepted", not_accepted, EVERY_WAY, IN_BOTH},
		{"who does not accept", full_accept_queue, EVERY_WAY, IN_ENFORCE},
		{"several holders", several_holders, 0, IN_ENFORCE},
		{"many holders", many_holders, 0, IN_ENFORCE},
		{"held by nobody", held_by_nobody, 0, IN_ENFORCE},
		{"a process that ends", process_ends, 0, IN_ENFORCE},
		{"names of every kind", names_of_every_kind, 0, IN_ENFORCE},
		{"found by a sweep", found_by_a_sweep, 0, IN_ENFORCE},
		{"without the capability", without_capability, 0, IN_ENFORCE},
		{"a server that hangs", server_hangs, 0, IN_ENFORCE},
		{"a stop meanwhile", stops_meanwhile, 0, IN_ENFORCE},
		{"a server that is killed", server_is_killed, 0, IN_ENFORCE},
		{"the server's end", ends_with_the_daemon, 0, IN_ENFORCE},
		{"a reload", reload_changes_nothing, 0, IN_ENFORCE},
	};

	return stage_run("attribution", tests, COUNT_OF(tests), argc, argv);
}
