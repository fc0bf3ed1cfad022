import { readdirSync, readFileSync } from 'node:fs';

/**
 * How long a process has waited in the run queue for a CPU so far, in milliseconds, summed over its
 * threads. Undefined on a system other than Linux, or for a process that is gone.
 *
 * Source: `/proc/<pid>/task/<tid>/schedstat`: nanoseconds on a CPU, nanoseconds in the run queue,
 * timeslices (Documentation/scheduler/sched-stats.rst).
 */
export function schedulerDelayMs(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((all, thread) => all + threadDelayMs(pid, thread), 0);
  } catch {
    return undefined;
  }
}

function threadDelayMs(pid: number, thread: string): number {
  try {
    const [, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
    return Number(waited) / 1e6;
  } catch (error) {
    // The thread has ended since, or the system has no schedstat.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
