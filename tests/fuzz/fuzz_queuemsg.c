/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message of the queue, and the packet in it: the whole way of a SYN from bytes to a tuple. */
#include "config.h"

#include "fuzz.h"
#include "packet.h"
#include "queuemsg.h"

#include <linux/netlink.h>
#include <string.h>

const char fuzz_target[] = "queuemsg";

/* More than what is copied of a packet, with all attributes around it. */
#define MESSAGE_MAX 4096

static bool same(const struct held_packet *a, const struct held_packet *b)
{
	return a->id == b->id && a->ifindex == b->ifindex && a->mark == b->mark &&
	       a->verify_checksum == b->verify_checksum && a->data == b->data && a->len == b->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct held_packet untouched, packet, again;
	struct nlmsghdr nlh;
	struct tuple syn;

	if (size > MESSAGE_MAX)
		return 0;
	memset(&untouched, 0xa5, sizeof(untouched));
	packet = untouched;
	if (queuemsg_parse(data, size, &packet) < 0) {
		FUZZ_CHECK(memcmp(&packet, &untouched, sizeof(packet)) == 0);
		return 0;
	}
	FUZZ_CHECK(queuemsg_parse(data, size, &again) == 0 && same(&packet, &again));
	if (!packet.data) {
		FUZZ_CHECK(packet.len == 0);
		return 0;
	}
	memcpy(&nlh, data, sizeof(nlh));
	if (size > nlh.nlmsg_len)
		size = nlh.nlmsg_len;
	FUZZ_CHECK(packet.data >= data + NLMSG_HDRLEN && packet.data <= data + size);
	FUZZ_CHECK(packet.len <= (size_t)(data + size - packet.data));
	packet_parse(packet.data, packet.len, packet.verify_checksum, &syn);
	return 0;
}
