/* SPDX-License-Identifier: GPL-2.0-or-later */
/* closewaitctl scan, which needs no daemon: it finds every mine and nothing else, and who leaks it. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "leaker.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockdiag.h"
#include "lib/sockets.h"
#include "stage.h"

#define NOBODY	    65534
#define PATIENCE_MS 10000
/* The exit status for mines that were found. */
#define FOUND 5
/* In the midst of traffic. */
#define SCANS 60
/* Clients of the leaking server. */
#define LEAKS 37

static void run_line(const char *line)
{
	char text[256], *word;
	const char *argv[16];
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (word = strtok(text, " "); word && n < COUNT_OF(argv) - 1; word = strtok(NULL, " "))
		argv[n++] = word;
	argv[n] = NULL;
	must(run_command(argv) == 0 ? 0 : -EINVAL, line);
}

/* --- asking -----------------------------------------------------------------------------------*/

/* One scan as an object, to be released; its exit status must fit. */
static json_t *scan(struct stage *s, const char *option)
{
	const struct ctl_output *output = ctl_run(&s->daemon, "--json", "scan", option, NULL);
	json_t *object = json_loads(output->out, 0, NULL);
	json_t *found;

	if (!object)
		fail_msg("no JSON (%d): %s%s", output->status, output->out, output->err);
	assert_string_equal(output->err, "");
	found = json_incref(json_object_get(object, "scan"));
	assert_non_null(found);
	json_decref(object);
	assert_int_equal(output->status, ctl_number(found, "mines") > 0 ? FOUND : 0);
	return found;
}

struct expected {
	long mines, half_closed, remote, uncertain;
};

static bool is_as_expected(const json_t *found, const struct expected *want)
{
	return ctl_number(found, "mines") == want->mines &&
	       ctl_number(found, "half_closed") == want->half_closed &&
	       ctl_number(found, "remote") == want->remote &&
	       ctl_number(found, "uncertain") == want->uncertain;
}

static void expect(struct stage *s, long mines, long half_closed, long remote, long uncertain)
{
	const struct expected want = {mines, half_closed, remote, uncertain};
	json_t *found = scan(s, NULL);

	if (!is_as_expected(found, &want))
		fail_msg("%ld mines, %ld half-closed, %ld remote, %ld uncertain",
			 ctl_number(found, "mines"), ctl_number(found, "half_closed"),
			 ctl_number(found, "remote"), ctl_number(found, "uncertain"));
	json_decref(found);
}

static const json_t *first_of(const json_t *object, const char *list)
{
	const json_t *first = json_array_get(json_object_get(object, list), 0);

	assert_non_null(first);
	return first;
}

static const json_t *only_leaker(const json_t *found)
{
	const json_t *listener = first_of(found, "listeners");

	assert_int_equal(json_array_size(json_object_get(found, "listeners")), 1);
	assert_int_equal(json_array_size(json_object_get(listener, "leakers")), 1);
	return first_of(listener, "leakers");
}

struct pair {
	union endpoint client, server;
};

static bool client_is_gone(void *arg)
{
	const struct pair *pair = arg;

	return sockdiag_state(&pair->client, &pair->server) == 0;
}

/* --- a leaking server -------------------------------------------------------------------------*/

/* Accepts, and forgets what it has accepted. */
static const char server_script[] = "import socket, sys\n"
				    "server = socket.socket()\n"
				    "server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
				    "server.bind(('127.0.0.1', int(sys.argv[1])))\n"
				    "server.listen(128)\n"
				    "print('listening', flush=True)\n"
				    "kept = []\n"
				    "while True:\n"
				    "    kept.append(server.accept()[0])\n";

/* 0 if there is no Python. */
static pid_t start_python(void)
{
	char port[8], line[16] = "";
	int out[2];
	pid_t pid;

	snprintf(port, sizeof(port), "%d", SERVER_PORT);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		close_range(STDERR_FILENO + 1, ~0U, 0);
		execlp("python3", "python3", "-c", server_script, port, NULL);
		_exit(127);
	}
	close(out[1]);
	if (read(out[0], line, sizeof(line) - 1) <= 0) {
		waitpid(pid, NULL, 0);
		return 0;
	}
	assert_true(strncmp(line, "listening", strlen("listening")) == 0);
	return pid;
}

