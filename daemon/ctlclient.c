/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctlclient.h"
#include "conf.h"
#include "control.h"
#include "ctloptions.h"
#include "ctlprint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A daemon that is well answers within milliseconds; a look-up for explain may take a second. */
#define PATIENCE_S 10

struct ctlclient {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char conf_error[CONF_ERROR_SIZE]; /* why the path is not the configuration's */
	size_t len, taken;		  /* bytes in buf, and those of them that were handed out */
	char buf[CONTROL_ANSWER_MAX];
};

/* A configuration that cannot be read must not keep anybody from asking the daemon about it. */
static void find_path(struct ctlclient *client, const struct ctl *ctl)
{
	const char *path = ctl->socket;
	struct conf *conf = NULL;

	if (!path && (conf_load(ctl->conf_path, &conf, client->conf_error) == 0 ||
		      conf_defaults(&conf) == 0))
		path = conf->control.socket;
	snprintf(client->path, sizeof(client->path), "%s", path ? path : "");
	conf_free(conf);
}

static int dial(struct ctlclient *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = PATIENCE_S};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", client->path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* connect() waits for room among those not accepted yet: by this limit, unix(7). */
	if (client->fd < 0 ||
	    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

static int exit_status(int err)
{
	if (err == 0)
		return CTL_OK;
	return err == -EACCES || err == -EPERM ? CTL_DENIED : CTL_NO_DAEMON;
}

static struct ctlclient *new_client(void)
{
	struct ctlclient *client = calloc(1, sizeof(*client));

	if (client)
		client->fd = -1;
	else
		ctl_complain("out of memory");
	return client;
}

/* 0 or a negative errno; the client has to be closed in any case. */
static int open_client(const struct ctl *ctl, struct ctlclient *client)
{
	if (ctl->socket && strlen(ctl->socket) >= sizeof(client->path))
		return -ENAMETOOLONG;
	find_path(client, ctl);
	return client->path[0] ? dial(client) : -ENOTCONN;
}

static void complain_connect(const struct ctl *ctl, const char *path, int err)
{
	switch (err) {
	case -ENOENT:
		ctl_complain("no daemon: %s does not exist: is closewaitd running? -s names "
			     "another socket",
			     path);
		break;
	case -ECONNREFUSED:
		ctl_complain("no daemon: nobody listens on %s any more: closewaitd has ended "
			     "without a farewell",
			     path);
		break;
	case -EACCES:
	case -EPERM:
		ctl_complain("%s: not permitted: run as root or as a member of control.group",
			     path);
		break;
	case -EAGAIN:
		ctl_complain("%s: no connection taken for %d s: the daemon is stopped or stuck",
			     path, PATIENCE_S);
		break;
	case -ENOTCONN:
		ctl_complain("the control socket is switched off in %s (control.socket = \"\")",
			     ctl->conf_path);
		break;
	default:
		ctl_complain("%s: cannot connect: %s", path, strerror(-err));
		break;
	}
}

int ctlclient_try(const struct ctl *ctl, struct ctlclient **ret_client)
{
	struct ctlclient *client = new_client();
	int err;

	if (!client)
		return CTL_FAILED;
	err = open_client(ctl, client);
	if (err < 0)
		ctlclient_close(client);
	else
		*ret_client = client;
	return exit_status(err);
}

int ctlclient_open(const struct ctl *ctl, struct ctlclient **ret_client)
{
	struct ctlclient *client = new_client();
	int err;

	if (!client)
		return CTL_FAILED;
	err = open_client(ctl, client);
	if (err < 0) {
		complain_connect(ctl, err == -ENAMETOOLONG ? ctl->socket : client->path, err);
		if (client->conf_error[0])
			ctl_complain("that is the default socket, since the configuration cannot "
				     "be read: %s",
				     client->conf_error);
		ctlclient_close(client);
	} else {
		*ret_client = client;
	}
	return exit_status(err);
}

void ctlclient_close(struct ctlclient *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client);
}

