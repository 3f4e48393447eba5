/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of control and sockfile: real sockets in a temporary folder, good and bad clients. */
#include "config.h"

#include "control.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The clock of the code under test, put forward by hand (linked with --wrap=clock_gettime). */
static time_t clock_ahead;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int err = __real_clock_gettime(clock, ts);

	ts->tv_sec += clock_ahead;
	return err;
}

/* Not by a lower limit, which valgrind, with descriptors of its own, does not enforce. */
static bool out_of_descriptors;

int __real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	if (!out_of_descriptors)
		return __real_accept4(fd, address, len, flags);
	errno = EMFILE;
	return -1;
}

/* What the owner of the folder puts in the place of all that is made there: a link to this file. */
static const char *link_target;
static int (*make_link)(const char *target, const char *path); /* link() or symlink() */

int __real_bind(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	const char *path = ((const struct sockaddr_un *)(const void *)address)->sun_path;
	int err = __real_bind(fd, address, len);

	if (link_target) {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(make_link(link_target, path), 0);
	}
	return err;
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);

int __wrap_mkdir(const char *path, mode_t mode)
{
	int err = __real_mkdir(path, mode);

	if (link_target && err == 0) {
		assert_int_equal(rmdir(path), 0);
		assert_int_equal(make_link(link_target, path), 0);
	}
	return err;
}

struct fixture {
	char folder[64];
	char path[96];
	struct control *control;
	unsigned int calls; /* of the handler */
	struct control_caller caller;
};

/* --- the daemon's side ------------------------------------------------------------------------*/

