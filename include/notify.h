/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: what the service manager is told (sd_notify(3)). Does nothing where none has asked.
 */
#ifndef CW_NOTIFY_H
#define CW_NOTIFY_H

#include <stdint.h>

/* The service works; also the end of a reload. status: one line for "systemctl status". */
void notify_ready(const char *status);
/* A reload begins; notify_ready() ends it, whether or not it succeeded. */
void notify_reloading(void);
void notify_stopping(void);
/* The keep-alive. */
void notify_watchdog(void);
/* How often it must come at least, in microseconds; 0: nobody waits for it. */
uint64_t notify_watchdog_us(void);

#endif