int ctlclient_send(struct ctlclient *client, json_t *request)
{
	char *text = NULL;
	size_t len;
	int err = 0;

	if (json_object_set_new(request, "version", json_integer(CONTROL_VERSION)) == 0)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL: only the length counts now */
	if (send(client->fd, text, len + 1, MSG_NOSIGNAL) != (ssize_t)len + 1)
		err = errno;
	free(text);
	/* A daemon that has turned us away has said why before it closed. */
	if (err != 0 && err != EPIPE && err != ECONNRESET) {
		ctl_complain("%s: %s", client->path, strerror(err));
		return CTL_NO_DAEMON;
	}
	return CTL_OK;
}

static int set_patience(struct ctlclient *client, bool patient)
{
	const struct timeval limit = {.tv_sec = patient ? 0 : PATIENCE_S};

	return setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* Reads until the buffer holds a newline behind what was taken. NULL after a complaint. */
static char *read_line(struct ctlclient *client)
{
	size_t seen = client->taken;

	for (;;) {
		char *newline = memchr(client->buf + seen, '\n', client->len - seen);
		ssize_t got;

		if (newline)
			return newline;
		if (client->taken > 0) {
			client->len -= client->taken;
			memmove(client->buf, client->buf + client->taken, client->len);
			client->taken = 0;
		}
		seen = client->len;
		if (client->len == sizeof(client->buf)) {
			ctl_complain("%s: an answer without end", client->path);
			return NULL;
		}
		got = recv(client->fd, client->buf + client->len, sizeof(client->buf) - client->len,
			   0);
		if (got > 0) {
			client->len += (size_t)got;
		} else if (got == 0 || errno == ECONNRESET) {
			ctl_complain("%s: the daemon has closed the connection", client->path);
			return NULL;
		} else if (errno == EAGAIN) {
			ctl_complain("%s: no answer for %d s: the daemon is stopped or stuck",
				     client->path, PATIENCE_S);
			return NULL;
		} else if (errno != EINTR) {
			ctl_complain("%s: %s", client->path, strerror(errno));
			return NULL;
		}
	}
}

int ctlclient_receive(struct ctlclient *client, bool patient, json_t **ret_line)
{
	json_error_t error;
	char *newline;
	json_t *line;

	if (set_patience(client, patient) < 0) {
		ctl_complain("%s: %s", client->path, strerror(errno));
		return CTL_FAILED;
	}
	newline = read_line(client);
	if (!newline)
		return CTL_NO_DAEMON;
	line = json_loadb(client->buf + client->taken,
			  (size_t)(newline - client->buf) - client->taken, 0, &error);
	client->taken = (size_t)(newline - client->buf) + 1;
	if (!json_is_object(line)) {
		json_decref(line);
		ctl_complain("%s: that is no closewaitd: its answer is not JSON", client->path);
		return CTL_FAILED;
	}
	*ret_line = line;
	return CTL_OK;
}

int ctlclient_check(const json_t *answer)
{
	if (json_is_true(json_object_get(answer, "ok")))
		return CTL_OK;
	ctl_complain("%s", ctlprint_text(answer, "error"));
	if (strcmp(ctlprint_text(answer, "code"), CONTROL_DENIED) == 0)
		return CTL_DENIED;
	return CTL_FAILED;
}

int ctlclient_ask(const struct ctl *ctl, json_t *request, json_t **ret_answer)
{
	struct ctlclient *client = NULL;
	json_t *answer = NULL;
	int status = ctlclient_open(ctl, &client);

	if (status == CTL_OK)
		status = ctlclient_send(client, json_incref(request));
	if (status == CTL_OK)
		status = ctlclient_receive(client, false, &answer);
	if (status == CTL_OK)
		status = ctlclient_check(answer);
	ctlclient_close(client);
	json_decref(request);
	if (status == CTL_OK)
		*ret_answer = answer;
	else
		json_decref(answer);
	return status;
}

void ctlclient_print(const json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
}
