/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "pulse.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "lib/monotime.h"

#define PROCESSORS_MAX 8
#define PULSE_MS       2

/* Shared with the children. */
struct pulse {
	pid_t pids[PROCESSORS_MAX];
	atomic_long late_ms[PROCESSORS_MAX];
};

void pulse_stay_on_one_processor(unsigned int turn)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return;
	turn %= (unsigned int)CPU_COUNT(&all);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &all) && turn-- == 0)
			CPU_SET(cpu, &one);
	}
	sched_setaffinity(0, sizeof(one), &one);
}

_Noreturn static void beat(atomic_long *late_ms, unsigned int processor)
{
	const struct timespec pause = {.tv_nsec = PULSE_MS * 1000000L};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pulse_stay_on_one_processor(processor);
	for (;;) {
		int64_t start = mono_ns();

		nanosleep(&pause, NULL);
		*late_ms += (long)((mono_ns() - start) / 1000000) - PULSE_MS;
	}
}

struct pulse *pulse_start(void)
{
	struct pulse *pulse = mmap(NULL, sizeof(*pulse), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pulse, MAP_FAILED);
	for (unsigned int i = 0; i < PROCESSORS_MAX && i < (unsigned int)get_nprocs(); i++) {
		/* The child has its own copy of pid, and none of the shared field. */
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			beat(&pulse->late_ms[i], i);
		pulse->pids[i] = pid;
	}
	return pulse;
}

long pulse_stalled_ms(const struct pulse *pulse)
{
	long worst = 0;

	for (unsigned int i = 0; i < PROCESSORS_MAX; i++) {
		if (pulse->late_ms[i] > worst)
			worst = pulse->late_ms[i];
	}
	return worst;
}

long pulse_stalled_now_ms(const struct pulse *pulse)
{
	poll(NULL, 0, 10 * PULSE_MS);
	return pulse_stalled_ms(pulse);
}

void pulse_stop(struct pulse *pulse)
{
	for (unsigned int i = 0; i < PROCESSORS_MAX; i++) {
		if (pulse->pids[i] > 0) {
			kill(pulse->pids[i], SIGKILL);
			waitpid(pulse->pids[i], NULL, 0);
		}
	}
	munmap(pulse, sizeof(*pulse));
}
