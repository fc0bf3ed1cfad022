import { ChunkStore } from '@facecast/shared/redis/chunks';
import type { ChunkJob } from '@facecast/shared/protocol/messages';
import { consume, JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';

/** What the stages after the gateway do to a session's chunks, for tests. */
export class TestPipeline {
  readonly jobs: ChunkJob[] = [];
  readonly texts: string[] = [];
  private next = 0;
  private readonly waiters = new Set<() => void>();
  private readonly worker;

  /** Takes the session's chunks from now on. */
  constructor(
    private readonly redis: Redis,
    private readonly sessionId: string,
  ) {
    const chunks = new ChunkStore(redis);
    this.worker = consume<'chunks'>(redis, { kind: 'chunks', sessionId }, async (job) => {
      if (job.kind === 'chunk') {
        // A repeat, which whoever decodes passes over.
        if (job.n < this.next) return;
        this.next = job.n + 1;
        this.texts.push(String(await chunks.read(sessionId, job.n)));
        await chunks.remove(sessionId, job.n, job.n + 1);
      }
      this.jobs.push(job);
      for (const resolve of this.waiters) resolve();
      this.waiters.clear();
    });
  }

  /** Numbers of the chunks that came, in their order; the end is `end`. */
  get order(): (number | 'end')[] {
    return this.jobs.map((job) => (job.kind === 'end' ? 'end' : job.n));
  }

  async took(count: number): Promise<void> {
    while (this.jobs.length < count) {
      await new Promise<void>((resolve) => this.waiters.add(resolve));
    }
  }

  /** Takes no more, and removes the queue where the session is over. */
  async close(options: { isOver?: boolean } = {}): Promise<void> {
    await this.worker.close();
    if (!options.isOver) return;
    const queue = new JobQueue<'chunks'>(this.redis, {
      kind: 'chunks',
      sessionId: this.sessionId,
    });
    await queue.obliterate();
    await queue.close();
  }
}
