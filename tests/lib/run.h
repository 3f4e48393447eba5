/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and firewall rules, run with an argument vector: no shell, no quoting. */
#ifndef TEST_RUN_H
#define TEST_RUN_H

/*
 * Runs argv[0] from PATH and waits for it; its output goes to our stderr. Returns its exit status
 * (128 + signal if it was killed), or a negative errno if it could not be started.
 */
int run_command(const char *const argv[]);

/*
 * Runs `iptables -w ARG...` (AF_INET) or `ip6tables -w ARG...` (AF_INET6); the list ends with a
 * null pointer. 0, -ENOENT if the command is missing, -EINVAL if it refused (it has said why).
 */
int run_iptables(int family, ...) __attribute__((sentinel));

#endif