static void handle(void *ctx, const struct control_caller *caller, const char *request,
		   const json_t *arguments)
{
	struct fixture *f = ctx;

	f->calls++;
	f->caller = *caller;
	if (strcmp(request, "echo") == 0) {
		control_answer(f->control, caller->client,
			       json_pack("{s:O}", "echo", json_object_get(arguments, "what")));
	} else if (strcmp(request, "items") == 0) {
		control_line(f->control, caller->client, "{\"item\":1}");
		control_line(f->control, caller->client, "{\"item\":2}");
		control_answer(f->control, caller->client, json_object());
	} else if (strcmp(request, "long") == 0) {
		char *text = malloc(200001);

		memset(text, 'x', 200000);
		text[200000] = '\0';
		control_answer(f->control, caller->client, json_pack("{s:s}", "long", text));
		free(text);
	} else if (strcmp(request, "endless") == 0) {
		char line[1024];

		memset(line, '1', sizeof(line) - 1);
		line[sizeof(line) - 1] = '\0';
		for (size_t n = 0; n <= CONTROL_ANSWER_MAX; n += sizeof(line))
			control_line(f->control, caller->client, line);
		control_answer(f->control, caller->client, json_object());
	} else if (strcmp(request, "follow") == 0) {
		control_follow(f->control, caller->client);
		control_answer(f->control, caller->client, json_object());
	} else if (strcmp(request, "follow nobody") == 0) {
		control_follow(f->control, caller->client);
		control_refuse(f->control, caller->client, CONTROL_FAILED, "nobody");
	} else if (strcmp(request, "later") != 0) {
		control_refuse(f->control, caller->client, CONTROL_FAILED, "no \"%s\" here",
			       request);
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char error[CONTROL_ERROR_SIZE];

	clock_ahead = 0;
	strcpy(f->folder, "/tmp/closewaitd-test-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/control.sock", f->folder);
	if (control_open(f->path, SOCKFILE_KEEP_USER, "", handle, f, &f->control, error) < 0) {
		print_error("%s\n", error);
		return -1;
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	control_close(f->control);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* Lets the daemon's side do everything it can do now. */
static void work(struct fixture *f)
{
	struct pollfd pfd = {.fd = control_fd(f->control), .events = POLLIN};

	while (poll(&pfd, 1, 0) > 0)
		control_work(f->control);
}

/* --- the client's side ------------------------------------------------------------------------*/

static int dial(const char *path)
{
	const struct timeval patience = {.tv_sec = 5};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, path);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Connected and accepted. */
static int client(struct fixture *f)
{
	int fd = dial(f->path);

	work(f);
	return fd;
}

static void say(struct fixture *f, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	work(f);
}

/* The next line, newline taken away; "" at the end. */
static const char *hear(struct fixture *f, int fd, char *line, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		ssize_t got = recv(fd, line + len, 1, MSG_DONTWAIT);

		if (got < 0 && errno == EAGAIN) {
			struct pollfd pfd = {.fd = fd, .events = POLLIN};

			work(f);
			assert_int_equal(poll(&pfd, 1, 5000), 1);
			continue;
		}
		if (got <= 0 || line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return line;
}

static void expect(struct fixture *f, int fd, const char *wanted)
{
	char line[1024];

	assert_string_equal(hear(f, fd, line, sizeof(line)), wanted);
}

static bool is_silent(struct fixture *f, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	work(f);
	return poll(&pfd, 1, 0) == 0;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#define ECHO(what) "{\"version\":1,\"request\":\"echo\",\"what\":" what "}\n"

/* --- requests and answers ---------------------------------------------------------------------*/

static void test_answers(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	say(f, fd, ECHO("[1,\"a\"]"));
	expect(f, fd, "{\"echo\":[1,\"a\"],\"ok\":true,\"version\":1}");
	say(f, fd, "{\"version\":1,\"request\":\"items\"}\n");
	expect(f, fd, "{\"item\":1}");
	expect(f, fd, "{\"item\":2}");
	expect(f, fd, "{\"ok\":true,\"version\":1}");
	say(f, fd, "{\"version\":1,\"request\":\"nothing\"}\n");
	expect(f, fd,
	       "{\"ok\":false,\"code\":\"failed\",\"error\":\"no \\\"nothing\\\" here\","
	       "\"version\":1}");
	say(f, fd, ECHO("true"));
	expect(f, fd, "{\"echo\":true,\"ok\":true,\"version\":1}");
	close(fd);
}

static void test_takes_pieces_and_heaps(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	say(f, fd, "{\"version\":1,\"requ");
	assert_true(is_silent(f, fd));
	say(f, fd, "est\":\"echo\",\"what\":1}\n" ECHO("2") ECHO("3") "{\"vers");
	expect(f, fd, "{\"echo\":1,\"ok\":true,\"version\":1}");
	expect(f, fd, "{\"echo\":2,\"ok\":true,\"version\":1}");
	expect(f, fd, "{\"echo\":3,\"ok\":true,\"version\":1}");
	say(f, fd, "ion\":1,\"request\":\"echo\",\"what\":4}\n");
	expect(f, fd, "{\"echo\":4,\"ok\":true,\"version\":1}");
	close(fd);
}

static void test_answers_later(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);
	uint64_t id;

	say(f, fd, "{\"version\":1,\"request\":\"later\"}\n" ECHO("2"));
	assert_int_equal(f->calls, 1);
	assert_true(is_silent(f, fd));
	control_answer(f->control, f->caller.client, json_object());
	expect(f, fd, "{\"ok\":true,\"version\":1}");
	expect(f, fd, "{\"echo\":2,\"ok\":true,\"version\":1}");

	say(f, fd, "{\"version\":1,\"request\":\"later\"}\n");
	id = f->caller.client;
	close(fd);
	work(f);
	fd = client(f); /* has the same place, and is somebody else */
	control_line(f->control, id, "{}");
	control_answer(f->control, id, json_object());
	control_refuse(f->control, id, CONTROL_FAILED, "nobody hears this");
	control_follow(f->control, id);
	assert_true(is_silent(f, fd));
	say(f, fd, ECHO("5"));
	expect(f, fd, "{\"echo\":5,\"ok\":true,\"version\":1}");
	close(fd);
}

static void test_half_closed(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	say(f, fd, ECHO("1") ECHO("2") "{\"unfinished");
	shutdown(fd, SHUT_WR);
	expect(f, fd, "{\"echo\":1,\"ok\":true,\"version\":1}");
	expect(f, fd, "{\"echo\":2,\"ok\":true,\"version\":1}");
	expect(f, fd, "");
	close(fd);
}

static void test_too_long_an_answer(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	say(f, fd, "{\"version\":1,\"request\":\"endless\"}\n");
	expect(f, fd, "");
	close(fd);
}

/* --- bad clients ------------------------------------------------------------------------------*/

static void test_refuses_what_is_no_request(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"\n",
		"hello\n",
		"GET /metrics HTTP/1.1\r\n",
		"{\"version\":1,\"request\":\"echo\"\n",
		"{\"version\":1,\"request\":\"echo\"} {}\n",
		"{\"version\":1,\"version\":1,\"request\":\"echo\"}\n",
		"{\"version\":1,\"request\":\"\xff\"}\n",
		"{\"version\":1,\"request\":\"\\u00\xc6\x9d\x89\"}\n",
		"[]\n",
		"1\n",
		"\"echo\"\n",
		"{}\n",
		"{\"request\":\"echo\"}\n",
		"{\"version\":2,\"request\":\"echo\"}\n",
		"{\"version\":\"1\",\"request\":\"echo\"}\n",
		"{\"version\":1}\n",
		"{\"version\":1,\"request\":7}\n",
		"{\"version\":1,\"request\":null}\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int fd = client(f);
		char line[1024];

		say(f, fd, bad[i]);
		hear(f, fd, line, sizeof(line));
		if (strncmp(line, "{\"ok\":false,\"code\":\"bad-request\",\"error\":\"", 41) != 0)
			fail_msg("%s was answered: %s", bad[i], line);
		expect(f, fd, "");
		close(fd);
	}
	assert_int_equal(f->calls, 0);
}

static void test_nested_deeply(void **state)
{
	struct fixture *f = *state;
	char text[CONTROL_REQUEST_MAX + 1];
	int fd = client(f);
	char line[1024];

	memset(text, '[', CONTROL_REQUEST_MAX - 1);
	text[CONTROL_REQUEST_MAX - 1] = '\n';
	text[CONTROL_REQUEST_MAX] = '\0';
	say(f, fd, text);
	assert_non_null(strstr(hear(f, fd, line, sizeof(line)), "bad-request"));
	close(fd);
}

/* A request of exactly size bytes, newline included. */
static char *request_of(size_t size)
{
	static const char head[] = "{\"version\":1,\"request\":\"echo\",\"what\":7,\"pad\":\"";
	char *text = malloc(size + 1);

	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	strcpy(text + size - 3, "\"}\n");
	return text;
}

static void test_length_of_a_request(void **state)
{
	struct fixture *f = *state;
	char *most = request_of(CONTROL_REQUEST_MAX);
	char *more = request_of(CONTROL_REQUEST_MAX + 1);
	int fd = client(f);

	say(f, fd, most);
	expect(f, fd, "{\"echo\":7,\"ok\":true,\"version\":1}");
	say(f, fd, more);
	expect(f, fd,
	       "{\"ok\":false,\"code\":\"bad-request\",\"error\":\"a request is one line of at most "
	       "4096 bytes\",\"version\":1}");
	expect(f, fd, "");
	assert_int_equal(f->calls, 1);
	close(fd);
	free(most);
	free(more);
}

static void test_megabyte_without_newline(void **state)
{
	struct fixture *f = *state;
	char block[65536];
	int fd = client(f);
	char line[1024];
	size_t sent = 0;

	memset(block, '{', sizeof(block));
	while (sent < 1048576) {
		ssize_t n = send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EPIPE)
			break; /* turned out before it had said everything */
		if (n > 0)
			sent += (size_t)n;
		work(f);
	}
	assert_non_null(strstr(hear(f, fd, line, sizeof(line)), "at most 4096 bytes"));
	assert_int_equal(f->calls, 0);
	close(fd);
}

static void test_garbage(void **state)
{
	struct fixture *f = *state;
	struct unit_random random = {1};
	unsigned int before = count_fds();

	for (int i = 0; i < 300; i++) {
		int fd = client(f);
		char bytes[6000];
		size_t len = unit_random_below(&random, sizeof(bytes));

		for (size_t k = 0; k < len; k++)
			bytes[k] = (char)unit_random(&random);
		send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (i % 2)
			work(f);
		close(fd); /* in the middle of whatever it was */
		work(f);
	}
	assert_int_equal(count_fds(), before);
	test_answers(state);
}

static void test_does_not_read(void **state)
{
	struct fixture *f = *state;
	static const char request[] = "{\"version\":1,\"request\":\"long\"}\n";
	char heap[100 * sizeof(request)] = "";
	int fd = client(f);
	int other;

	/* As many requests as the socket takes, the first hundred at once; each answer has 200 kB. */
	for (int i = 0; i < 100; i++)
		strcat(heap, request);
	say(f, fd, heap);
	while (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		work(f);
	assert_in_range(f->calls, 1, 5);
	other = client(f);
	say(f, other, ECHO("1"));
	expect(f, other, "{\"echo\":1,\"ok\":true,\"version\":1}");
	close(other);
	close(fd);
	work(f);
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	unsigned int before = count_fds();
	int fds[100];
	unsigned int turned_away = 0;

	for (size_t i = 0; i < 100; i++)
		fds[i] = client(f);
	for (size_t i = 0; i < 100; i++) {
		if (is_silent(f, fds[i])) {
			say(f, fds[i], ECHO("1"));
			expect(f, fds[i], "{\"echo\":1,\"ok\":true,\"version\":1}");
		} else {
			turned_away++;
			expect(f, fds[i],
			       "{\"ok\":false,\"code\":\"busy\",\"error\":\"too many clients\","
			       "\"version\":1}");
			expect(f, fds[i], "");
		}
	}
	assert_int_equal(turned_away, 100 - CONTROL_CLIENTS_MAX);
	for (size_t i = 0; i < 100; i++)
		close(fds[i]);
	work(f);
	assert_int_equal(count_fds(), before);
}

/* Those who have left before somebody comes do not stand in the way. */
static void test_leavers_make_room(void **state)
{
	struct fixture *f = *state;
	int fds[CONTROL_CLIENTS_MAX];
	int newcomer;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fds[i] = client(f);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	newcomer = client(f);
	assert_true(is_silent(f, newcomer));
	close(newcomer);

	/* Also if the listening socket was the first to call. */
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fds[i] = client(f);
	newcomer = dial(f->path);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	assert_true(is_silent(f, newcomer));
	close(newcomer);
}

/* A burst: all who have left are looked after before one who stays is turned away. */
static void test_a_burst_of_leavers_makes_room(void **state)
{
	struct fixture *f = *state;
	int newcomer;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX + 8; i++) {
		int fd = dial(f->path);

		assert_int_equal(send(fd, ECHO("1"), strlen(ECHO("1")), MSG_NOSIGNAL),
				 strlen(ECHO("1")));
		close(fd);
	}
	newcomer = dial(f->path);
	assert_int_equal(send(newcomer, ECHO("2"), strlen(ECHO("2")), MSG_NOSIGNAL),
			 strlen(ECHO("2")));
	expect(f, newcomer, "{\"echo\":2,\"ok\":true,\"version\":1}");
	close(newcomer);
	work(f);
}

static void test_idle_gives_way(void **state)
{
	struct fixture *f = *state;
	int fds[CONTROL_CLIENTS_MAX];
	int newcomer;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fds[i] = client(f);
	say(f, fds[0], "{\"version\":1,\"request\":\"follow\"}\n");
	expect(f, fds[0], "{\"ok\":true,\"version\":1}");
	clock_ahead = 5;
	say(f, fds[1], ECHO("1"));
	expect(f, fds[1], "{\"echo\":1,\"ok\":true,\"version\":1}");
	newcomer = client(f);
	assert_false(is_silent(f, newcomer));
	close(newcomer);

	clock_ahead = 11;
	newcomer = client(f);
	assert_true(is_silent(f, newcomer));
	assert_true(is_silent(f, fds[0])); /* follows, and nothing has happened */
	assert_true(is_silent(f, fds[1])); /* 6 s are not idle */
	expect(f, fds[2], "");
	assert_true(is_silent(f, fds[3])); /* one place was needed */
	close(newcomer);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
}

/* With no descriptor left the loop must not spin, and must find the client once there is one. */
static void test_out_of_descriptors(void **state)
{
	struct fixture *f = *state;
	struct pollfd pfd = {.fd = control_fd(f->control), .events = POLLIN};
	int waiting = dial(f->path);
	int other;

	out_of_descriptors = true;
	control_work(f->control);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	out_of_descriptors = false;
	other = client(f);
	say(f, waiting, ECHO("1"));
	expect(f, waiting, "{\"echo\":1,\"ok\":true,\"version\":1}");
	close(waiting);
	close(other);
}

/* --- followers --------------------------------------------------------------------------------*/

static void test_follows(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);
	int other = client(f);

	assert_false(control_is_followed(f->control));
	control_publish(f->control, "{\"n\":0}");
	say(f, fd, "{\"version\":1,\"request\":\"follow nobody\"}\n");
	expect(f, fd, "{\"ok\":false,\"code\":\"failed\",\"error\":\"nobody\",\"version\":1}");
	assert_false(control_is_followed(f->control));
	say(f, fd, "{\"version\":1,\"request\":\"follow\"}\n");
	expect(f, fd, "{\"ok\":true,\"version\":1}");
	assert_true(control_is_followed(f->control));
	control_publish(f->control, "{\"n\":1}");
	control_publish(f->control, "{\"n\":2}");
	expect(f, fd, "{\"n\":1}");
	expect(f, fd, "{\"n\":2}");
	assert_true(is_silent(f, other));

	say(f, fd, ECHO("1"));
	expect(f, fd,
	       "{\"ok\":false,\"code\":\"bad-request\",\"error\":\"a client that follows events "
	       "cannot ask\",\"version\":1}");
	expect(f, fd, "");
	assert_false(control_is_followed(f->control));
	close(fd);
	close(other);
}

static void test_follower_leaves(void **state)
{
	struct fixture *f = *state;
	unsigned int before = count_fds();
	int fd = client(f);

	say(f, fd, "{\"version\":1,\"request\":\"follow\"}\n");
	shutdown(fd, SHUT_WR); /* has nothing more to say and still listens */
	expect(f, fd, "{\"ok\":true,\"version\":1}");
	control_publish(f->control, "{\"n\":1}");
	expect(f, fd, "{\"n\":1}");
	close(fd);
	work(f);
	assert_false(control_is_followed(f->control));
	assert_int_equal(count_fds(), before);
}

static void test_slow_follower(void **state)
{
	struct fixture *f = *state;
	const unsigned int published = 20000;
	unsigned int received = 0, missed = 0, reports = 0;
	int fd = client(f);
	char line[256];

	say(f, fd, "{\"version\":1,\"request\":\"follow\"}\n");
	expect(f, fd, "{\"ok\":true,\"version\":1}");
	for (unsigned int n = 0; n < published; n++) {
		snprintf(line, sizeof(line), "{\"n\":%u,\"pad\":\"%0100d\"}", n, 0);
		control_publish(f->control, line);
		if (n % 100 == 0)
			work(f);
	}
	/* What it gets is in order, with the gap where it was, and the numbers add up. */
	while (received + missed < published) {
		unsigned int n;

		hear(f, fd, line, sizeof(line));
		if (sscanf(line, "{\"missed\":%u}", &n) == 1) {
			missed += n;
			reports++;
		} else {
			assert_int_equal(sscanf(line, "{\"n\":%u,", &n), 1);
			assert_int_equal(n, received + missed);
			received++;
		}
	}
	assert_true(missed > published / 2);
	assert_int_equal(reports, 1);
	control_publish(f->control, "{\"last\":1}");
	expect(f, fd, "{\"last\":1}");
	close(fd);
}

/* --- who may ----------------------------------------------------------------------------------*/

/* Asks as another user from a child: was that one taken for trusted? */
static bool is_trusted(struct fixture *f, uid_t uid, gid_t gid, const gid_t *groups, size_t n)
{
	unsigned int calls = f->calls;
	pid_t child = fork();
	int status;

	if (child == 0) {
		int fd;

		if (setgroups(n, groups) < 0 || setresgid(gid, gid, gid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(1);
		fd = dial(f->path);
		if (send(fd, ECHO("1"), strlen(ECHO("1")), 0) < 0)
			_exit(1);
		recv(fd, &status, sizeof(status), 0);
		_exit(0);
	}
	while (f->calls == calls) {
		struct pollfd pfd = {.fd = control_fd(f->control), .events = POLLIN};

		assert_int_equal(poll(&pfd, 1, 5000), 1);
		work(f);
	}
	work(f);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(f->caller.uid, uid);
	assert_int_equal(f->caller.pid, child);
	return f->caller.trusted;
}

static void test_trust(void **state)
{
	struct fixture *f = *state;
	char error[CONTROL_ERROR_SIZE];
	struct group *group = getgrgid(1);
	gid_t many[70];
	struct stat st;

	if (geteuid() != 0 || !group)
		skip();
	control_close(f->control);
	assert_int_equal(control_open(f->path, 1234, group->gr_name, handle, f, &f->control, error),
			 0);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 1);

	/* From here on everybody may connect: what is asked is who may change things. */
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(chmod(f->folder, 0755), 0);
	for (size_t i = 0; i < 70; i++)
		many[i] = (gid_t)(1000 + i);
	assert_true(is_trusted(f, 0, 0, NULL, 0));
	assert_true(is_trusted(f, 1234, 1, NULL, 0));
	assert_true(is_trusted(f, 1234, 1234, &(gid_t){1}, 1));
	assert_false(is_trusted(f, 1234, 1234, NULL, 0));
	assert_false(is_trusted(f, 1234, 1234, many, 70));
	many[69] = 1;
	assert_true(is_trusted(f, 1234, 1234, many, 70));
}

static void test_no_such_group(void **state)
{
	struct fixture *f = *state;
	char error[CONTROL_ERROR_SIZE];
	struct control *other = NULL;

	assert_int_equal(control_open("/nonexistent/x", SOCKFILE_KEEP_USER, "no-such-group-here",
				      handle, f, &other, error),
			 -ENOENT);
	assert_string_equal(error, "control.group: group \"no-such-group-here\": there is none of "
				   "that name");
	assert_null(other);
}

/* --- the file ---------------------------------------------------------------------------------*/

static void test_living_socket_is_kept(void **state)
{
	struct fixture *f = *state;
	char error[SOCKFILE_ERROR_SIZE], wanted[256];
	struct sockfile *file = NULL;
	int fd;

	snprintf(wanted, sizeof(wanted),
		 "%s: process %d answers there already: stop it, or choose another control.socket",
		 f->path, (int)getpid());
	assert_int_equal(
		sockfile_open(f->path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &file, error),
		-EADDRINUSE);
	assert_string_equal(error, wanted);
	fd = client(f);
	say(f, fd, ECHO("1"));
	expect(f, fd, "{\"echo\":1,\"ok\":true,\"version\":1}");
	close(fd);
}

static void test_dead_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char error[SOCKFILE_ERROR_SIZE];
	struct sockfile *file = NULL;
	mode_t mask = umask(0);
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dead", f->folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(sockfile_open(address.sun_path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP,
				       &file, error),
			 0);
	umask(mask);
	assert_int_equal(lstat(address.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	close(dial(address.sun_path));
	sockfile_close(file);
	assert_int_equal(lstat(address.sun_path, &st), -1);
}

static void test_other_file_is_kept(void **state)
{
	struct fixture *f = *state;
	char error[SOCKFILE_ERROR_SIZE], path[128];
	struct sockfile *file = NULL;
	int fd;

	snprintf(path, sizeof(path), "%s/file", f->folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(sockfile_open(path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &file, error),
			 -EEXIST);
	assert_non_null(strstr(error, "is no socket"));
	assert_int_equal(unlink(path), 0);
}

static void test_successor_is_kept(void **state)
{
	struct fixture *f = *state;
	char error[SOCKFILE_ERROR_SIZE], path[128];
	struct sockfile *first = NULL, *second = NULL;
	struct stat st;

	snprintf(path, sizeof(path), "%s/twice", f->folder);
	assert_int_equal(
		sockfile_open(path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &first, error), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
		sockfile_open(path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &second, error), 0);
	sockfile_close(first);
	assert_int_equal(lstat(path, &st), 0);
	sockfile_close(second);
	assert_int_equal(lstat(path, &st), -1);
}

/* Whatever the process's own is, and that stays. */
static void test_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	struct fixture *f = *state;
	char error[SOCKFILE_ERROR_SIZE], path[128];
	mode_t before = umask(0);

	snprintf(path, sizeof(path), "%s/masked", f->folder);
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		struct sockfile *file = NULL;
		struct stat st;

		umask(masks[i]);
		assert_int_equal(
			sockfile_open(path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &file, error),
			0);
		assert_int_equal(umask(before), masks[i]);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0660);
		sockfile_close(file);
	}
}

