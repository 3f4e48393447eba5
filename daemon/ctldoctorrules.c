/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules are looked at by the program that made them: only it knows what they should be. */
#include "config.h"

#include "ctldoctorrules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RULES_PROGRAM SBINDIR "/closewaitd-rules"
/* More than it prints; what matters stands first. */
#define OUTPUT_SIZE 16384
/* The child's exit status if the program could not be run, as a shell's. */
#define NOT_RUN 127

static int run_check(void *arg, int out)
{
	const struct ctl *ctl = arg;
	const char *program = getenv("CLOSEWAITD_RULES");

	program = program ? program : RULES_PROGRAM;
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
		execl(program, program, "check", "-c", ctl->conf_path, (char *)NULL);
	return NOT_RUN;
}

void doctor_rules_start(const struct ctl *ctl, struct doctor_rules *rules)
{
	*rules = (struct doctor_rules){.error = -EPERM};
	if (geteuid() == 0)
		rules->error = child_start(run_check, (void *)ctl, 0, &rules->child);
}

/* The line that begins with prefix, without that; false if there is none. */
static bool find_line(const char *output, const char *prefix, char *ret_line, size_t size)
{
	for (const char *line = output; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(ret_line, size, "%.*s", (int)(len - strlen(prefix)),
			 line + strlen(prefix));
		return true;
	}
	return false;
}

void doctor_rules_parse(const char *output, int status, struct doctor_rules *ret_rules)
{
	struct doctor_rules rules = {.state = DOCTOR_RULES_UNKNOWN};

	rules.all_ports = strstr(output, ", ports all)") != NULL;
	rules.bound = strstr(output, ": bound by port id ") != NULL;
	if (status == 0) {
		rules.state = DOCTOR_RULES_RIGHT;
	} else if (find_line(output, "wrong: ", rules.text, sizeof(rules.text))) {
		rules.state = strcmp(rules.text, "no rules are there") == 0 ? DOCTOR_RULES_NONE
									    : DOCTOR_RULES_WRONG;
	} else if (!find_line(output, "closewaitd-rules: ", rules.text, sizeof(rules.text))) {
		snprintf(rules.text, sizeof(rules.text), "closewaitd-rules check has failed (%d)",
			 status);
	}
	*ret_rules = rules;
}

void doctor_rules_finish(struct doctor_rules *rules, int64_t deadline_ms)
{
	char output[OUTPUT_SIZE];
	size_t len = 0;
	int status;

	if (rules->error == -EPERM) {
		snprintf(rules->text, sizeof(rules->text), "only root can see them: run as root");
		return;
	}
	status = rules->error ? rules->error
			      : child_finish(&rules->child, deadline_ms, output, sizeof(output) - 1,
					     &len);
	output[len] = '\0';
	if (status == -ETIMEDOUT)
		snprintf(rules->text, sizeof(rules->text),
			 "closewaitd-rules check has not ended in time");
	else if (status < 0 || status == NOT_RUN)
		snprintf(rules->text, sizeof(rules->text), "closewaitd-rules cannot be run: %s",
			 status < 0 ? strerror(-status) : "it is not installed");
	else
		doctor_rules_parse(output, status, rules);
}
