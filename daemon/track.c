/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry follows the state and the sequence numbers of its connection, and what does not fit them
 * counts as invalid: it is not rewritten, and many firewalls drop it. Two entries do not fit a new
 * connection that begins where an old one has just been destroyed (nf_conntrack_tcp_packet()):
 *
 * The old connection's. A SYN to one that is not finished is let pass, as part of it, and changes
 * nothing in it; the client's ACK is invalid then, and with REDIRECT goes to a port where nobody
 * listens.
 *
 * The SYN's own, where the old one has been forgotten. The reset that the destroy sends passes this
 * one. It does not fit here, and yet its sequence number stays, as that of the listener
 * (tcp_in_window()). In Linux 5.10 the listener's answer to the SYN, which has quite another one,
 * is invalid from then on, whenever it is sent. Later kernels begin anew with an answer, but only
 * with one whose number is higher than the reset's. Such numbers are a clock that turns around in
 * 275 s (secure_tcp_seq()): to one half of the old sockets, by their age, it is lower, and the
 * client is connected but its ACK invalid.
 *
 * So either is deleted, and the SYN is sent again: it gets an entry of its own, and is to a
 * firewall what it is, new. To make the entry liberal instead, by its flags, would spare that, but
 * the numbers in it stay wrong, and it is forgotten after 300 s of silence instead of five days.
 */
#include "config.h"

#include "track.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel answers before send() returns; a SYN is held meanwhile. */
#define DEADLINE_US 200000
/* An entry takes less than 1 KiB; libmnl's advice for a single message. */
#define BUFFER_SIZE 8192

struct track {
	struct mnl_socket *nl;
	uint32_t seq;
	char buf[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
};

int track_open(struct track **ret_track)
{
	const struct timeval deadline = {.tv_usec = DEADLINE_US};
	struct track *track = calloc(1, sizeof(*track));
	int err;

	if (!track)
		return -ENOMEM;
	track->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	/*
	 * Bound when it first sends: the process's first bound socket has its pid as its port, and
	 * that should be the queue's, whose port the kernel tells everybody.
	 */
	if (track->nl && setsockopt(mnl_socket_get_fd(track->nl), SOL_SOCKET, SO_RCVTIMEO,
				    &deadline, sizeof(deadline)) == 0) {
		*ret_track = track;
		return 0;
	}
	err = -errno;
	track_close(track);
	return err;
}

void track_close(struct track *track)
{
	if (!track)
		return;
	if (track->nl)
		mnl_socket_close(track->nl);
	free(track);
}

static void put_addresses(struct nlmsghdr *nlh, const struct in6_addr *src,
			  const struct in6_addr *dst)
{
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	if (addr_is_v4(src)) {
		mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, addr_to_v4(src));
		mnl_attr_put_u32(nlh, CTA_IP_V4_DST, addr_to_v4(dst));
	} else {
		mnl_attr_put(nlh, CTA_IP_V6_SRC, sizeof(*src), src);
		mnl_attr_put(nlh, CTA_IP_V6_DST, sizeof(*dst), dst);
	}
	mnl_attr_nest_end(nlh, ip);
}

/*
 * Names the entry by the direction of the answers: where the destination was rewritten, only that
 * tuple of the entry is made of what is seen here. Without one a deletion would mean all entries.
 */
static struct nlmsghdr *put_request(struct track *track, uint16_t type, uint16_t flags,
				    const struct tuple *syn)
{
	const struct tuple reply = tuple_reverse(syn);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(track->buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	struct nlattr *tuple, *proto;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++track->seq;
	nfg->nfgen_family = addr_is_v4(&syn->src.addr) ? AF_INET : AF_INET6;
	nfg->version = NFNETLINK_V0;
	tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_REPLY);
	put_addresses(nlh, &reply.src.addr, &reply.dst.addr);
	proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, reply.src.port);
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, reply.dst.port);
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, tuple);
	return nlh;
}

static int take_state(const struct nlattr *attr, void *ctx)
{
	struct track_entry *found = ctx;

	if (mnl_attr_get_type(attr) == CTA_PROTOINFO_TCP_STATE &&
	    mnl_attr_validate(attr, MNL_TYPE_U8) == 0) {
		found->state = mnl_attr_get_u8(attr);
		found->has_state = true;
	}
	return MNL_CB_OK;
}

static int take_protocol(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) != CTA_PROTOINFO_TCP)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, take_state, ctx);
}

static int take_attribute(const struct nlattr *attr, void *ctx)
{
	struct track_entry *found = ctx;

	if (mnl_attr_get_type(attr) == CTA_ID && mnl_attr_validate(attr, MNL_TYPE_U32) == 0) {
		found->id = mnl_attr_get_u32(attr);
		found->has_id = true;
	}
	if (mnl_attr_get_type(attr) != CTA_PROTOINFO)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attr, take_protocol, ctx);
}

static int take_entry(const struct nlmsghdr *nlh, void *ctx)
{
	if (nlh->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) &&
	    mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct nfgenmsg))
		mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take_attribute, ctx);
	return MNL_CB_STOP;
}

/* 0, or -ENOENT if there is no entry, or another negative errno. */
static int ask(struct track *track, const struct nlmsghdr *request, struct track_entry *found)
{
	ssize_t got;
	int more;

	if (mnl_socket_sendto(track->nl, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		got = mnl_socket_recvfrom(track->nl, track->buf, sizeof(track->buf));
		if (got < 0)
			return -errno;
		more = mnl_cb_run(track->buf, (size_t)got, track->seq, 0, take_entry, found);
		/* EPROTO: the answer to an earlier question, whose deadline had passed. */
	} while (more > MNL_CB_STOP || (more < 0 && errno == EPROTO));
	return more < 0 ? -errno : 0;
}

static bool is_own(const struct track_entry *entry)
{
	return entry->has_state &&
	       (entry->state == TCP_CONNTRACK_SYN_SENT || entry->state == TCP_CONNTRACK_SYN_SENT2);
}

struct track_entry track_look(struct track *track, const struct tuple *syn)
{
	struct track_entry found = {.has_state = false};
	int err = ask(track, put_request(track, IPCTNL_MSG_CT_GET, 0, syn), &found);

	if (err < 0)
		found = (struct track_entry){.kind = err == -ENOENT ? TRACK_NONE : TRACK_OLD};
	else
		found.kind = is_own(&found) ? TRACK_OWN : TRACK_OLD;
	return found;
}

/*
 * The id is no more than a hash of where the entry lies and what it is for: that of a new
 * connection on the tuple, of a SYN that was sent again, may have the same. It begins with states
 * that an old entry has left behind; and the reset that ended the old connection, where it was
 * taken note of, has closed its entry.
 */
static bool is_same(const struct track_entry *entry, const struct track_entry *seen)
{
	if (!entry->has_id || !seen->has_id || entry->id != seen->id || entry->kind != seen->kind ||
	    entry->has_state != seen->has_state)
		return false;
	return !entry->has_state || entry->state == seen->state ||
	       (entry->kind == TRACK_OLD && entry->state == TCP_CONNTRACK_CLOSE);
}

void track_forget(struct track *track, const struct tuple *syn, const struct track_entry *entry)
{
	const struct track_entry now = track_look(track, syn);
	struct track_entry none;
	struct nlmsghdr *nlh;

	if (!is_same(&now, entry))
		return;
	nlh = put_request(track, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, syn);
	mnl_attr_put_u32(nlh, CTA_ID, now.id);
	/* If it fails: the reset closes an old one, and the next SYN has the kernel delete it. */
	(void)ask(track, nlh, &none);
}
