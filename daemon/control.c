/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An epoll set of the listening socket and the clients; its own descriptor stands for all of them
 * in the caller's loop.
 *
 * A client is in one of these phases:
 *
 *   idle      its next request may come
 *   busy      its request is with the handler; further input waits in the socket
 *   following it receives what is published; input is an error
 *   leaving   it is sent what is left for it, and closed
 *
 * Nothing is written where it arises but when the socket takes it, and no request is read while
 * an earlier answer is still to be sent. So a client that does not read holds one answer at most,
 * and a follower CONTROL_STREAM_MAX: what is more is counted and not kept.
 *
 * There is no timer. A client that does nothing is let be until somebody else needs its place.
 */
#include "config.h"

#include "control.h"
#include "clock.h"
#include "idlookup.h"
#include "outbox.h"
#include "peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that has neither sent nor taken a byte for so long gives way to a new one. */
#define IDLE_MS 10000
/* Events and new clients in one call, so that the caller's other descriptors get their turn. */
#define EVENTS_MAX 64
_Static_assert(EVENTS_MAX > CONTROL_CLIENTS_MAX, "one call sees all clients and the listener");
/* The listening socket's in the epoll set; clients count from 1. */
#define LISTENER 0

enum phase { PHASE_IDLE, PHASE_BUSY, PHASE_FOLLOWING, PHASE_LEAVING };

struct client {
	uint64_t id; /* 0: the slot is free */
	int fd;
	enum phase phase;
	bool follow; /* it is to follow once it is answered */
	bool eof;    /* it has said that nothing more will come */
	struct peer peer;
	int64_t active_ms; /* when a byte last came or went */
	uint64_t missed;   /* published lines that found no room */
	uint32_t events;   /* what epoll waits for */
	size_t in_len;
	char in[CONTROL_REQUEST_MAX];
	struct outbox out;
};

struct control {
	struct sockfile *file;
	int epoll_fd;
	bool has_group;
	gid_t group;
	control_handler *handler;
	void *ctx;
	uint64_t last_id;
	struct client clients[CONTROL_CLIENTS_MAX];
};

static struct client *find(struct control *control, uint64_t id)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (id != LISTENER && control->clients[i].id == id)
			return &control->clients[i];
	}
	return NULL;
}

static void drop(struct client *client)
{
	close(client->fd); /* leaves the epoll set with it */
	outbox_clear(&client->out);
	*client = (struct client){.id = 0};
}

/* --- output -----------------------------------------------------------------------------------*/

/* A follower that has missed something starts again with an empty buffer, and is told first. */
static bool put_missed(struct client *client)
{
	char text[64];

	if (client->missed == 0)
		return true;
	if (outbox_waiting(&client->out) > 0)
		return false;
	snprintf(text, sizeof(text), "{\"missed\":%" PRIu64 "}", client->missed);
	if (!outbox_put(&client->out, text, CONTROL_STREAM_MAX))
		return false;
	client->missed = 0;
	return true;
}

/* An answer that cannot be given whole ends the client: a part of it would be taken for all. */
static void put_answer(struct client *client, const char *text)
{
	if (!text || !outbox_put(&client->out, text, CONTROL_ANSWER_MAX)) {
		outbox_clear(&client->out);
		client->phase = PHASE_LEAVING;
	}
}

/* What epoll has to wait for follows from the client's state; HUP and ERR come always. */
static void update_events(struct control *control, struct client *client)
{
	uint32_t events = 0;
	struct epoll_event event;

	if (outbox_waiting(&client->out) > 0 || client->phase == PHASE_LEAVING)
		events = EPOLLOUT;
	else if (!client->eof && client->phase != PHASE_BUSY)
		events = EPOLLIN;
	else if (client->eof && client->phase == PHASE_IDLE)
		events = EPOLLOUT; /* nothing left to do: close it */
	/* A follower has to be noticed leaving also while it does not read. */
	if (client->phase == PHASE_FOLLOWING && !client->eof)
		events |= EPOLLIN;
	if (events == client->events)
		return;
	event = (struct epoll_event){.events = events, .data.u64 = client->id};
	if (epoll_ctl(control->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) < 0)
		drop(client);
	else
		client->events = events;
}

static void finish_answer(struct control *control, struct client *client, const char *text)
{
	if (client->phase == PHASE_BUSY) {
		client->phase = client->follow ? PHASE_FOLLOWING : PHASE_IDLE;
		put_answer(client, text);
	}
	update_events(control, client);
}

void control_line(struct control *control, uint64_t id, const char *text)
{
	struct client *client = find(control, id);

	if (client && client->phase == PHASE_BUSY)
		put_answer(client, text);
}

void control_answer(struct control *control, uint64_t id, json_t *result)
{
	struct client *client = find(control, id);
	char *text = NULL;

	if (client && json_object_set_new(result, "ok", json_true()) == 0 &&
	    json_object_set_new(result, "version", json_integer(CONTROL_VERSION)) == 0)
		text = json_dumps(result, JSON_COMPACT);
	if (client)
		finish_answer(control, client, text);
	free(text);
	json_decref(result);
}

