/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify against a service manager's socket. */
#include "config.h"

#include "notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
/* Wants the headers above it. */
#include <cmocka.h>

static int manager = -1;

static void listen_on(const char *address)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (manager >= 0)
		close(manager);
	memcpy(un.sun_path, address, strlen(address));
	if (address[0] == '@')
		un.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(
		bind(manager, (const struct sockaddr *)&un,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address))),
		0);
	setenv("NOTIFY_SOCKET", address, 1);
}

static const char *heard(void)
{
	static char text[1024];
	ssize_t len = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void words_reach_the_manager(void **state)
{
	char dir[] = "/tmp/test_notify.XXXXXX", path[64], abstract[64], longest[109] = "@";

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(abstract, sizeof(abstract), "@test_notify.%d", (int)getpid());
	/* Every byte of an address may be used. */
	memset(longest + 1, 'x', sizeof(longest) - 2);
	snprintf(longest + 1, 12, "%011d", (int)getpid());
	longest[12] = 'x';
	for (int i = 0; i < 3; i++) {
		unsigned long long us;

		listen_on(((const char *[]){path, abstract, longest})[i]);
		notify_ready("all is well");
		assert_string_equal(heard(), "READY=1\nSTATUS=all is well");
		notify_stopping();
		assert_string_equal(heard(), "STOPPING=1");
		notify_watchdog();
		assert_string_equal(heard(), "WATCHDOG=1");
		notify_reloading();
		assert_int_equal(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
		assert_true(us > 0);
	}
	unlink(path);
	rmdir(dir);
}

static void nobody_is_told_where_nobody_asks(void **state)
{
	static const char *const addresses[] = {
		"", "@", "/", "relative", "vsock:2:1234", "/no/such/socket", NULL};
	char too_long[110] = "@";
	char abstract[64];

	(void)state;
	snprintf(abstract, sizeof(abstract), "@test_notify.%d", (int)getpid());
	listen_on(abstract);
	unsetenv("NOTIFY_SOCKET");
	notify_stopping();
	for (size_t i = 0; addresses[i]; i++) {
		setenv("NOTIFY_SOCKET", addresses[i], 1);
		notify_stopping();
	}
	memset(too_long + 1, 'x', sizeof(too_long) - 2);
	setenv("NOTIFY_SOCKET", too_long, 1);
	notify_stopping();
	assert_string_equal(heard(), "");
}

static void assert_watchdog(const char *usec, const char *pid, uint64_t us)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_us(), us);
}

static void the_watchdog_is_ours_or_nobodys(void **state)
{
	char self[16];

	(void)state;
	snprintf(self, sizeof(self), "%d", (int)getpid());
	assert_watchdog(NULL, NULL, 0);
	assert_watchdog("10000000", NULL, 10000000);
	assert_watchdog("10000000", self, 10000000);
	assert_watchdog("10000000", "1", 0);
	assert_watchdog("10000000", "", 0);
	assert_watchdog(NULL, self, 0);
	assert_watchdog("", self, 0);
	assert_watchdog("-1", self, 0);
	assert_watchdog("10s", self, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_reach_the_manager),
		cmocka_unit_test(nobody_is_told_where_nobody_asks),
		cmocka_unit_test(the_watchdog_is_ours_or_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
