/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostaddr against rtnetlink answers that the test writes. The linker puts the test's functions in
 * the place of libnfnetlink's table (--wrap, see local.mk).
 */
#include "config.h"

#include "hostaddr.h"
#include "tuple.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* Wants the headers above it. */
#include <cmocka.h>

#include "fakemnl.h"

static struct {
	struct hostaddr *host;
	bool no_table, no_answer;
	unsigned int tables, open_tables;
} t;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_access(const char *path, int mode);
struct nlif_handle *__wrap_nlif_open(void);
void __wrap_nlif_close(struct nlif_handle *table);
int __wrap_nlif_query(struct nlif_handle *table);
int __wrap_nlif_get_ifflags(const struct nlif_handle *table, unsigned int index,
			    unsigned int *flags);

/* Never looked into. */
static char the_table;

struct nlif_handle *__wrap_nlif_open(void)
{
	t.tables++;
	if (t.no_table)
		return NULL;
	t.open_tables++;
	return (struct nlif_handle *)&the_table;
}

void __wrap_nlif_close(struct nlif_handle *table)
{
	(void)table;
	t.open_tables--;
}

int __wrap_nlif_query(struct nlif_handle *table)
{
	(void)table;
	return t.no_answer ? -1 : 1;
}

/* Device 1 is lo, those up to 99 are others; 1 is success (libnfnetlink's iftable.c). */
int __wrap_nlif_get_ifflags(const struct nlif_handle *table, unsigned int index,
			    unsigned int *flags)
{
	(void)table;
	if (index > 99) {
		errno = ENOENT;
		return -1;
	}
	*flags = IFF_UP | (index == 1 ? IFF_LOOPBACK : 0);
	return 1;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	fakemnl_reset(NETLINK_ROUTE);
	return hostaddr_open(&t.host);
}

static int tear_down(void **state)
{
	(void)state;
	hostaddr_close(t.host);
	assert_int_equal(fakemnl.opened, fakemnl.closed);
	assert_int_equal(t.open_tables, 0);
	return 0;
}

static struct in6_addr address(const char *text)
{
	struct in6_addr addr;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return addr_from_v4(v4.s_addr);
	assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

/* The requests stay to be looked at. */
static void no_more_answers(void)
{
	fakemnl.n_answers = fakemnl.n_read = 0;
}

/* --- loopback devices ------------------------------------------------------------------------------ */

static void loopback_is_asked_for_once(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_true(hostaddr_is_loopback_device(t.host, 1));
		assert_false(hostaddr_is_loopback_device(t.host, 2));
		/* Not told: no device has this index. */
		assert_false(hostaddr_is_loopback_device(t.host, 0));
	}
	assert_int_equal(t.tables, 2);
}

/* For want of a descriptor, say: the next SYN asks again. */
static void what_was_not_told_is_not_kept(void **state)
{
	(void)state;
	t.no_table = true;
	assert_false(hostaddr_is_loopback_device(t.host, 1));
	t.no_table = false;
	t.no_answer = true;
	assert_false(hostaddr_is_loopback_device(t.host, 1));
	t.no_answer = false;
	assert_true(hostaddr_is_loopback_device(t.host, 1));
	assert_false(hostaddr_is_loopback_device(t.host, 100));
}

static void more_devices_than_are_kept(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint32_t index = 1; index < 40; index++)
			assert_int_equal(hostaddr_is_loopback_device(t.host, index), index == 1);
	}
	/* No free slot stands for index 0 any more; still nobody is asked. */
	t.tables = 0;
	assert_false(hostaddr_is_loopback_device(t.host, 0));
	assert_int_equal(t.tables, 0);
}

/* --- local addresses -------------------------------------------------------------------------------- */

/* seq: 0, or how far from the number of the question. */
static void add_route_to(uint32_t seq, unsigned char type)
{
	struct nlmsghdr *nlh = fakemnl_answer(RTM_NEWROUTE, 0, seq);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));

	route->rtm_type = type;
}

static void add_route(unsigned char type)
{
	add_route_to(0, type);
}

static bool ask_local(const char *text)
{
	const struct in6_addr addr = address(text);
	bool local = hostaddr_is_local(t.host, &addr);

	no_more_answers();
	return local;
}

static void a_local_route_makes_a_local_address(void **state)
{
	static const char *const hosts[] = {"10.0.0.1", "2001:db8::1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct in6_addr addr = address(hosts[i]);
		const struct nlmsghdr *nlh;
		const struct rtmsg *route;
		const struct nlattr *dst;
		size_t len = i == 0 ? 4 : 16;

		fakemnl_forget();
		add_route(RTN_LOCAL);
		assert_true(ask_local(hosts[i]));
		nlh = fakemnl_request(0);
		route = mnl_nlmsg_get_payload(nlh);
		dst = mnl_nlmsg_get_payload_offset(nlh, sizeof(*route));
		assert_int_equal(nlh->nlmsg_type, RTM_GETROUTE);
		assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
		assert_int_equal(route->rtm_family, i == 0 ? AF_INET : AF_INET6);
		assert_int_equal(route->rtm_dst_len, 8 * len);
		assert_int_equal(mnl_attr_get_type(dst), RTA_DST);
		assert_int_equal(mnl_attr_get_payload_len(dst), len);
		assert_memory_equal(mnl_attr_get_payload(dst), addr.s6_addr + 16 - len, len);

		add_route(RTN_UNICAST);
		assert_false(ask_local(hosts[i]));
		add_route(RTN_BROADCAST);
		assert_false(ask_local(hosts[i]));
	}
}

