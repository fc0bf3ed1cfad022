import type { Effect } from '@facecast/shared/ingest-protocol';
import { JobQueue } from '@facecast/shared/queues';
import type { Redis } from '@facecast/shared/redis';
import type { Session, SessionRegistry } from '@facecast/shared/sessions';

/** Begins and ends sessions, as far as a gateway is concerned: the pipeline does the rest. */
export class LiveSessions {
  private readonly decode: JobQueue<'decode'>;
  private readonly segment: JobQueue<'segment'>;

  constructor(
    private readonly redis: Redis,
    private readonly registry: SessionRegistry,
    private readonly limits: { maxSessions: number; resumeWindowSeconds: number },
  ) {
    this.decode = new JobQueue(redis, { kind: 'decode' });
    this.segment = new JobQueue(redis, { kind: 'segment' });
  }

  /**
   * Registers a session and puts its claims out.
   * @throws {TooManySessionsError} where there are as many as may be
   */
  async begin(wanted: {
    mimeType: string;
    effect: Effect;
    record: boolean;
  }): Promise<{ session: Session; resumeToken: string }> {
    const begun = await this.registry.create(wanted, this.limits.maxSessions);
    const { id } = begun.session;
    try {
      await this.publisherSeen(id);
      await this.decode.add({ sessionId: id }, { jobId: id });
      await this.segment.add({ sessionId: id }, { jobId: id });
      return begun;
    } catch (error) {
      // As far as Redis can still be told: the session must not take up a place.
      await this.registry.remove(id).catch(() => {});
      throw error;
    }
  }

  /** Says that a session's publisher is connected; it is expected back for as long as it may resume. */
  async publisherSeen(sessionId: string): Promise<void> {
    await this.registry.publisherSeen(sessionId, this.limits.resumeWindowSeconds);
  }

  /** Ends a session's input; what is queued is still processed. False where it is not running. */
  async end(sessionId: string): Promise<boolean> {
    if (!(await this.registry.get(sessionId))) return false;
    const chunks = new JobQueue(this.redis, { kind: 'chunks', sessionId });
    try {
      await chunks.add({ kind: 'end' }, { jobId: 'end' });
    } finally {
      await chunks.close();
    }
    return true;
  }

  async close(): Promise<void> {
    await Promise.all([this.decode.close(), this.segment.close()]);
  }
}
