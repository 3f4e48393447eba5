/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The failure as it was met first: a server, not ours and in another language, that accepts and
 * never closes; what it has leaked lies about on thousands of tuples; hundreds of clients at once;
 * and a firewall that drops resets on lo, so that nothing heals by itself.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fdlimit.h"
#include "lib/monotime.h"
#include "lib/netns.h"
#include "lib/run.h"
#include "lib/sockets.h"
#include "pulse.h"
#include "stage.h"

/* The clients' tuples: so many ports on so many addresses of 127.0.0.0/8. */
#define ADDRESSES  200
#define PORTS	   100
#define FIRST_PORT 20000
#define TUPLES	   (ADDRESSES * PORTS)
#define MINES	   "6000"
/* A connect in three meets a mine. */
#define CONNECTS     10000
#define FEW_CONNECTS 1000
#define AT_ONCE	     200
#define NC_CLIENTS   100
#define LONGEST_MS   100
#define NOT_LOST_MS  900
#define CONNECT_MS   20000
/* One for each mine and connect, and some. */
#define DESCRIPTORS 17000

/* Where all is several times slower, only no SYN may have been lost. */
static long longest_ms(void)
{
#ifdef __SANITIZE_ADDRESS__
	return NOT_LOST_MS;
#else
	return is_emulated() ? NOT_LOST_MS : LONGEST_MS;
#endif
}

/* Python on purpose: the bug is in no library of ours. */
static const char server_program[] =
	"import resource, socket\n"
	"hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
	"resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))\n"
	"listener = socket.socket()\n"
	"listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
	"listener.bind((\"127.0.0.1\", 8000))\n"
	"listener.listen(4096)\n"
	"print(\"listening\", flush=True)\n"
	"leaked = []\n"
	"while True:\n"
	"    leaked.append(listener.accept())\n";

static void need(const char *program)
{
	const char *const argv[] = {"sh", "-c", "command -v \"$0\" >/dev/null 2>&1", program, NULL};

	if (run_command(argv) == 0)
		return;
	print_message("SKIP: %s is not installed\n", program);
	skip();
}

