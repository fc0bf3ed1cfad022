import { readdirSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 5;

/** Holds a process to a share of one core, by stopping it whenever it has had more than that. */
export class CpuLimit {
  private readonly timer: NodeJS.Timeout;
  private readonly startedAt = performance.now();
  private readonly usedBefore: number;
  private isStopped = false;

  constructor(
    private readonly pid: number,
    share: number,
  ) {
    this.usedBefore = cpuMs(pid);
    this.timer = setInterval(() => {
      const allowed = share * (performance.now() - this.startedAt);
      this.setStopped(cpuMs(pid) - this.usedBefore > allowed);
    }, LOOK_EVERY_MS);
  }

  /** Lets it run free. */
  lift(): void {
    clearInterval(this.timer);
    this.setStopped(false);
  }

  private setStopped(isStopped: boolean): void {
    if (this.isStopped === isStopped) return;
    this.isStopped = isStopped;
    process.kill(this.pid, isStopped ? 'SIGSTOP' : 'SIGCONT');
  }
}

/** What all threads of a process have used, in milliseconds (schedstat's first field: nanoseconds). */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const used = threads.map((thread) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return 0;
    }
  });
  return used.reduce((sum, ns) => sum + ns, 0) / 1e6;
}