/* What is not known to be local is foreign, and left alone. */
static void no_answer_is_not_local(void **state)
{
	(void)state;
	assert_false(ask_local("10.0.0.1"));
	fakemnl_answer_error(-ENETUNREACH);
	assert_false(ask_local("10.0.0.1"));
	fakemnl_answer_error(0);
	assert_false(ask_local("10.0.0.1"));
	fakemnl_answer(RTM_NEWROUTE, 0, 0);
	assert_false(ask_local("10.0.0.1"));
	fakemnl_answer(RTM_NEWADDR, 0, 0);
	assert_false(ask_local("10.0.0.1"));
	fakemnl.send_error = ENOBUFS;
	add_route(RTN_LOCAL);
	assert_false(ask_local("10.0.0.1"));
}

static void a_late_answer_is_passed_over(void **state)
{
	(void)state;
	/* The question before this one timed out, and its answer comes now. */
	assert_false(ask_local("10.0.0.1"));
	add_route_to(-1U, RTN_LOCAL);
	add_route(RTN_UNICAST);
	assert_false(ask_local("192.0.2.1"));
	add_route_to(-1U, RTN_UNICAST);
	add_route(RTN_LOCAL);
	assert_true(ask_local("10.0.0.1"));
}

/* --- interfaces of link-local addresses ------------------------------------------------------------- */

/* As inet6_fill_ifaddr() does it: with a peer, IFA_ADDRESS is the peer's and IFA_LOCAL is ours. */
static void add_address(unsigned int ifindex, const char *own, const char *peer)
{
	struct nlmsghdr *nlh = fakemnl_answer(RTM_NEWADDR, NLM_F_MULTI, 0);
	struct ifaddrmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	const struct in6_addr addr = address(own);

	msg->ifa_family = AF_INET6;
	msg->ifa_index = ifindex;
	if (peer) {
		const struct in6_addr peer_addr = address(peer);

		mnl_attr_put(nlh, IFA_LOCAL, sizeof(addr), &addr);
		mnl_attr_put(nlh, IFA_ADDRESS, sizeof(peer_addr), &peer_addr);
	} else {
		mnl_attr_put(nlh, IFA_ADDRESS, sizeof(addr), &addr);
	}
}

static void add_done(void)
{
	mnl_nlmsg_put_extra_header(fakemnl_answer(NLMSG_DONE, NLM_F_MULTI, 0), sizeof(int));
}

static uint32_t ask_interface(const char *text)
{
	const struct in6_addr addr = address(text);
	uint32_t ifindex = hostaddr_interface(t.host, &addr);

	no_more_answers();
	return ifindex;
}

static void the_only_owner_is_told(void **state)
{
	(void)state;
	add_address(1, "::1", NULL);
	add_address(3, "fe80::1", NULL);
	add_address(4, "fe80::2", NULL);
	add_done();
	assert_int_equal(ask_interface("fe80::1"), 3);

	add_address(3, "fe80::1", NULL);
	add_done();
	assert_int_equal(ask_interface("fe80::9"), 0);

	/* fe80::1 on every bridge: nothing says which is meant. */
	add_address(3, "fe80::1", NULL);
	add_address(4, "fe80::1", NULL);
	add_done();
	assert_int_equal(ask_interface("fe80::1"), 0);
}

static void the_peer_does_not_own_its_address(void **state)
{
	(void)state;
	add_address(2, "fe80::77", "fe80::78");
	add_done();
	assert_int_equal(ask_interface("fe80::77"), 2);
	add_address(2, "fe80::77", "fe80::78");
	add_done();
	assert_int_equal(ask_interface("fe80::78"), 0);
}

/* Attributes in the other order, and of other sizes. */
static void attributes_are_read_as_they_come(void **state)
{
	const struct in6_addr own = address("fe80::77"), peer = address("fe80::78");
	struct nlmsghdr *nlh;

	(void)state;
	add_address(2, "fe80::78", NULL);
	nlh = (void *)fakemnl.answers[0].bytes;
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(own), &own);
	mnl_attr_put(nlh, IFA_ADDRESS, sizeof(peer), &peer);
	mnl_attr_put(nlh, IFA_LOCAL, 4, &peer);
	add_done();
	assert_int_equal(ask_interface("fe80::77"), 2);
}

