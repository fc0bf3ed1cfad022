import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import { KEY_PREFIX, type Redis, warnUnlessOutage } from '@facecast/shared/redis/redis';

/**
 * Time from a session's end to the rewrite, in milliseconds, in which the other services remove its last
 * keys.
 */
const SETTLE_MS = 250;
/** Time between two tries, in milliseconds, while an earlier rewrite runs. */
const RETRY_MS = 100;
const MAX_TRIES = 50;
/**
 * Lifetime of the key by which only one gateway rewrites, in milliseconds: longer than an event takes to
 * reach the slowest.
 */
const LOCK_MS = 2_000;

/**
 * Has Redis rewrite its append-only file after sessions have ended: until then the file keeps every value
 * that was written, unhidden pictures of ended sessions included.
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

  /** Receives an event; `ended` makes a rewrite due. */
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

  /** Whether Redis keeps a log: if not, a rewrite would begin one. */
  private async hasLog(): Promise<boolean> {
    return (await this.redis.info('persistence')).includes('aof_enabled:1');
  }

  /** Whether this gateway is to rewrite for one of the sessions, and no other gateway. */
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