static bool holds_socket(pid_t pid, long fd, long inode)
{
	char path[64], link[64], want[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/fd/%ld", (int)pid, fd);
	snprintf(want, sizeof(want), "socket:[%ld]", inode);
	len = readlink(path, link, sizeof(link) - 1);
	return len == (ssize_t)strlen(want) && memcmp(link, want, (size_t)len) == 0;
}

static void check_descriptors(const json_t *leaker, pid_t pid, const struct pair *pairs)
{
	const json_t *sockets = json_object_get(leaker, "sockets");

	assert_int_equal(json_array_size(sockets), LEAKS);
	for (size_t i = 0; i < LEAKS; i++) {
		char peer[ENDPOINT_TEXT];
		size_t found = 0;

		endpoint_format(&pairs[i].client, peer);
		for (size_t j = 0; j < LEAKS; j++) {
			const json_t *socket = json_array_get(sockets, j);

			if (strcmp(ctl_text(socket, "peer"), peer) != 0)
				continue;
			found++;
			assert_string_equal(ctl_text(socket, "kind"), "mine");
			assert_int_equal(ctl_number(socket, "holders"), 1);
			assert_in_range(ctl_number(socket, "age_ms"), 900, 600000);
			assert_true(holds_socket(pid, ctl_number(socket, "fd"),
						 ctl_number(socket, "inode")));
		}
		assert_int_equal(found, 1);
	}
}

static void check_words(struct stage *s, pid_t pid)
{
	const struct ctl_output *output = ctl_run(&s->daemon, "scan", NULL);
	char want[64];

	assert_int_equal(output->status, FOUND);
	assert_true(strncmp(output->out, "python", 6) == 0);
	snprintf(want, sizeof(want), " (pid %d", (int)pid);
	assert_non_null(strstr(output->out, want));
	snprintf(want, sizeof(want), " leaks sockets on 127.0.0.1:8000: %d mines", LEAKS);
	assert_non_null(strstr(output->out, want));
	assert_non_null(strstr(output->out, " will collide."));
	/* Not a terminal: nothing that only a terminal understands. */
	assert_null(strchr(output->out, '\033'));
}

/* As in life: clients come and close, and a minute later, here a second, their side is gone. */
static void names_the_leaker(struct stage *s)
{
	struct pair pairs[LEAKS];
	const json_t *leaker;
	json_t *found;
	pid_t pid;

	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	pid = start_python();
	if (pid == 0)
		skip();
	for (size_t i = 0; i < LEAKS; i++) {
		int fd = must(sock_connect(NULL, &s->server, PATIENCE_MS), "connect");

		must(endpoint_local(fd, &pairs[i].client), "see its port");
		pairs[i].server = s->server;
		close(fd);
	}
	for (size_t i = 0; i < LEAKS; i++)
		must(wait_until(client_is_gone, &pairs[i], PATIENCE_MS), "see the client go");

	found = scan(s, "--fds");
	assert_int_equal(ctl_number(found, "mines"), LEAKS);
	assert_int_equal(ctl_number(found, "close_wait"), LEAKS);
	assert_int_equal(ctl_number(found, "unattributed"), 0);
	assert_string_equal(ctl_text(first_of(found, "listeners"), "local"), "127.0.0.1:8000");
	leaker = only_leaker(found);
	assert_int_equal(ctl_number(leaker, "pid"), pid);
	assert_true(strncmp(ctl_text(leaker, "program"), "python", 6) == 0);
	assert_non_null(strstr(ctl_text(leaker, "exe"), "python"));
	assert_int_equal(ctl_number(leaker, "mines"), LEAKS);
	/* Its three standard ones, the listener, and what it has of its own. */
	assert_in_range(ctl_number(leaker, "descriptors"), LEAKS + 4, LEAKS + 10);
	assert_true(ctl_number(leaker, "descriptor_limit") > LEAKS);
	check_descriptors(leaker, pid, pairs);
	json_decref(found);
	check_words(s, pid);
	leaker_stop(pid);
	expect(s, 0, 0, 0, 0);
}

/* Whoever has no eyes for the processes of others sees the sockets nevertheless. */
static void without_privileges(struct stage *s)
{
	const struct ctl_output *output;
	pid_t pid = leaker_start(&s->server, 0, NULL);
	union endpoint client = stage_client(s, CLIENT_PORT);
	json_t *object, *found;

	leaker_leave_mine(&s->server, &client);
	output = ctl_run_as(NOBODY, NOBODY, &s->daemon, "scan", NULL);
	assert_int_equal(output->status, FOUND);
	assert_non_null(strstr(output->out, "an unknown process (uid 0"));
	assert_non_null(strstr(output->out, "Who holds 1 of the sockets is not known"));

	output = ctl_run_as(NOBODY, NOBODY, &s->daemon, "scan", "--json", NULL);
	object = json_loads(output->out, 0, NULL);
	assert_non_null(object);
	found = json_object_get(object, "scan");
	assert_int_equal(ctl_number(found, "mines"), 1);
	assert_int_equal(ctl_number(found, "unattributed"), 1);
	assert_true(ctl_number(found, "processes_denied") > 0);
	assert_null(json_object_get(only_leaker(found), "pid"));
	json_decref(object);

	leaker_stop(pid);
}

static void names_the_unit(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	char name[64], dir[128], who[96];
	const json_t *leaker;
	json_t *found;
	pid_t pid;
	int rc;

	snprintf(name, sizeof(name), "closewaitd-scan-%d.service", getpid());
	rc = leaker_make_cgroup(name, dir, sizeof(dir));
	if (rc == -ENOENT || rc == -EROFS)
		skip();
	must(rc, "make a control group");
	pid = leaker_start(&s->server, 0, dir);
	leaker_leave_mine(&s->server, &client);
	found = scan(s, NULL);
	leaker = only_leaker(found);
	assert_int_equal(ctl_number(leaker, "pid"), pid);
	assert_string_equal(ctl_text(leaker, "unit"), name);
	assert_int_equal(ctl_text(leaker, "cgroup")[0], '/');
	assert_string_equal(ctl_text(leaker, "cgroup") + 1, name);
	json_decref(found);
	snprintf(who, sizeof(who), "(pid %d, %s)", (int)pid, name);
	assert_non_null(strstr(ctl_run(&s->daemon, "scan", NULL)->out, who));
	leaker_remove_cgroup(dir);
}

/* --- mines and others -------------------------------------------------------------------------*/

static void finds_every_mine(struct stage *s)
{
	json_t *found;

	stage_listen(s, 64);
	for (uint16_t i = 0; i < 50; i++)
		stage_mine(s, (uint16_t)(CLIENT_PORT + i));
	expect(s, 50, 0, 0, 0);
	found = scan(s, NULL);
	assert_int_equal(ctl_number(only_leaker(found), "pid"), getpid());
	json_decref(found);
}

/* From the client's shutdown() to the server's close(). */
static void half_closed_is_no_mine(struct stage *s)
{
	int client, server;
	struct pair pair;

	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	stage_listen(s, 8);
	client = must(sock_connect(NULL, &s->server, PATIENCE_MS), "connect");
	must(endpoint_local(client, &pair.client), "see its port");
	pair.server = s->server;
	server = stage_accept_from(s, endpoint_port(&pair.client));
	expect(s, 0, 0, 0, 0);
	stage_half_close(client);
	expect(s, 0, 1, 0, 0);
	/* Nobody holds it any more, but the kernel still does, for a second. */
	close(client);
	expect(s, 0, 1, 0, 0);
	must(wait_until(client_is_gone, &pair, PATIENCE_MS), "see the client go");
	expect(s, 1, 0, 0, 0);
	close(server);
	expect(s, 0, 0, 0, 0);
}

/* The client is gone before the server has looked at it. */
static void not_accepted_yet(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	const struct ctl_output *output;
	const json_t *listener;
	json_t *found;

	stage_listen(s, 8);
	must(mine_abandon(must(sock_connect(&client, &s->server, PATIENCE_MS), "connect")),
	     "let the client vanish");
	found = scan(s, NULL);
	listener = first_of(found, "listeners");
	assert_int_equal(ctl_number(listener, "mines"), 1);
	assert_int_equal(ctl_number(listener, "queued"), 1);
	assert_int_equal(ctl_number(listener, "backlog"), 8);
	assert_int_equal(ctl_number(only_leaker(found), "not_accepted"), 1);
	assert_int_equal(ctl_number(only_leaker(found), "pid"), getpid());
	json_decref(found);
	output = ctl_run(&s->daemon, "scan", NULL);
	assert_non_null(strstr(output->out, "does not accept connections"));
}

/* A client that has met a mine and waits for an answer is not the mine's peer. */
static void a_collision_is_seen(struct stage *s)
{
	union endpoint client = stage_client(s, CLIENT_PORT);
	json_t *found;
	int fd;

	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	must(run_iptables(s->way == WAY_V6 ? AF_INET6 : AF_INET, "-A", "INPUT", "-p", "tcp",
			  "--syn", "-j", "DROP", NULL),
	     "drop SYNs");
	fd = must(sock_connect_start(&client, &s->server), "begin to connect");
	assert_int_equal(sock_state(fd), TCP_SYN_SENT);
	expect(s, 1, 0, 0, 0);
	found = scan(s, NULL);
	assert_int_equal(ctl_number(first_of(found, "listeners"), "colliding"), 1);
	json_decref(found);
	assert_non_null(strstr(ctl_run(&s->daemon, "scan", NULL)->out,
			       "At this moment 1 client is connecting to a mine."));
}

/* A connection that is half-closed for a moment, and is closed or reset by the server. */
static void half_close_once(int listener, const union endpoint *server_end, bool reset)
{
	int client = sock_connect(NULL, server_end, PATIENCE_MS);
	int server = client < 0 ? -1 : sock_accept(listener, PATIENCE_MS);
	char byte;

	if (server < 0 || shutdown(client, SHUT_WR) < 0 || recv(server, &byte, 1, 0) != 0)
		_exit(1);
	if (reset)
		sock_reset(server);
	else
		close(server);
	close(client);
}

_Noreturn static void be_busy(int listener, const union endpoint *server_end)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0;; i++)
		half_close_once(listener, server_end, i % 4 != 0);
}