/* A message may quote bytes that are no text, or end within a character: then it is ASCII only. */
static json_t *message_text(const char *message)
{
	json_t *text = json_string(message);
	char *ascii;

	if (text)
		return text;
	ascii = strdup(message);
	for (char *at = ascii; at && *at; at++) {
		if (*at & 0x80)
			*at = '?';
	}
	text = json_string(ascii ? ascii : "");
	free(ascii);
	return text;
}

/* To be freed; NULL if there is no memory. */
static char *refusal(const char *code, const char *message)
{
	json_t *answer = json_pack("{s:b, s:s, s:o, s:i}", "ok", 0, "code", code, "error",
				   message_text(message), "version", CONTROL_VERSION);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	return text;
}

void control_refuse(struct control *control, uint64_t id, const char *code, const char *fmt, ...)
{
	struct client *client = find(control, id);
	char message[CONTROL_REQUEST_MAX];
	char *text;
	va_list ap;

	if (!client)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	text = refusal(code, message);
	client->follow = false;
	finish_answer(control, client, text);
	free(text);
}

void control_follow(struct control *control, uint64_t id)
{
	struct client *client = find(control, id);

	if (client)
		client->follow = true;
}

void control_publish(struct control *control, const char *text)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (client->id == 0 || client->phase != PHASE_FOLLOWING)
			continue;
		if (!put_missed(client) || !outbox_put(&client->out, text, CONTROL_STREAM_MAX))
			client->missed++;
		update_events(control, client);
	}
}

bool control_is_followed(const struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->clients[i].id != 0 && control->clients[i].phase == PHASE_FOLLOWING)
			return true;
	}
	return false;
}

/* --- input ------------------------------------------------------------------------------------*/

/* What came is not this protocol; whoever sent it will not be understood later either. */
static void turn_out(struct control *control, struct client *client, const char *message)
{
	char *text = refusal(CONTROL_BAD_REQUEST, message);

	client->phase = PHASE_LEAVING;
	put_answer(client, text);
	update_events(control, client);
	free(text);
}

static void take_request(struct control *control, struct client *client, const json_t *request)
{
	const struct control_caller caller = {client->id, client->peer.pid, client->peer.uid,
					      client->peer.trusted};
	const char *verb = json_string_value(json_object_get(request, "request"));

	if (json_integer_value(json_object_get(request, "version")) != CONTROL_VERSION) {
		turn_out(control, client,
			 "the member \"version\" must be 1, the only version there is");
	} else if (!verb) {
		turn_out(control, client, "the member \"request\" must be a text");
	} else {
		client->phase = PHASE_BUSY;
		control->handler(control->ctx, &caller, verb, request);
	}
}

/* Hands out requests that are there whole, one at a time, while nothing waits to be sent. */
static void take_lines(struct control *control, struct client *client)
{
	while (client->phase == PHASE_IDLE && outbox_waiting(&client->out) == 0) {
		const char *newline = memchr(client->in, '\n', client->in_len);
		char message[JSON_ERROR_TEXT_LENGTH + 32];
		json_error_t error;
		json_t *request;
		size_t len;

		if (!newline)
			break;
		len = (size_t)(newline - client->in);
		request = json_loadb(client->in, len, JSON_REJECT_DUPLICATES, &error);
		client->in_len -= len + 1;
		memmove(client->in, newline + 1, client->in_len);
		if (request) {
			take_request(control, client, request);
			json_decref(request);
		} else {
			snprintf(message, sizeof(message), "not JSON: %s", error.text);
			turn_out(control, client, message);
		}
	}
	if (client->phase == PHASE_IDLE && client->in_len == sizeof(client->in))
		turn_out(control, client, "a request is one line of at most 4096 bytes");
}

static void read_input(struct control *control, struct client *client)
{
	ssize_t got;

	if (client->phase == PHASE_FOLLOWING) {
		char scrap;

		got = recv(client->fd, &scrap, 1, 0);
		if (got > 0) {
			turn_out(control, client, "a client that follows events cannot ask");
			return;
		}
	} else {
		got = recv(client->fd, client->in + client->in_len,
			   sizeof(client->in) - client->in_len, 0);
	}
	if (got > 0) {
		client->in_len += (size_t)got;
		client->active_ms = clock_ms(CLOCK_MONOTONIC);
		take_lines(control, client);
	} else if (got == 0) {
		client->eof = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		drop(client);
	}
}

static void write_output(struct control *control, struct client *client)
{
	if (outbox_waiting(&client->out) > 0) {
		int err = outbox_send(&client->out, client->fd);

		if (err < 0) {
			if (err != -EAGAIN && err != -EINTR)
				drop(client);
			return;
		}
		client->active_ms = clock_ms(CLOCK_MONOTONIC);
		if (outbox_waiting(&client->out) > 0)
			return;
	}
	/* Memory for a long answer is not kept for a client that may never ask again. */
	outbox_clear(&client->out);

	put_missed(client);
	take_lines(control, client);
	if (client->id != 0 && outbox_waiting(&client->out) == 0 &&
	    (client->phase == PHASE_LEAVING || (client->phase == PHASE_IDLE && client->eof)))
		drop(client);
}

