import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import { KEY_PREFIX, type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';

/** From a session's end to the rewrite: the other services remove its last keys meanwhile. */
const SETTLE_MS = 250;
/** While another rewrite runs, which began before the keys were gone. */
const RETRY_MS = 100;
const MAX_TRIES = 50;
/** Of all gateways that hear of an end, one rewrites: longer than the news takes to the slowest. */
const LOCK_MS = 2_000;

/**
 * Makes Redis forget the chunks of ended sessions. Its append-only file keeps every value that was ever
 * written until the file is rewritten: unhidden pictures, in memory, but of people who have gone.
 */
export class AofRewriter {
  private timer: NodeJS.Timeout | undefined;
  private ended = new Set<string>();
  private isClosed = false;

  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
    private readonly settleMs = SETTLE_MS,
  ) {}

  /** Takes notice of an event: an `ended` makes a rewrite due. */
  receive({ type, sessionId }: FacecastEvent): void {
    if (type !== 'ended') return;
    this.ended.add(sessionId);
    this.timer ??= setTimeout(() => void this.rewrite(), this.settleMs);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private async rewrite(): Promise<void> {
    const { ended } = this;
    this.timer = undefined;
    this.ended = new Set();
    try {
      if ((await this.hasLog()) && (await this.isOurs(ended))) await this.tryRewrite();
    } catch (error) {
      warnUnlessOutage(this.log, error, 'ended sessions may still be in the log of Redis');
    }
  }

  /** Where Redis keeps no log, a rewrite would begin one. */
  private async hasLog(): Promise<boolean> {
    return (await this.redis.info('persistence')).includes('aof_enabled:1');
  }

  /** Whether one of the sessions is ours to rewrite for, and not another gateway's. */
  private async isOurs(sessionIds: Set<string>): Promise<boolean> {
    const locks = [...sessionIds].map((id) =>
      this.redis.set(`${KEY_PREFIX}:aof-rewrite:${id}`, '1', 'PX', LOCK_MS, 'NX'),
    );
    return (await Promise.all(locks)).includes('OK');
  }

  private async tryRewrite(tries = 1): Promise<void> {
    try {
      await this.redis.bgrewriteaof();
    } catch (error) {
      const isBusy = (error as Error).message.includes('in progress');
      if (!isBusy || tries === MAX_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (!this.isClosed) await this.tryRewrite(tries + 1);
    }
  }
}
