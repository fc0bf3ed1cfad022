import type { FrameStore } from '@facecast/shared/media/frame-store';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { JobQueue } from '@facecast/shared/redis/queues';
import { KEY_PREFIX, type Redis } from '@facecast/shared/redis/redis';
import { sessionOfKey } from '@facecast/shared/redis/session-keys';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';

/** Keys per SCAN: Redis does nothing else meanwhile. */
const KEYS_PER_SCAN = 500;

/**
 * Removes orphans that killed services left outside of the HLS volume: frames and keys of sessions that are
 * not running. Ends sessions in the registry that nobody owns.
 *
 * A session is in the registry before anything of it is made, and until all of it is removed. So what was
 * found before the registry was asked, of a session that is not in it, is an orphan.
 *
 * It looks through all keys and not only those of sessions that have just ended: a process that was frozen
 * may add a job to a session's queue at any time after its end, and BullMQ's keys never expire.
 */
export class OrphanSweeper {
  private unownedLastSweep = new Set<string>();

  constructor(
    private readonly deps: {
      redis: Redis;
      registry: SessionRegistry;
      frameStore: FrameStore;
      leaseJobs: JobQueue<'segment'>;
      /** Ends a session that nobody owns. */
      abandon: (sessionId: string) => Promise<void>;
      log: Logger;
    },
  ) {}

  async sweep(): Promise<void> {
    await this.removeFrames();
    await this.removeKeys();
    await this.endUnowned();
  }

  private async removeFrames(): Promise<void> {
    const { frameStore, registry, log } = this.deps;
    const found = await frameStore.sessions();
    const running = new Set(await registry.ids());
    for (const sessionId of found.filter((id) => !running.has(id))) {
      await frameStore.removeSession(sessionId);
      log.info({ sessionId }, 'removed orphaned frames');
    }
  }

  private async removeKeys(): Promise<void> {
    const { redis, registry, log } = this.deps;
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(
        cursor,
        'MATCH',
        `${KEY_PREFIX}:*`,
        'COUNT',
        KEYS_PER_SCAN,
      );
      cursor = next;
      const running = new Set(await registry.ids());
      const left = keys.filter((key) => {
        const sessionId = sessionOfKey(key);
        return sessionId !== undefined && !running.has(sessionId);
      });
      if (left.length === 0) continue;
      await redis.unlink(...left);
      log.info({ keys: left.length }, 'removed orphaned keys');
    } while (cursor !== '0');
  }

  /**
   * Ends sessions that had no lease job in two sweeps in a row: a gateway was killed while the session began,
   * or an owner while it gave it up.
   */
  private async endUnowned(): Promise<void> {
    const { registry, leaseJobs, abandon, log } = this.deps;
    const unclaimed = new Set<string>();
    for (const sessionId of await registry.ids()) {
      const leaseJob = await leaseJobs.find(sessionId);
      if (leaseJob && leaseJob.state !== 'failed') continue;
      if (this.unownedLastSweep.has(sessionId)) {
        log.warn({ sessionId }, 'session has no owner: ending it');
        await abandon(sessionId);
      } else unclaimed.add(sessionId);
    }
    this.unownedLastSweep = unclaimed;
  }
}
