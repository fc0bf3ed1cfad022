import { access, constants } from 'node:fs/promises';
import { redisCheck, type HealthCheck } from '@facecast/shared/runtime/health';
import { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';

const WORKED_QUEUES = ['decode', 'detect', 'segment'] as const;

/** Checks that a session can run from end to end: each stage has a worker. */
export class Readiness {
  readonly checks: Record<string, HealthCheck>;
  private readonly queues: JobQueue<(typeof WORKED_QUEUES)[number]>[];

  constructor(redis: Redis, hlsDir: string) {
    this.queues = WORKED_QUEUES.map((kind) => new JobQueue(redis, { kind }));
    this.checks = {
      redis: redisCheck(redis),
      hls: () => access(hlsDir, constants.R_OK | constants.X_OK),
      ...Object.fromEntries(
        WORKED_QUEUES.map((kind, i) => [kind, () => requireWorker(this.queues[i])]),
      ),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.close()));
  }
}

async function requireWorker(queue: Pick<JobQueue<'decode'>, 'workers'> | undefined) {
  if (!(await queue?.workers())) throw new Error('nobody is at work');
}
