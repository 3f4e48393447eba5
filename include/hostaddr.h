/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostaddr: what this network namespace says about its own addresses, interfaces and settings.
 *
 * Over rtnetlink, at the moment it is asked; loopback devices through libnfnetlink's interface
 * table. One thread at a time.
 */
#ifndef CW_HOSTADDR_H
#define CW_HOSTADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct hostaddr;

/*
 * The network namespace is the caller's, for ever: each call is to be made in it. -ENOMEM, or the
 * errno of the socket.
 */
int hostaddr_open(struct hostaddr **ret_host);
void hostaddr_close(struct hostaddr *host);

/* Whether ifindex is a loopback device; no system call for one that was asked for before. */
bool hostaddr_is_loopback_device(struct hostaddr *host, uint32_t ifindex);
/* The index of lo, which every network namespace has; 0 if it could not be told. */
uint32_t hostaddr_lo(const struct hostaddr *host);
/*
 * Whether the address belongs to this host: a route of type local leads to it. false also when
 * the kernel gives no answer.
 */
bool hostaddr_is_local(struct hostaddr *host, const struct in6_addr *addr);
/*
 * The interface that owns a link-local address: 0 if none, or if several do and nothing says
 * which one is meant.
 */
uint32_t hostaddr_interface(struct hostaddr *host, const struct in6_addr *addr);
/*
 * Whether connection tracking is at work, without which nothing rewrites a destination (REDIRECT,
 * DNAT); true also where the kernel does not tell.
 */
bool hostaddr_tracks_connections(void);
/*
 * How long an orphan stays in FIN_WAIT_2 (net.ipv4.tcp_fin_timeout); the kernel's default of 60 s
 * where it cannot be read.
 */
uint64_t hostaddr_fin_timeout_ms(void);
/*
 * For how long connection tracking remembers a half-closed connection on which nothing is sent, and
 * with it what it has rewritten; 0 where it is not at work.
 */
uint64_t hostaddr_remembered_ms(void);

#endif
