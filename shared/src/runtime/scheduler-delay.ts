import { readdirSync, readFileSync } from 'node:fs';

/**
 * How long a process has waited for a CPU so far, in milliseconds, all of its threads together. It had
 * something to do in that time, and was not let.
 *
 * Linux tells it in `/proc/<pid>/task/<tid>/schedstat`: nanoseconds on a CPU, nanoseconds in the run
 * queue, and turns (Documentation/scheduler/sched-stats.rst). Undefined where nobody tells: on another
 * system, or of a process that is gone.
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
    // The thread has ended since; or nobody tells of any.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