/* name is made, or the folder above it, and at once replaced by a link of either kind. */
static void check_replaced(const struct fixture *f, const char *name, int wanted)
{
	char error[SOCKFILE_ERROR_SIZE], path[128], other[128];
	uid_t user = geteuid() == 0 ? 1234 : geteuid();
	struct sockfile *file = NULL;
	struct stat before, after;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	snprintf(other, sizeof(other), "%s/other", f->folder);
	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &before), 0);
	link_target = other;
	assert_int_equal(sockfile_open(path, user, getegid(), &file, error), wanted);
	link_target = NULL;
	assert_non_null(strstr(error, f->folder));
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	close(fd);
	assert_int_equal(unlink(other), 0);
	/* What is there is not the daemon's to remove. */
	if (strchr(name, '/'))
		*strrchr(path, '/') = '\0';
	assert_int_equal(unlink(path), 0);
}

static void test_what_replaces_it_is_not_given_away(void **state)
{
	struct fixture *f = *state;

	make_link = symlink;
	check_replaced(f, "swapped", -EEXIST);
	check_replaced(f, "folder/socket", -ENOTDIR);
	make_link = link;
	check_replaced(f, "swapped", -EEXIST);
	check_replaced(f, "folder/socket", -ENOTDIR);
}

static void test_nor_is_another_socket(void **state)
{
	struct fixture *f = *state;
	char error[SOCKFILE_ERROR_SIZE], path[128];
	struct sockfile *file = NULL;
	struct stat before, after;

	snprintf(path, sizeof(path), "%s/swapped", f->folder);
	assert_int_equal(lstat(f->path, &before), 0);
	make_link = link;
	link_target = f->path;
	assert_int_equal(
		sockfile_open(path, geteuid() == 0 ? 1234 : geteuid(), getegid(), &file, error),
		-EEXIST);
	link_target = NULL;
	assert_int_equal(lstat(f->path, &after), 0);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(unlink(path), 0);
}