/*
 * Sockets that close between the steps of a scan, with both ends at once: whoever looks at one end
 * first and at the other later sees mines. Those that reset leave no TIME_WAIT to be found either.
 */
static void living_traffic_is_no_mine(struct stage *s)
{
	pid_t pid[2];
	int status;

	stage_listen(s, 64);
	/* The one true mine must not be lost among them. First, while its port is free. */
	stage_mine(s, CLIENT_PORT);
	for (int i = 0; i < 2; i++) {
		union endpoint at = s->server;
		int listener;

		endpoint_set_port(&at, (uint16_t)(SERVER_PORT + 1 + i));
		listener = must(sock_listen(&at, 64, false), "listen");
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			be_busy(listener, &at);
	}
	for (int i = 0; i < SCANS; i++) {
		json_t *found = scan(s, NULL);

		if (ctl_number(found, "mines") != 1)
			fail_msg("scan %d: %ld mines", i, ctl_number(found, "mines"));
		json_decref(found);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pid[i], &status, WNOHANG), 0); /* busy to the end */
		leaker_stop(pid[i]);
	}
}

/* In the child: another host, at the other end of a wire. It does as it is told, byte by byte. */
_Noreturn static void be_other_host(int ready, int go)
{
	union endpoint server;
	char byte = 0;
	int fd;

	if (netns_enter() < 0 || write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	run_line("ip addr add 192.0.2.2/24 dev far");
	if (netns_link_up("far") < 0 || endpoint_parse("192.0.2.1", SERVER_PORT, &server) < 0)
		_exit(1);
	fd = sock_connect(NULL, &server, PATIENCE_MS);
	if (fd < 0 || shutdown(fd, SHUT_WR) < 0 || write(ready, &byte, 1) != 1 ||
	    read(go, &byte, 1) != 1)
		_exit(1);
	/* Not a word to the server. */
	if (mine_vanish(fd) < 0 || write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	_exit(0);
}

static void next_step(int go, int ready)
{
	char byte = 0;

	assert_int_equal(write(go, &byte, 1), 1);
	if (ready >= 0)
		assert_int_equal(read(ready, &byte, 1), 1);
}

/* Nothing is known of another host's sockets, alive or gone, so none is ever called a mine. */
static void a_remote_peer_is_none_of_ours(struct stage *s)
{
	union endpoint client = stage_end("192.0.2.1", CLIENT_PORT);
	int ready[2], go[2], status, server;
	char line[64], byte;
	struct mine mine;
	pid_t pid;

	s->server = stage_end("192.0.2.1", SERVER_PORT);
	run_line("ip link add near type veth peer name far");
	run_line("ip addr add 192.0.2.1/24 dev near");
	must(netns_link_up("near"), "bring the interface up");
	stage_listen(s, 8);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_other_host(ready[1], go[0]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(line, sizeof(line), "ip link set far netns %d", (int)pid);
	run_line(line);

	next_step(go[1], ready[0]);
	server = must(sock_accept(s->listener, PATIENCE_MS), "accept");
	assert_int_equal(recv(server, &byte, 1, 0), 0); /* the FIN is there */
	expect(s, 0, 0, 1, 0);
	next_step(go[1], ready[0]);
	expect(s, 0, 0, 1, 0);
	/* A true one beside it, with an address of ours that is not loopback. */
	must(mine_plant(s->listener, &client, &s->server, &mine), "plant a mine");
	expect(s, 1, 0, 1, 0);
	next_step(go[1], -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The living client believes to be connected to another port. */
static void a_rewritten_destination_is_uncertain(struct stage *s)
{
	union endpoint alias = stage_client(s, SERVER_PORT + 1);
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct pair pair = {client, alias};
	int fd;

	must(netns_sysctl_set("ipv4/tcp_fin_timeout", "1"), "set tcp_fin_timeout");
	if (run_iptables(s->way == WAY_V6 ? AF_INET6 : AF_INET, "-t", "nat", "-A", "OUTPUT", "-p",
			 "tcp", "--dport", "8001", "-j", "REDIRECT", "--to-ports", "8000",
			 NULL) < 0)
		skip();
	stage_listen(s, 8);
	fd = must(sock_connect(&client, &alias, PATIENCE_MS), "connect");
	stage_accept_from(s, CLIENT_PORT);
	stage_half_close(fd);
	expect(s, 0, 0, 0, 1);
	close(fd);
	expect(s, 0, 0, 0, 1);
	must(wait_until(client_is_gone, &pair, PATIENCE_MS), "see the client go");
	expect(s, 1, 0, 0, 0);
}

static void a_socket_bound_to_lo(struct stage *s)
{
	stage_listen(s, 8);
	must(setsockopt(s->listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")),
	     "bind the listener to lo");
	stage_mine(s, CLIENT_PORT);
	expect(s, 1, 0, 0, 0);
}

static void link_local(struct stage *s)
{
	union endpoint client;
	struct mine mine;
	int fd;

	run_line("ip link add near type veth peer name far");
	run_line("ip link set far up");
	run_line("ip link set near up");
	run_line("ip addr add fe80::1/64 dev near nodad");
	s->server = stage_end("fe80::1%near", SERVER_PORT);
	client = stage_end("fe80::1%near", CLIENT_PORT);
	stage_listen(s, 8);
	must(mine_plant(s->listener, &client, &s->server, &mine), "plant a mine");
	fd = must(sock_connect(NULL, &s->server, PATIENCE_MS), "connect");
	stage_half_close(fd);
	expect(s, 1, 1, 0, 0);
}

/* --- the command ------------------------------------------------------------------------------*/

static void wrong_usage(struct stage *s)
{
	static const char *const seconds[] = {"0", "3601", "-1", "1x", "x", "", " 1"};

	assert_int_equal(ctl_run(&s->daemon, "scan", "x", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "scan", "--follow", NULL)->status, 2);
	assert_int_equal(ctl_run(&s->daemon, "scan", "--watch", NULL)->status, 2);
	for (size_t i = 0; i < COUNT_OF(seconds); i++) {
		const struct ctl_output *output =
			ctl_run(&s->daemon, "scan", "--watch", seconds[i], NULL);

		assert_int_equal(output->status, 2);
		assert_non_null(strstr(output->err, "is no number of seconds: 1 to 3600"));
	}
}

static json_t *read_scan(FILE *from)
{
	static char line[65536];
	json_t *object;

	assert_non_null(fgets(line, sizeof(line), from));
	object = json_loads(line, 0, NULL);
	assert_non_null(object);
	return object;
}

static const json_t *growth_in(const json_t *object)
{
	return ctl_member(only_leaker(ctl_member(object, "scan")), "growth_per_minute");
}

/* The first scan has only the ages, which are too young; the next ones have each other. */
static void watches_growth(struct stage *s)
{
	char command[256];
	json_t *object;
	FILE *from;

	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	snprintf(command, sizeof(command), "exec %s --json scan --watch 1", ctl_program());
	from = popen(command, "re");
	assert_non_null(from);
	object = read_scan(from);
	assert_true(json_is_null(growth_in(object)));
	json_decref(object);
	for (uint16_t i = 1; i <= 10; i++)
		stage_mine(s, (uint16_t)(CLIENT_PORT + i));
	object = read_scan(from);
	assert_int_equal(ctl_number(object, "scan.mines"), 11);
	/* Ten within a second or a little more, on a busy machine a good deal more. */
	assert_true(json_is_real(growth_in(object)));
	assert_true(json_real_value(growth_in(object)) > 1);
	assert_true(json_real_value(growth_in(object)) <= 601);
	json_decref(object);
	/* It ends when nobody reads on. */
	assert_int_equal(WTERMSIG(pclose(from)), SIGPIPE);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"a leaking server is named", names_the_leaker, 0, IN_AUDIT},
		{"its unit is named", names_the_unit, 0, IN_AUDIT},
		{"without privileges", without_privileges, 0, IN_AUDIT},
		{"every mine is found", finds_every_mine, EVERY_WAY, IN_AUDIT},
		{"half-closed is no mine", half_closed_is_no_mine, EVERY_WAY, IN_AUDIT},
		{"not accepted yet", not_accepted_yet, V4_ONLY | V6_ONLY, IN_AUDIT},
		{"a collision is seen", a_collision_is_seen, V4_ONLY | V6_ONLY, IN_AUDIT},
		{"living traffic is no mine", living_traffic_is_no_mine, V4_ONLY | V6_ONLY,
		 IN_AUDIT},
		{"a remote peer is none of ours", a_remote_peer_is_none_of_ours, 0, IN_AUDIT},
		{"a rewritten destination is uncertain", a_rewritten_destination_is_uncertain,
		 V4_ONLY | V6_ONLY, IN_AUDIT},
		{"a socket bound to lo", a_socket_bound_to_lo, V4_ONLY | V6_ONLY, IN_AUDIT},
		{"link-local", link_local, 0, IN_AUDIT},
		{"wrong usage", wrong_usage, 0, IN_AUDIT},
		{"--watch", watches_growth, 0, IN_AUDIT},
	};

	return stage_run("scan", tests, COUNT_OF(tests), argc, argv);
}
