import type { Worker } from 'bullmq';
import type { Logger } from './logger.js';
import { consume, putBack, type ClaimQueue } from './queues.js';
import type { Redis } from './redis.js';

/** How often a session may be found with its holder dead before it is given up. */
const MAX_DEATHS = 3;

/**
 * One session's work in one stage, from the claim to the session's end.
 *
 * Resolves when the session is over. When `signal` is aborted it must stop at once, leave every input
 * that is not acknowledged where it is, and resolve or reject: another replica goes on.
 */
export type SessionWork = (sessionId: string, signal: AbortSignal) => Promise<void>;

/**
 * The part of a stage that has state: holds claims on sessions and does the work of each.
 *
 * A claim is the session's one job in the stage's queue. It is held for as long as the work goes on;
 * when its holder dies the lock runs out and another replica gets it, with the session's unfinished
 * input still in its queue.
 */
export class SessionStage {
  private readonly worker: Worker;
  private readonly held = new Set<string>();
  private closing = false;

  constructor(options: {
    queue: ClaimQueue;
    /** Most sessions that this replica holds at once. */
    concurrency: number;
    redis: Redis;
    log: Logger;
    work: SessionWork;
    /** Called on one of the replicas for a session whose holders died too often, or whose work failed. */
    giveUp: (sessionId: string, reason: Error) => Promise<void>;
  }) {
    const { queue, concurrency, redis, log, work, giveUp } = options;
    this.worker = consume(
      redis,
      { kind: queue },
      async ({ sessionId }, job, token, signal) => {
        this.held.add(sessionId);
        try {
          // A claim may still arrive after close() has told all others to be given back.
          if (this.closing) throw new Error('the replica is closing');
          log.info({ sessionId }, 'claimed');
          await work(sessionId, signal);
          if (signal.aborted) throw new Error('the work ended because it was told to');
        } catch (error) {
          if (!this.closing) throw error;
          log.info({ sessionId }, 'handing over');
          await putBack(job, token);
        } finally {
          this.held.delete(sessionId);
        }
      },
      { concurrency, maxStalledCount: MAX_DEATHS },
    );
    this.worker.on('error', (error) => log.warn({ err: error }, 'trouble with the claims'));
    this.worker.on('lockRenewalFailed', (jobIds: string[]) => {
      for (const id of jobIds) this.worker.cancelJob(id, 'the claim is lost');
    });
    this.worker.on('failed', (job, error) => {
      const sessionId = (job?.data as { sessionId?: string } | undefined)?.sessionId;
      if (sessionId === undefined) return;
      log.error({ sessionId, err: error }, 'gave a session up');
      giveUp(sessionId, error).catch((failure: unknown) =>
        log.error({ sessionId, err: failure }, 'could not end a session that was given up'),
      );
    });
  }

  /** Sessions held at the moment. */
  get size(): number {
    return this.held.size;
  }

  /** Gives every claim back at once and takes no more. */
  async close(): Promise<void> {
    this.closing = true;
    const closed = this.worker.close();
    this.worker.cancelAllJobs('hand over');
    await closed;
  }
}