static void start_server(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execlp("python3", "python3", "-c", server_program, NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
}

/* Random ones of the clients' tuples. The tool prints what it has done. */
static void plant_mines(void)
{
	char program[256];
	const char *const argv[] = {program,   "--random",    "--count",
				    MINES,     "--source",    "127.0.0.1-127.0.0.200",
				    "--ports", "20000-20099", "127.0.0.1:8000",
				    NULL};

	snprintf(program, sizeof(program), "%.*s/tests/tools/minefield",
		 (int)(strrchr(daemon_program(), '/') - daemon_program()), daemon_program());
	assert_int_equal(run_command(argv), 0);
}

static void drop_resets(void)
{
	must(run_iptables(AF_INET, "-A", "INPUT", "-i", "lo", "-p", "tcp", "--tcp-flags", "RST",
			  "RST", "-j", "DROP", NULL),
	     "drop resets");
}

static void lay_out(struct stage *s)
{
	need("python3");
	need("nc");
	if (fdlimit_raise() < DESCRIPTORS) {
		print_message("SKIP: needs %d descriptors for a process\n", DESCRIPTORS);
		skip();
	}
	must(netns_sysctl_set("ipv4/tcp_syn_retries", "1"), "shorten the time-out");
	start_server();
	plant_mines();
	drop_resets();
	(void)s;
}

/* Every tuple once, in an order that looks random: 7919 has no divisor in common with their number. */
static union endpoint client_of(unsigned int i)
{
	unsigned int tuple = i * 7919 % TUPLES;
	char address[32];

	snprintf(address, sizeof(address), "127.0.0.%u", 1 + tuple / PORTS);
	return stage_end(address, (uint16_t)(FIRST_PORT + tuple % PORTS));
}

struct tally {
	unsigned int failed;
	int first_error;
	long longest_ms; /* without what the machine itself stood still */
};

struct client {
	int fd;
	int64_t start_ns;
};

static void begin(struct client *client, unsigned int i, const union endpoint *server)
{
	const union endpoint src = client_of(i);

	client->start_ns = mono_ns();
	client->fd = must(sock_connect_start(&src, server), "begin to connect");
}

/* Closes it as everybody does: the server keeps its end, and the next one of this tuple collides. */
static void end(struct client *client, struct tally *tally, long *longest)
{
	long ms = (long)((mono_ns() - client->start_ns) / 1000000);
	int err = sock_error(client->fd);

	if (err) {
		tally->failed++;
		tally->first_error = err;
	} else if (ms > *longest) {
		*longest = ms;
	}
	close(client->fd);
	client->fd = -1;
}

static void connect_at_once(struct stage *s, unsigned int first, unsigned int n,
			    const struct pulse *pulse, struct tally *tally)
{
	struct client clients[AT_ONCE];
	struct pollfd pfds[AT_ONCE];
	long stalled = pulse_stalled_ms(pulse), longest = 0;

	for (unsigned int i = 0; i < n; i++) {
		begin(&clients[i], first + i, &s->server);
		pfds[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLOUT};
	}
	for (unsigned int left = n; left > 0;) {
		if (poll(pfds, n, CONNECT_MS) == 0)
			fail_msg("%u connects have not come to an end", left);
		for (unsigned int i = 0; i < n; i++) {
			if (pfds[i].fd < 0 || !pfds[i].revents)
				continue;
			end(&clients[i], tally, &longest);
			pfds[i].fd = -1;
			left--;
		}
	}
	if (longest > longest_ms())
		longest -= pulse_stalled_now_ms(pulse) - stalled;
	if (longest > tally->longest_ms)
		tally->longest_ms = longest;
}

static struct tally connect_often(struct stage *s, unsigned int n)
{
	struct pulse *pulse = pulse_start();
	struct tally tally = {0};

	for (unsigned int i = 0; i < n; i += AT_ONCE)
		connect_at_once(s, i, AT_ONCE, pulse, &tally);
	pulse_stop(pulse);
	return tally;
}

/* From tuples that nobody has used after the mines were planted. */
static pid_t start_nc(unsigned int i)
{
	const union endpoint src = client_of(CONNECTS + i);
	char address[ENDPOINT_TEXT], port[8];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	endpoint_format(&src, address);
	*strchr(address, ':') = '\0';
	snprintf(port, sizeof(port), "%u", endpoint_port(&src));
	execlp("nc", "nc", "-n", "-z", "-s", address, "-p", port, "127.0.0.1", "8000", NULL);
	_exit(127);
}

/* How many of them did not connect. */
static unsigned int run_nc(void)
{
	pid_t pids[NC_CLIENTS];
	unsigned int failed = 0;

	for (unsigned int i = 0; i < NC_CLIENTS; i++)
		pids[i] = start_nc(i);
	for (unsigned int i = 0; i < NC_CLIENTS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	return failed;
}

static void without_the_daemon(struct stage *s)
{
	struct tally tally;

	lay_out(s);
	tally = connect_often(s, FEW_CONNECTS);
	print_message("%u of %d connects failed (%s)\n", tally.failed, FEW_CONNECTS,
		      strerror(tally.first_error));
	assert_int_equal(tally.first_error, ETIMEDOUT);
	assert_in_range(tally.failed, FEW_CONNECTS / 5, FEW_CONNECTS / 2);
	assert_in_range(run_nc(), 1, NC_CLIENTS - 1);
}

static void with_the_daemon(struct stage *s)
{
	unsigned int failed;
	struct tally tally;

	lay_out(s);
	stage_protect(s, "limits = { events_per_second = 1; destroy_per_second = 0; };");
	tally = connect_often(s, CONNECTS);
	failed = run_nc();
	daemon_stop(&s->daemon);
	if (failed > 0)
		fail_msg("%u of %d nc failed; %ld look-ups did, %ld are unproven, %ld "
			 "challenges were sent",
			 failed, NC_CLIENTS, daemon_total(&s->daemon, "lookup-failed"),
			 daemon_total(&s->daemon, "unproven"), stage_challenges());
	print_message("%ld of %d connects collided, the longest took %ld ms\n",
		      daemon_total(&s->daemon, "destroyed"), CONNECTS, tally.longest_ms);
	if (tally.failed > 0)
		fail_msg("%u connects failed: %s", tally.failed, strerror(tally.first_error));
	assert_in_range(tally.longest_ms, 0, longest_ms());
	assert_true(daemon_total(&s->daemon, "destroyed") > CONNECTS / 5);
	stage_expect_challenges(0);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"without the daemon connects fail", without_the_daemon, 0, IN_ENFORCE},
		{"with the daemon none does", with_the_daemon, 0, IN_ENFORCE},
	};

	return stage_run("the original failure", tests, COUNT_OF(tests), argc, argv);
}
