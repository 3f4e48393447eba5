/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asked for collisions and link-local addresses only, so nothing is cached but the few interface
 * indices; the kernel does not give an index to a second interface (dev_index_reserve()).
 */
#include "config.h"

#include "hostaddr.h"
#include "tuple.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnfnetlink/libnfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Interfaces that SYNs were seen on: lo, and what a wrong rule lets through. */
#define DEVICE_CACHE 8
/* libmnl's advice for a dump: as large as the kernel makes its pieces. */
#define BUFFER_SIZE 32768
/* The kernel answers before send() returns; a SYN is held meanwhile. */
#define DEADLINE_US 200000

struct device {
	uint32_t ifindex; /* 0: free */
	bool loopback;
};

struct hostaddr {
	struct mnl_socket *rtnl;
	uint32_t seq;
	uint32_t lo;
	struct device devices[DEVICE_CACHE];
	unsigned int next_device; /* the slot to use next */
	char buf[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static struct mnl_socket *open_rtnl(void)
{
	const struct timeval deadline = {.tv_usec = DEADLINE_US};
	struct mnl_socket *rtnl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!rtnl)
		return NULL;
	if (mnl_socket_bind(rtnl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(rtnl), SOL_SOCKET, SO_RCVTIMEO, &deadline,
		       sizeof(deadline)) < 0) {
		mnl_socket_close(rtnl);
		return NULL;
	}
	return rtnl;
}

int hostaddr_open(struct hostaddr **ret_host)
{
	struct hostaddr *host = calloc(1, sizeof(*host));
	int err;

	if (!host)
		return -ENOMEM;
	host->rtnl = open_rtnl();
	if (!host->rtnl) {
		err = -errno;
		free(host);
		return err;
	}
	/* Here, since it takes an ioctl(), which is not for the running daemon (isolate.c). */
	host->lo = if_nametoindex("lo");
	*ret_host = host;
	return 0;
}

uint32_t hostaddr_lo(const struct hostaddr *host)
{
	return host->lo;
}

void hostaddr_close(struct hostaddr *host)
{
	if (!host)
		return;
	mnl_socket_close(host->rtnl);
	free(host);
}

/* false if the kernel did not tell. */
static bool ask_loopback(uint32_t ifindex, bool *ret_loopback)
{
	struct nlif_handle *table = nlif_open();
	unsigned int flags;
	bool told;

	if (!table)
		return false;
	told = nlif_query(table) >= 0 && nlif_get_ifflags(table, ifindex, &flags) == 1;
	nlif_close(table);
	if (told)
		*ret_loopback = flags & IFF_LOOPBACK;
	return told;
}

bool hostaddr_is_loopback_device(struct hostaddr *host, uint32_t ifindex)
{
	struct device *device;
	bool loopback;

	if (ifindex == 0)
		return false;
	for (size_t i = 0; i < DEVICE_CACHE; i++) {
		if (host->devices[i].ifindex == ifindex)
			return host->devices[i].loopback;
	}
	/* Not kept if not told: for want of a descriptor once, lo would stay unseen for ever. */
	if (!ask_loopback(ifindex, &loopback))
		return false;
	device = &host->devices[host->next_device++ % DEVICE_CACHE];
	*device = (struct device){ifindex, loopback};
	return loopback;
}

/* Sends the request in host->buf and hands every answer to callback. */
static int ask(struct hostaddr *host, struct nlmsghdr *nlh, mnl_cb_t callback, void *ctx)
{
	unsigned int port = mnl_socket_get_portid(host->rtnl);
	uint32_t seq = ++host->seq;
	ssize_t got;
	int more;

	nlh->nlmsg_seq = seq;
	if (mnl_socket_sendto(host->rtnl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		got = mnl_socket_recvfrom(host->rtnl, host->buf, sizeof(host->buf));
		if (got < 0)
			return -errno;
		more = mnl_cb_run(host->buf, (size_t)got, seq, port, callback, ctx);
		/* The answer to an earlier question, whose deadline had passed. */
		if (more < 0 && errno == EPROTO)
			more = MNL_CB_OK;
	} while (more > MNL_CB_STOP);
	return more < 0 ? -errno : 0;
}

static int take_route(const struct nlmsghdr *nlh, void *ctx)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(nlh);
	bool *local = ctx;

	if (nlh->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*route))
		*local = route->rtm_type == RTN_LOCAL;
	return MNL_CB_STOP;
}