static void half_a_list_is_no_list(void **state)
{
	(void)state;
	add_address(3, "fe80::1", NULL);
	assert_int_equal(ask_interface("fe80::1"), 0);
	add_address(3, "fe80::1", NULL);
	fakemnl_answer_error(-ENOMEM);
	assert_int_equal(ask_interface("fe80::1"), 0);
	add_address(3, "fe80::1", NULL);
	fakemnl_answer(RTM_NEWADDR, NLM_F_MULTI | NLM_F_DUMP_INTR, 0);
	add_done();
	assert_int_equal(ask_interface("fe80::1"), 0);
	fakemnl.send_error = ENOBUFS;
	assert_int_equal(ask_interface("fe80::1"), 0);
}

/* --- settings ----------------------------------------------------------------------------------------- */

/* What /proc/sys/net holds; NULL: no such file. */
static struct {
	bool hidden; /* all of /proc/sys */
	int error;   /* of opening any file */
	const char *count, *fin_timeout, *fin_wait, *close_wait;
} sys;

int __wrap_open(const char *path, int flags, ...)
{
	const char *text = NULL;
	int ends[2];

	if (strncmp(path, "/proc/sys/", strlen("/proc/sys/")) != 0) {
		va_list ap;
		mode_t mode;

		/* What counts lines writes its files at the end. */
		va_start(ap, flags);
		mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
		va_end(ap);
		return __real_open(path, flags, mode);
	}
	assert_int_equal(flags, O_RDONLY | O_CLOEXEC);
	if (!strcmp(path, "/proc/sys/net/netfilter/nf_conntrack_count"))
		text = sys.count;
	if (!strcmp(path, "/proc/sys/net/ipv4/tcp_fin_timeout"))
		text = sys.fin_timeout;
	if (!strcmp(path, "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_fin_wait"))
		text = sys.fin_wait;
	if (!strcmp(path, "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait"))
		text = sys.close_wait;
	errno = sys.error ? sys.error : ENOENT;
	if (!text || sys.error)
		return -1;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	close(ends[1]);
	return ends[0];
}

int __wrap_access(const char *path, int mode)
{
	assert_string_equal(path, "/proc/sys/net");
	assert_int_equal(mode, F_OK);
	errno = ENOENT;
	return sys.hidden ? -1 : 0;
}

static void tracking_is_at_work_unless_it_certainly_is_not(void **state)
{
	(void)state;
	memset(&sys, 0, sizeof(sys));
	assert_false(hostaddr_tracks_connections());
	sys.hidden = true;
	assert_true(hostaddr_tracks_connections());
	sys.hidden = false;
	sys.count = "0\n";
	assert_false(hostaddr_tracks_connections());
	sys.count = "7\n";
	assert_true(hostaddr_tracks_connections());
	sys.count = "what?\n";
	assert_true(hostaddr_tracks_connections());
	sys.error = EMFILE;
	assert_true(hostaddr_tracks_connections());
}

static void what_is_not_known_is_the_kernels_default(void **state)
{
	(void)state;
	memset(&sys, 0, sizeof(sys));
	sys.hidden = true;
	assert_int_equal(hostaddr_fin_timeout_ms(), 60000);
	assert_int_equal(hostaddr_remembered_ms(), 120000);
	sys.hidden = false;
	sys.fin_timeout = "2\n";
	assert_int_equal(hostaddr_fin_timeout_ms(), 2000);
	sys.fin_wait = "30\n";
	sys.close_wait = "40\n";
	assert_int_equal(hostaddr_remembered_ms(), 0);
	sys.count = "1\n";
	assert_int_equal(hostaddr_remembered_ms(), 40000);
	sys.close_wait = "20\n";
	assert_int_equal(hostaddr_remembered_ms(), 30000);
}

/* --- opening ------------------------------------------------------------------------------------------ */

static void opening_fails_cleanly(void **state)
{
	struct hostaddr *host = NULL;

	(void)state;
	fakemnl_reset(NETLINK_ROUTE);
	fakemnl.no_socket = true;
	assert_int_equal(hostaddr_open(&host), -EMFILE);
	fakemnl.no_socket = false;
	fakemnl.no_bind = true;
	assert_int_equal(hostaddr_open(&host), -EADDRINUSE);
	assert_null(host);
	assert_int_equal(fakemnl.opened, fakemnl.closed);
	hostaddr_close(NULL);
}

#define HOSTADDR_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTADDR_TEST(loopback_is_asked_for_once),
		HOSTADDR_TEST(what_was_not_told_is_not_kept),
		HOSTADDR_TEST(more_devices_than_are_kept),
		HOSTADDR_TEST(a_local_route_makes_a_local_address),
		HOSTADDR_TEST(no_answer_is_not_local),
		HOSTADDR_TEST(a_late_answer_is_passed_over),
		HOSTADDR_TEST(the_only_owner_is_told),
		HOSTADDR_TEST(the_peer_does_not_own_its_address),
		HOSTADDR_TEST(attributes_are_read_as_they_come),
		HOSTADDR_TEST(half_a_list_is_no_list),
		cmocka_unit_test(tracking_is_at_work_unless_it_certainly_is_not),
		cmocka_unit_test(what_is_not_known_is_the_kernels_default),
		cmocka_unit_test(opening_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
