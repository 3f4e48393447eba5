/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference: an NFQUEUE program as everybody writes it, with the callback interface of
 * libnetfilter_queue, one packet at a time, every one accepted and none looked at.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Wants the headers above it. */
#include <libnetfilter_queue/libnetfilter_queue.h>

static _Noreturn void fatal(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int judge(struct nfq_q_handle *queue, struct nfgenmsg *msg, struct nfq_data *packet,
		 void *ctx)
{
	const struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(packet);

	(void)msg;
	(void)ctx;
	return nfq_set_verdict(queue, header ? ntohl(header->packet_id) : 0, NF_ACCEPT, 0, NULL);
}

int main(int argc, char **argv)
{
	char buf[4096] __attribute__((aligned));
	struct nfq_q_handle *queue;
	struct nfq_handle *handle;
	ssize_t len;

	if (argc != 2) {
		fputs("Usage: accept-all QUEUE\nSays \"ready\" and accepts until it is killed.\n",
		      stderr);
		return 2;
	}
	handle = nfq_open();
	if (!handle)
		fatal("nfq_open");
	queue = nfq_create_queue(handle, (uint16_t)atoi(argv[1]), judge, NULL);
	if (!queue)
		fatal("nfq_create_queue");
	if (nfq_set_mode(queue, NFQNL_COPY_PACKET, 0xffff) < 0)
		fatal("nfq_set_mode");
	puts("ready");
	fflush(stdout);
	for (;;) {
		len = recv(nfq_fd(handle), buf, sizeof(buf), 0);
		if (len >= 0)
			nfq_handle_packet(handle, buf, (int)len);
		else if (errno != ENOBUFS)
			fatal("recv");
	}
}