bool hostaddr_is_local(struct hostaddr *host, const struct in6_addr *addr)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(host->buf);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));
	bool local = false;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	if (addr_is_v4(addr)) {
		route->rtm_family = AF_INET;
		route->rtm_dst_len = 32;
		mnl_attr_put_u32(nlh, RTA_DST, addr_to_v4(addr));
	} else {
		route->rtm_family = AF_INET6;
		route->rtm_dst_len = 128;
		mnl_attr_put(nlh, RTA_DST, sizeof(*addr), addr);
	}
	return ask(host, nlh, take_route, &local) == 0 && local;
}

struct owner {
	const struct in6_addr *addr;
	uint32_t ifindex;
	unsigned int count;
};

static int take_address(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct in6_addr *own = NULL;
	const struct nlattr *attr;
	struct owner *owner = ctx;

	if (nlh->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (mnl_attr_get_payload_len(attr) != sizeof(*own))
			continue;
		/* With a peer, IFA_ADDRESS is the peer's (inet6_fill_ifaddr()). */
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !own))
			own = mnl_attr_get_payload(attr);
	}
	if (own && addr_equal(own, owner->addr)) {
		owner->ifindex = msg->ifa_index;
		owner->count++;
	}
	return MNL_CB_OK;
}

uint32_t hostaddr_interface(struct hostaddr *host, const struct in6_addr *addr)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(host->buf);
	struct ifaddrmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	struct owner owner = {.addr = addr};

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	msg->ifa_family = AF_INET6;
	if (ask(host, nlh, take_address, &owner) < 0 || owner.count != 1)
		return 0;
	return owner.ifindex;
}

/* A number in a file of /proc/sys; unknown where the kernel does not say. Takes no memory. */
static unsigned int read_setting(const char *path, unsigned int unknown, int *ret_errno)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32], *end = text;
	unsigned long value;
	ssize_t len;

	*ret_errno = fd < 0 ? errno : 0;
	if (fd < 0)
		return unknown;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	value = strtoul(text, &end, 10);
	return end > text ? (unsigned int)value : unknown;
}

/*
 * The number of tracked connections. The SYN that is held is one of them where tracking is at work:
 * its entry is confirmed when it leaves, before it comes in on lo. No such file: no such module,
 * unless /proc shows processes only (subset=pid in proc(5)) or is not there at all.
 */
bool hostaddr_tracks_connections(void)
{
	int err;
	unsigned int count = read_setting("/proc/sys/net/netfilter/nf_conntrack_count", 1, &err);

	if (err == ENOENT)
		return access("/proc/sys/net", F_OK) < 0;
	return count > 0;
}

/* Both of these are in seconds; what is unknown is taken for the kernel's default. */
uint64_t hostaddr_fin_timeout_ms(void)
{
	int err;

	return read_setting("/proc/sys/net/ipv4/tcp_fin_timeout", 60, &err) * (uint64_t)1000;
}

/* The first FIN makes the entry FIN_WAIT, and its ACK CLOSE_WAIT (tcp_conntracks[]). */
uint64_t hostaddr_remembered_ms(void)
{
	unsigned int fin_wait, close_wait;
	int err;

	if (!hostaddr_tracks_connections())
		return 0;
	fin_wait = read_setting("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_fin_wait", 120,
				&err);
	close_wait = read_setting("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait", 60,
				  &err);
	return (fin_wait > close_wait ? fin_wait : close_wait) * (uint64_t)1000;
}
