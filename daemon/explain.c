/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "explain.h"
#include "event.h"

#include <errno.h>
#include <string.h>

static void look_twice(const struct explain_sources *sources, const struct policy *policy,
		       const struct tuple *syn, struct judgement *j)
{
	const struct tuple occupant = tuple_reverse(syn);
	const struct diag_request requests[] = {
		{occupant, j->occupant.cookie, true},
		{*syn, DIAGMSG_ANY_SOCKET, false},
	};
	struct diag_answer answers[2];

	diag_lookup(sources->diag, requests, 2, answers);
	judge_second_look(j, policy->stale, &answers[0]);
	if (j->suspect)
		judge_claimant(j, &answers[1]);
}

static void look_elsewhere(const struct explain_sources *sources, const struct tuple *syn,
			   struct judgement *j)
{
	struct sock_info only = {0};
	size_t count = 0;
	int err = diag_sockets_on(sources->diag, &syn->src, JUDGE_CONNECTED, &only, 1, &count);

	judge_elsewhere(j, err, count, &only);
}

static void look_for_other_peer(const struct explain_sources *sources, const struct tuple *syn,
				struct judgement *j)
{
	struct sock_info first;
	size_t count = 0;
	int err = diag_sockets_on(sources->diag, &syn->src, judge_peer_states(j->occupant.state),
				  &first, 1, &count);

	judge_other_peer(j, err, count);
}

static void look(const struct explain_sources *sources, const struct policy *policy,
		 const struct tuple *syn, struct judgement *j)
{
	const struct diag_request first = {tuple_reverse(syn), DIAGMSG_ANY_SOCKET, false};
	struct diag_answer answer;

	diag_lookup(sources->diag, &first, 1, &answer);
	judge_occupant(j, policy->stale, &answer);
	if (!j->suspect)
		return;
	if (!addr_is_loopback(&syn->src.addr) &&
	    !hostaddr_is_local(sources->host, &syn->src.addr)) {
		judge_foreign(j);
		return;
	}
	look_twice(sources, policy, syn, j);
	if (j->suspect)
		look_elsewhere(sources, syn, j);
	else if (j->proof == PROOF_EXACT && hostaddr_tracks_connections())
		look_for_other_peer(sources, syn, j);
}

static void decide(const struct explain_sources *sources, const struct policy *policy,
		   enum mode mode, const struct endpoint *dst, struct judgement *j)
{
	judge_decide(j, policy, mode, dst, cgroup_unit(sources->cgroups, j->occupant.cgroup_id));
	if (j->result == RESULT_LIMITED)
		judge_destroy(j, judge_is_closed(j) && !diag_destroys_closed() ? -EOPNOTSUPP : 0);
}

void explain_syn(const struct explain_sources *sources, const struct policy *policy, enum mode mode,
		 const struct tuple *syn, struct explanation *ret_explanation)
{
	struct explanation *e = ret_explanation;
	struct judgement j = {.finding = FINDING_NOT_JUDGED};
	struct tuple scoped = *syn;

	memset(e, 0, sizeof(*e));
	scoped.scope = tuple_linklocal(syn)
			       ? hostaddr_interface(sources->host, tuple_linklocal(syn))
			       : hostaddr_lo(sources->host);
	look(sources, policy, &scoped, &j);
	if (j.finding == FINDING_COLLISION)
		decide(sources, policy, mode, &scoped.dst, &j);
	e->incident = judge_incident(&j, &scoped, mode);

	if (j.finding == FINDING_UNPROVEN || j.finding == FINDING_DUPLICATE_SYN) {
		decide(sources, policy, mode, &scoped.dst, &j);
		e->has_if_proven = true;
		e->action = j.decision.action;
		e->result = j.result;
		e->error = j.error;
		strncpy(e->rule, j.decision.rule, sizeof(e->rule) - 1);
	}
}

json_t *explain_object(const struct explanation *explanation, const char *cgroup)
{
	struct event_field fields[EVENT_FIELDS_MAX];
	struct event_text text;
	size_t n = event_fields(&explanation->incident, cgroup, &text, fields);
	json_t *object = event_object(fields, n);

	/* No SYN has come, so these two say nothing. */
	json_object_del(object, "time");
	json_object_del(object, "verdict_us");
	json_object_set_new(object, "mode", json_string(mode_name(explanation->incident.mode)));
	if (explanation->has_if_proven)
		json_object_set_new(
			object, "if_proven",
			json_pack("{s:s, s:s, s:s, s:s*}", "rule", explanation->rule, "action",
				  action_name(explanation->action), "result",
				  result_name(explanation->result), "error",
				  explanation->error ? strerror(-explanation->error) : NULL));
	return object;
}
