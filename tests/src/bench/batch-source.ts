import { setTimeout as after } from 'node:timers/promises';
import { frameBytes, type FrameStore } from '@facecast/shared/media/frame-store';
import { detectJobId, JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import { sessionKey } from '@facecast/shared/redis/session-keys';
import { HEIGHT, WIDTH } from '../support/clips.js';

/**
 * As many as four detectors with a quarter of a core each can search live. With fewer, detectors would have
 * batches of one session at once, which no live session has, and know less of it than one that has all.
 */
const SESSIONS = 10;
export const FRAMES_A_BATCH = 3;
/** Enough that no detector ever waits for work. */
const BATCHES_WAITING = 16;

/** What the stages around the detectors do: gives them batches of several sessions, and takes them back. */
export class BatchSource {
  /** Batches that were marked. */
  count = 0;
  private readonly detect: JobQueue<'detect'>;
  private readonly next = new Array<number>(SESSIONS).fill(0);
  private added = 0;

  constructor(
    private readonly redis: Redis,
    private readonly store: FrameStore,
    private readonly frames: Buffer,
  ) {
    this.detect = new JobQueue(redis, { kind: 'detect' });
  }

  async feed(signal: AbortSignal): Promise<void> {
    for (let session = 0; session < SESSIONS; session++) {
      const sessionId = `session-${session}`;
      await this.store.openSession(sessionId);
      await this.redis.hset(sessionKey(sessionId), 'id', sessionId);
    }
    while (!signal.aborted) {
      while (this.added - this.count < BATCHES_WAITING) await this.add(this.added % SESSIONS);
      await this.takeBack();
      await after(10);
    }
  }

  async close(): Promise<void> {
    await this.detect.close();
  }

  private async add(session: number): Promise<void> {
    const sessionId = `session-${session}`;
    const batch = this.next[session] ?? 0;
    this.next[session] = batch + 1;
    const bytes = FRAMES_A_BATCH * frameBytes(WIDTH, HEIGHT);
    const at = (batch * bytes) % (this.frames.length - (this.frames.length % bytes));
    await this.store.write(
      { sessionId, batch, kind: 'decoded' },
      this.frames.subarray(at, at + bytes),
    );
    const now = Date.now();
    const job = {
      ...{ sessionId, batch, firstFrame: batch * FRAMES_A_BATCH, frameCount: FRAMES_A_BATCH },
      ...{ width: WIDTH, height: HEIGHT, samples: 0, receivedAt: now, decodedAt: now },
      // Ahead of its time: every frame is searched, however long it takes.
      capturedAt: now + 3_600_000,
      effect: 'box' as const,
    };
    await this.detect.add(job, { jobId: detectJobId(job) });
    this.added++;
  }

  private async takeBack(): Promise<void> {
    for (let session = 0; session < SESSIONS; session++) {
      const sessionId = `session-${session}`;
      const key = `facecast:marked:${sessionId}`;
      const entries = await this.redis.xrange(key, '-', '+');
      for (const [id, fields] of entries) {
        const { batch } = JSON.parse(fields[1] ?? '{}') as { batch: number };
        await this.store.remove({ sessionId, batch, kind: 'decoded' });
        await this.store.remove({ sessionId, batch, kind: 'marked' });
        await this.redis.xdel(key, id);
        this.count++;
      }
    }
  }
}
