/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon is asked, since it knows the mode and the policy in force. Where it does not run, or
 * may not be asked, the kernel is asked from here, and the policy is the configuration file's.
 */
#include "config.h"

#include "conf.h"
#include "control.h"
#include "ctl.h"
#include "ctlclient.h"
#include "ctloptions.h"
#include "ctlprint.h"
#include "explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- without the daemon -----------------------------------------------------------------------*/

static int open_sources(struct explain_sources *sources)
{
	int err;

	if ((err = diag_open(&sources->diag)) < 0 || (err = hostaddr_open(&sources->host)) < 0 ||
	    (err = cgroup_open(CGROUP_WALK_TOOL_US, &sources->cgroups)) < 0)
		return err;
	return 0;
}

static int load_policy(const struct ctl *ctl, struct conf **ret_conf)
{
	char error[CONF_ERROR_SIZE];
	int err = conf_load(ctl->conf_path, ret_conf, error);

	if (err == -ENOENT) {
		ctl_complain("%s does not exist: by the default policy", ctl->conf_path);
		err = conf_defaults(ret_conf);
	} else if (err < 0) {
		ctl_complain("%s", error);
	}
	return err;
}

static int explain_here(const struct ctl *ctl, const struct tuple *syn, json_t **ret_answer)
{
	struct explain_sources sources = {NULL, NULL, NULL};
	struct explanation explanation;
	struct conf *conf = NULL;
	int status = CTL_FAILED;
	int err;

	if (load_policy(ctl, &conf) < 0)
		return CTL_FAILED;
	err = open_sources(&sources);
	if (err < 0) {
		ctl_complain("explain: cannot ask the kernel: %s", strerror(-err));
	} else {
		explain_syn(&sources, &conf->policy, conf->mode, syn, &explanation);
		*ret_answer = json_pack(
			"{s:o, s:b, s:i}", "explanation",
			explain_object(&explanation,
				       cgroup_path(sources.cgroups,
						   explanation.incident.occupant.cgroup_id)),
			"ok", 1, "version", CONTROL_VERSION);
		status = CTL_OK;
	}
	cgroup_close(sources.cgroups);
	hostaddr_close(sources.host);
	diag_close(sources.diag);
	conf_free(conf);
	return status;
}

/* --- with it ----------------------------------------------------------------------------------*/

static int explain_there(struct ctlclient *client, const char *src, const char *dst,
			 json_t **ret_answer)
{
	json_t *answer = NULL;
	int status = ctlclient_send(
		client, json_pack("{s:s, s:s, s:s}", "request", "explain", "src", src, "dst", dst));

	if (status == CTL_OK)
		status = ctlclient_receive(client, false, &answer);
	if (status == CTL_OK)
		status = ctlclient_check(answer);
	if (status == CTL_OK)
		*ret_answer = answer;
	else
		json_decref(answer);
	return status;
}

/* --- in words ---------------------------------------------------------------------------------*/

static const char *meaning(const char *event)
{
	static const struct {
		enum finding finding;
		const char *text;
	} meanings[] = {
		{FINDING_NO_LISTENER, "nobody listens there: the SYN passes, and is refused"},
		{FINDING_LISTENER, "it reaches the listener: the SYN passes"},
		{FINDING_ACCEPT_QUEUE_FULL,
		 "the listener's accept queue is full: the SYN passes, and is not answered until "
		 "the server accepts connections"},
		{FINDING_NOT_STALE,
		 "a socket is there whose state stale.states does not name: the SYN passes"},
		{FINDING_COLLISION, "a collision: a stale socket, and its peer is certainly gone"},
		{FINDING_DUPLICATE_SYN,
		 "a stale socket, but its peer still exists: the SYN passes, since it is a "
		 "duplicate or forged"},
		{FINDING_UNPROVEN,
		 "a stale socket, but nobody at the source is connecting at this moment, so that "
		 "its peer is not proven gone: the SYN passes"},
		{FINDING_FOREIGN_SOURCE,
		 "a stale socket, but the source is another host's address: the SYN passes"},
		{FINDING_LOOKUP_FAILED, "the kernel gave no usable answer: the SYN passes"},
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strcmp(finding_name(meanings[i].finding), event) == 0)
			return meanings[i].text;
	}
	return event;
}

static void print_decision(const char *name, const json_t *decision)
{
	const char *error = ctlprint_text(decision, "error");

	ctlprint_pair(name, COLOUR_NONE, "rule %s: %s; the result would be: %s%s%s",
		      ctlprint_text(decision, "rule"), ctlprint_text(decision, "action"),
		      ctlprint_text(decision, "result"), error[0] ? ": " : "", error);
}

static void print_explanation(const json_t *e, bool by_daemon)
{
	const json_t *if_proven = json_object_get(e, "if_proven");
	const char *claimant = ctlprint_text(e, "claimant");
	const char *error = ctlprint_text(e, "error");
	char occupant[512];

	ctlprint_occupant(e, occupant, sizeof(occupant));
	printf("SYN %s -> %s\n", ctlprint_text(e, "src"), ctlprint_text(e, "dst"));
	ctlprint_pair(json_object_get(e, "backlog") ? "listener" : "occupant", COLOUR_NONE, "%s",
		      occupant);
	if (json_object_get(e, "cookie"))
		ctlprint_pair("", COLOUR_DIM, "inode %" PRIu64 ", cookie %s%s%s",
			      ctlprint_number(e, "inode"), ctlprint_text(e, "cookie"),
			      json_object_get(e, "cgroup") ? ", cgroup " : "",
			      ctlprint_text(e, "cgroup"));
	if (claimant[0])
		ctlprint_pair("claimant", COLOUR_NONE, "%s", claimant);
	ctlprint_pair("finding", COLOUR_NONE, "%s", meaning(ctlprint_text(e, "event")));
	if (json_object_get(e, "action"))
		print_decision("decision", e);
	else if (error[0])
		ctlprint_pair("error", COLOUR_BAD, "%s", error);
	if (if_proven)
		print_decision("were it proven", if_proven);
	ctlprint_pair("mode", COLOUR_NONE, "%s%s", ctlprint_text(e, "mode"),
		      by_daemon ? "" : ", by the configuration file: no daemon was asked");
}

int ctl_explain(struct ctl *ctl, int argc, char **argv)
{
	int first = ctl_arguments(ctl, argc, argv, NULL, 0, 2);
	struct ctlclient *client = NULL;
	struct tuple syn = {.scope = 0};
	json_t *answer = NULL;
	bool by_daemon;
	int status;

	if (first < 0)
		return CTL_USAGE;
	for (int i = 0; i < 2; i++) {
		if (endpoint_parse(argv[first + i], i == 0 ? &syn.src : &syn.dst) < 0) {
			ctl_complain("explain: '%s' is no address with a port: 127.0.0.1:80 or "
				     "[::1]:80",
				     argv[first + i]);
			return CTL_USAGE;
		}
	}
	by_daemon = ctlclient_try(ctl, &client) == CTL_OK;
	status = by_daemon ? explain_there(client, argv[first], argv[first + 1], &answer)
			   : explain_here(ctl, &syn, &answer);
	ctlclient_close(client);
	if (status != CTL_OK)
		return status;
	json_object_set_new(answer, "asked", json_string(by_daemon ? "daemon" : "kernel"));
	if (ctl->json)
		ctlclient_print(answer);
	else
		print_explanation(json_object_get(answer, "explanation"), by_daemon);
	json_decref(answer);
	return CTL_OK;
}