static void test_folders(void **state)
{
	struct fixture *f = *state;
	char error[SOCKFILE_ERROR_SIZE], path[256];
	uid_t user = geteuid() == 0 ? 1234 : geteuid();
	struct sockfile *file = NULL;
	struct stat st;

	snprintf(path, sizeof(path), "%s/one/two/sock", f->folder);
	assert_int_equal(sockfile_open(path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &file, error),
			 -ENOENT);
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "create its folder"));

	snprintf(path, sizeof(path), "%s/one/sock", f->folder);
	assert_int_equal(sockfile_open(path, user, SOCKFILE_KEEP_GROUP, &file, error), 0);
	sockfile_close(file);
	snprintf(path, sizeof(path), "%s/one", f->folder);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_uid, user);
	assert_int_equal(rmdir(path), 0);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(sockfile_open(path, SOCKFILE_KEEP_USER, SOCKFILE_KEEP_GROUP, &file, error),
			 -ENAMETOOLONG);
	assert_non_null(strstr(error, "at most 107 bytes"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_takes_pieces_and_heaps),
		TEST(test_answers_later),
		TEST(test_half_closed),
		TEST(test_too_long_an_answer),
		TEST(test_refuses_what_is_no_request),
		TEST(test_nested_deeply),
		TEST(test_length_of_a_request),
		TEST(test_megabyte_without_newline),
		TEST(test_garbage),
		TEST(test_does_not_read),
		TEST(test_too_many),
		TEST(test_leavers_make_room),
		TEST(test_a_burst_of_leavers_makes_room),
		TEST(test_idle_gives_way),
		TEST(test_out_of_descriptors),
		TEST(test_follows),
		TEST(test_follower_leaves),
		TEST(test_slow_follower),
		TEST(test_trust),
		TEST(test_no_such_group),
		TEST(test_living_socket_is_kept),
		TEST(test_dead_socket_is_replaced),
		TEST(test_other_file_is_kept),
		TEST(test_successor_is_kept),
		TEST(test_umask),
		TEST(test_what_replaces_it_is_not_given_away),
		TEST(test_nor_is_another_socket),
		TEST(test_folders),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