static void serve(struct control *control, uint64_t id, uint32_t events)
{
	struct client *client = find(control, id);

	if (!client)
		return; /* closed on behalf of an event before this one */
	if (events & (EPOLLHUP | EPOLLERR)) {
		drop(client); /* nobody is left to read an answer */
		return;
	}
	if (events & EPOLLIN)
		read_input(control, client);
	if (client->id != 0 && events & EPOLLOUT)
		write_output(control, client);
	if (client->id != 0)
		update_events(control, client);
}

/* --- clients come -----------------------------------------------------------------------------*/

/* A free slot, if need be that of the client which has been idle longest. */
static struct client *find_place(struct control *control)
{
	struct client *idlest = NULL;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (client->id == 0)
			return client;
		/* A follower that has taken all there was is not idle: nothing has happened. */
		if (client->phase == PHASE_FOLLOWING && outbox_waiting(&client->out) == 0)
			continue;
		if (!idlest || client->active_ms < idlest->active_ms)
			idlest = client;
	}
	if (!idlest || clock_ms(CLOCK_MONOTONIC) - idlest->active_ms < IDLE_MS)
		return NULL;
	drop(idlest);
	return idlest;
}

static void turn_away(int fd)
{
	static const char line[] =
		"{\"ok\":false,\"code\":\"" CONTROL_BUSY "\",\"error\":\"too many "
		"clients\",\"version\":1}\n";

	/* An empty socket buffer has room; whoever has left already does not miss it. */
	send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
	close(fd);
}

/* Serves who has said something or left; true if there are newcomers as well. */
static bool serve_clients(struct control *control)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(control->epoll_fd, events, EVENTS_MAX, 0);
	bool newcomers = false;

	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 == LISTENER)
			newcomers = true;
		else
			serve(control, events[i].data.u64, events[i].events);
	}
	return newcomers;
}

static void welcome(struct control *control, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = control->last_id + 1};
	struct client *client = find_place(control);
	struct peer peer;

	/* Those who came just before may have said what they wanted, and left. */
	if (!client) {
		serve_clients(control);
		client = find_place(control);
	}
	if (!client) {
		turn_away(fd);
		return;
	}
	if (peer_identify(fd, control->has_group ? &control->group : NULL, &peer) < 0 ||
	    epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return;
	}
	*client = (struct client){
		.id = ++control->last_id,
		.fd = fd,
		.events = EPOLLIN,
		.peer = peer,
		.active_ms = clock_ms(CLOCK_MONOTONIC),
	};
}

/*
 * The listening socket tells of new clients once (EPOLLET): with no descriptor left for them it
 * must not keep the loop awake. The next one that comes brings the others in as well.
 */
static int watch_listener(struct control *control, int op)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = LISTENER};

	if (epoll_ctl(control->epoll_fd, op, sockfile_fd(control->file), &event) < 0)
		return -errno;
	return 0;
}

static void accept_clients(struct control *control)
{
	for (int i = 0; i < EVENTS_MAX; i++) {
		int fd = accept4(sockfile_fd(control->file), NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			welcome(control, fd);
		else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
	/* There may be more: to be told again takes a word to epoll, which cannot fail here. */
	watch_listener(control, EPOLL_CTL_MOD);
}

void control_work(struct control *control)
{
	/* Last, since those who have left make room for those who come. */
	if (serve_clients(control))
		accept_clients(control);
}

/* --- open and close ---------------------------------------------------------------------------*/

static int find_group(struct control *control, const char *name, char *error)
{
	int err;

	if (!name[0])
		return 0;
	err = idlookup_group(name, &control->group);
	if (err < 0) {
		snprintf(error, CONTROL_ERROR_SIZE, "control.group: group \"%s\": %s", name,
			 err == -ENOENT ? "there is none of that name" : strerror(-err));
		return err;
	}
	control->has_group = true;
	return 0;
}

int control_open(const char *path, uid_t user, const char *group, control_handler *handler,
		 void *ctx, struct control **ret_control, char error[static CONTROL_ERROR_SIZE])
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control) {
		snprintf(error, CONTROL_ERROR_SIZE, "out of memory");
		return -ENOMEM;
	}
	control->handler = handler;
	control->ctx = ctx;
	control->epoll_fd = -1;
	err = find_group(control, group, error);
	if (err == 0)
		err = sockfile_open(path, user,
				    control->has_group ? control->group : SOCKFILE_KEEP_GROUP,
				    &control->file, error);
	if (err < 0)
		goto fail;
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = control->epoll_fd < 0 ? -errno : watch_listener(control, EPOLL_CTL_ADD);
	if (err < 0) {
		snprintf(error, CONTROL_ERROR_SIZE, "%s: epoll: %s", path, strerror(-err));
		goto fail;
	}
	*ret_control = control;
	return 0;
fail:
	control_close(control);
	return err;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->clients[i].id != 0)
			drop(&control->clients[i]);
	}
	sockfile_close(control->file);
	if (control->epoll_fd >= 0)
		close(control->epoll_fd);
	free(control);
}

int control_fd(const struct control *control)
{
	return control->epoll_fd;
}
