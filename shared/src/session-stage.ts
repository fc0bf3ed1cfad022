import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import { ClaimAttempts } from './claim-attempts.js';
import { ClaimExpiry } from './claim-expiry.js';
import { Claim, ClaimLostError } from './claim.js';
import type { Logger } from './logger.js';
import { consume, putBack, type ClaimQueue } from './queues.js';
import { type Redis, warnUnlessOutage } from './redis.js';

/** How many holders of a session may die, none of which got it any further, before it is given up. */
const MAX_DEATHS = 3;

/** Between two tries to end a session that was given up. */
const GIVE_UP_AGAIN_MS = 5_000;

/**
 * One session's work in one stage, from the claim to the session's end.
 *
 * Resolves when the session is over. When `signal` is aborted it must stop at once, leave every input
 * that is not acknowledged where it is, and resolve or reject: another replica goes on. It does the
 * same by itself, and rejects with a `ClaimLostError`, where it finds another at the session. It calls
 * `progressed` each time that it has got further than any holder before it.
 */
export type SessionWork = (
  sessionId: string,
  signal: AbortSignal,
  progressed: () => void,
) => Promise<void>;

interface StageOptions {
  queue: ClaimQueue;
  /** Most sessions that this replica holds at once. */
  concurrency: number;
  redis: Redis;
  log: Logger;
  work: SessionWork;
  /**
   * Ends a session whose holders died too often, or whose work failed. It is called while the claim is
   * held, and again, here or on another replica, until it has resolved once.
   */
  giveUp: (sessionId: string, reason: Error) => Promise<void>;
}

/**
 * The part of a stage that has state: holds claims on sessions and does the work of each.
 *
 * A claim is the session's one job in the stage's queue. It is held for as long as the work goes on;
 * when its holder dies the lock runs out and another replica gets it, with the session's unfinished
 * input still in its queue.
 */
export class SessionStage {
  private readonly worker: Worker;
  private readonly attempts: ClaimAttempts;
  private readonly expiry: ClaimExpiry;
  private readonly held = new Map<string, Claim>();
  private closing = false;

  constructor(private readonly options: StageOptions) {
    const { queue, concurrency, redis, log } = options;
    this.attempts = new ClaimAttempts(redis, queue);
    this.expiry = new ClaimExpiry(redis, queue, log);
    this.worker = consume(
      redis,
      { kind: queue },
      ({ sessionId }, job, token) => this.hold(sessionId, job, token),
      // Its count of deaths is never set back; ours is.
      { concurrency, maxStalledCount: Number.MAX_SAFE_INTEGER, skipLockRenewal: true },
    );
    this.worker.on('error', (error) => warnUnlessOutage(log, error, 'trouble with the claims'));
  }

  /** Sessions held at the moment. */
  get size(): number {
    return this.held.size;
  }

  /** Gives every claim back at once and takes no more. */
  async close(): Promise<void> {
    this.closing = true;
    this.expiry.close();
    const closed = this.worker.close();
    for (const claim of this.held.values()) claim.abort('hand over');
    await closed;
  }

  private async hold(sessionId: string, job: Job, token: string) {
    const claim = new Claim(job, token);
    const before = this.held.get(sessionId);
    this.held.set(sessionId, claim);
    try {
      // A claim may still arrive after close() has told all others to be given back.
      if (this.closing) throw new Error('the replica is closing');
      // The claim ran out, and came back here before that was known.
      await before?.giveWay();
      await this.workToTheEnd(sessionId, claim.signal);
    } catch (error) {
      if (!this.closing) throw error;
      this.options.log.info({ sessionId }, 'handing over');
      await this.attempts.forget(sessionId);
      await putBack(job, token);
    } finally {
      claim.release();
      if (this.held.get(sessionId) === claim) this.held.delete(sessionId);
    }
  }

  /** Rejects only where the session is another's, or another's to be. */
  private async workToTheEnd(sessionId: string, signal: AbortSignal): Promise<void> {
    const { log, work } = this.options;
    signal.throwIfAborted();
    const attempt = await this.attempts.begin(sessionId);
    // Work that begins after it was told to stop would never hear of it.
    signal.throwIfAborted();
    log.info({ sessionId, attempt }, 'claimed');
    try {
      if (attempt > MAX_DEATHS) throw new Error(`${MAX_DEATHS} holders died of it`);
      await work(sessionId, signal, () => this.attempts.progressed(sessionId));
    } catch (error) {
      if (signal.aborted || error instanceof ClaimLostError) throw error;
      log.error({ sessionId, err: error }, 'gave a session up');
      await this.insistOnEnd(sessionId, error as Error, signal);
    }
    if (signal.aborted) throw new Error('the work ended because it was told to');
    await this.attempts.forget(sessionId);
  }

  private async insistOnEnd(sessionId: string, reason: Error, signal: AbortSignal) {
    const { log, giveUp } = this.options;
    for (;;) {
      try {
        return await giveUp(sessionId, reason);
      } catch (error) {
        log.error({ sessionId, err: error }, 'could not end a session that was given up');
        await delay(GIVE_UP_AGAIN_MS, undefined, { signal });
      }
    }
  }
}
