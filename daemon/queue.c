/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel carries a request out before sendto() returns (nfnetlink_rcv()) and answers only
 * what it refuses, so nothing here waits for an answer: a packet of the queue may stand before it
 * in the receive buffer. The one answer that is asked for is nothing but a reason to wake up: with
 * it a reader can sleep in recvmmsg() itself, and needs no other system call per batch.
 */
#include "config.h"

#include "queue.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The longest headers that packet.c reads (IPv4 60 + TCP 60), and enough behind them to check the
 * checksum of a SYN that carries a little data.
 */
#define COPY_RANGE 256
/* The copied bytes and about 150 of attributes. */
#define MESSAGE_SIZE 1024
/*
 * A held SYN takes about 1 KiB of the receive buffer; max_held defaults to 1024. The kernel
 * doubles the figure for its own overhead (sk_setsockopt()).
 */
#define RECV_BUFFER_MIN	 (4 * 1024 * 1024)
#define RECV_BUFFER_EACH 1024

struct queue {
	int fd;
	uint16_t number;
	uint32_t max_held;
	uint32_t seq;
	_Atomic uint32_t next_id; /* the id that the next packet should have; see queue_let_go() */
	bool seen_id;
	struct mmsghdr msgs[QUEUE_BATCH_MAX];
	struct iovec iov[QUEUE_BATCH_MAX];
	struct sockaddr_nl from[QUEUE_BATCH_MAX];
	char in[QUEUE_BATCH_MAX][MESSAGE_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	char out[QUEUE_BATCH_MAX * QUEUEMSG_REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int send_all(const struct queue *queue, const void *buf, size_t len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(queue->fd, buf, len, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* What the kernel said to the request that was just sent on a socket without packets. */
static int refusal(int fd)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} answer;
	ssize_t got = recv(fd, &answer, sizeof(answer), MSG_PEEK | MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if ((size_t)got >= sizeof(answer.nlh) && answer.nlh.nlmsg_type != NLMSG_ERROR)
		return 0; /* a packet already: the queue is ours */
	if ((size_t)got < sizeof(answer) || answer.err.error > 0)
		return -EBADMSG;
	return answer.err.error;
}

/* For max_held of 65536 at most, 64 MiB: taken only as far as SYNs are held. */
static int buffer_size(uint32_t max_held)
{
	const int size = (int)max_held * RECV_BUFFER_EACH;

	return size > RECV_BUFFER_MIN ? size : RECV_BUFFER_MIN;
}

static int open_socket(uint32_t max_held)
{
	const struct sockaddr_nl local = {.nl_family = AF_NETLINK};
	const int size = buffer_size(max_held);
	const int on = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int err;

	if (fd < 0)
		return -errno;
	/* A refusal need not carry our request back; ENOBUFS is reported, not switched off. */
	if (bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	/*
	 * In a user namespace root may have no more than net.core.rmem_max, though it may bind the
	 * queue: a burst of SYNs may then overrun the buffer, which is counted.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

int queue_open(uint16_t number, uint32_t max_held, struct queue **ret_queue)
{
	const struct queue_settings settings = {number, max_held, COPY_RANGE};
	struct queue *queue = calloc(1, sizeof(*queue));
	int err;

	if (!queue)
		return -ENOMEM;
	queue->number = number;
	queue->max_held = max_held;
	queue->fd = open_socket(max_held);
	if (queue->fd < 0) {
		err = queue->fd;
		free(queue);
		return err;
	}
	err = send_all(queue, queue->out, queuemsg_put_bind(queue->out, queue->seq++, &settings));
	if (err == 0)
		err = refusal(queue->fd);
	/* To the kernel a queue of somebody else's is a matter of permission too. */
	if (err == -EPERM && queue_owner(number) != 0)
		err = -EBUSY;
	if (err < 0) {
		queue_close(queue);
		return err;
	}
	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++) {
		queue->iov[i] = (struct iovec){queue->in[i], MESSAGE_SIZE};
		queue->msgs[i].msg_hdr.msg_name = &queue->from[i];
		queue->msgs[i].msg_hdr.msg_iov = &queue->iov[i];
		queue->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	*ret_queue = queue;
	return 0;
}

int queue_fd(const struct queue *queue)
{
	return queue->fd;
}

/*
 * Ids count up by one; what is skipped was lost between the kernel's queue and this socket. One
 * that is lower than it should be (as serial numbers, RFC 1982) came late, and nothing is missing.
 */
static unsigned int count_missed(struct queue *queue, uint32_t id)
{
	const uint32_t next_id = atomic_load_explicit(&queue->next_id, memory_order_relaxed);
	uint32_t gap = queue->seen_id ? id - next_id : 0;

	if (gap > INT32_MAX)
		return 0;
	queue->seen_id = true;
	atomic_store_explicit(&queue->next_id, id + 1, memory_order_relaxed);
	return gap;
}

/* What queue_wake() asks for; a verdict is answered only if it is refused. */
static bool is_ack(const char *buf, size_t len)
{
	struct nlmsgerr err;

	if (len < NLMSG_HDRLEN + sizeof(err))
		return false;
	memcpy(&err, buf + NLMSG_HDRLEN, sizeof(err));
	return err.error == 0;
}

/* Every message of one datagram; the kernel sends one packet in each. */
static void take_datagram(struct queue *queue, const char *buf, size_t len,
			  struct held_packet *packets, size_t *n, struct queue_losses *losses)
{
	const struct nlmsghdr *nlh = (const void *)buf;

	if (len >= sizeof(*nlh) && nlh->nlmsg_type == NLMSG_ERROR)
		losses->verdict_errors += !is_ack(buf, len);
	else if (queuemsg_parse(buf, len, &packets[*n]) < 0)
		losses->bad_messages++;
	else
		losses->missed += count_missed(queue, packets[(*n)++].id);
}

/*
 * The number of datagrams that were read, 0 if there is none now, or a negative errno. Who waits is
 * given 0 for an overrun too: the answer to queue_wake() may be among what was lost.
 */
static int read_datagrams(struct queue *queue, bool wait, struct queue_losses *losses)
{
	int got;

	for (size_t i = 0; i < QUEUE_BATCH_MAX; i++)
		queue->msgs[i].msg_hdr.msg_namelen = sizeof(queue->from[i]);
	do {
		got = recvmmsg(queue->fd, queue->msgs, QUEUE_BATCH_MAX,
			       wait ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
		if (got < 0 && errno == ENOBUFS)
			losses->overruns++;
	} while (got < 0 && !wait && (errno == ENOBUFS || errno == EINTR));
	if (got < 0)
		return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
	return got;
}

int queue_receive(struct queue *queue, bool wait, struct held_packet *ret_packets, size_t *ret_n,
		  struct queue_losses *ret_losses)
{
	struct queue_losses losses = {0};
	size_t n = 0;
	int got;

	/* Behind a batch of other messages, refused verdicts say, packets may be waiting. */
	do {
		got = read_datagrams(queue, wait, &losses);
		for (int i = 0; i < got; i++) {
			/* Only the kernel has port id 0. */
			if (queue->from[i].nl_pid == 0)
				take_datagram(queue, queue->in[i], queue->msgs[i].msg_len,
					      ret_packets, &n, &losses);
		}
	} while (n == 0 && got > 0 && !wait);
	*ret_losses = losses;
	if (got < 0)
		return got;
	*ret_n = n;
	return 0;
}

int queue_wake(const struct queue *queue)
{
	char request[QUEUEMSG_REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));

	return send_all(queue, request, queuemsg_put_ping(request, 0, queue->number));
}

int queue_verdicts(struct queue *queue, const struct verdict *verdicts, size_t n)
{
	if (n == 0)
		return 0;
	return send_all(queue, queue->out,
			queuemsg_put_verdicts(queue->out, queue->number, verdicts, n));
}

int queue_stop(struct queue *queue)
{
	return send_all(queue, queue->out,
			queuemsg_put_limit(queue->out, queue->seq++, queue->number, 0));
}

int queue_resume(struct queue *queue)
{
	return send_all(
		queue, queue->out,
		queuemsg_put_limit(queue->out, queue->seq++, queue->number, queue->max_held));
}

/* After the first request there is no id any more that the second does not cover. */
int queue_let_go(const struct queue *queue)
{
	char requests[2 * QUEUEMSG_REQUEST_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	uint32_t next_id = atomic_load_explicit(&queue->next_id, memory_order_relaxed);
	size_t len = queuemsg_put_limit(requests, 0, queue->number, 0);

	len += queuemsg_put_accept_until(requests + len, queue->number, next_id + INT32_MAX / 2);
	return send_all(queue, requests, len);
}

void queue_close(struct queue *queue)
{
	if (!queue)
		return;
	close(queue->fd);
	free(queue);
}

uint32_t queue_owner(uint16_t number)
{
	FILE *table = fopen("/proc/thread-self/net/netfilter/nfnetlink_queue", "re");
	unsigned int queue, owner, found = 0;
	char line[256];

	if (!table)
		return 0;
	while (fgets(line, sizeof(line), table)) {
		if (sscanf(line, "%u %u", &queue, &owner) == 2 && queue == number)
			found = owner;
	}
	fclose(table);
	return found;
}
