import { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionOwners } from '@facecast/shared/redis/session-owners';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';

/** From the publisher's leaving to the session's end, whatever is in the queue. */
const MAX_ENDING_SECONDS = 600;

/** Begins and ends sessions, as far as a gateway is concerned: the pipeline does the rest. */
export class LiveSessions {
  private readonly decode: JobQueue<'decode'>;
  private readonly segment: JobQueue<'segment'>;

  constructor(
    private readonly redis: Redis,
    private readonly registry: SessionRegistry,
    private readonly owners: SessionOwners,
    private readonly limits: {
      maxSessions: number;
      resumeWindowSeconds: number;
      /** How long an ended session stays playable. */
      retentionSeconds: number;
    },
  ) {
    this.decode = new JobQueue(redis, { kind: 'decode' });
    this.segment = new JobQueue(redis, { kind: 'segment' });
  }

  /** How long an ended session stays playable. */
  get keptMinutes(): number {
    return this.limits.retentionSeconds / 60;
  }

  /** How long a session is kept for a publisher whose connection was lost. */
  get resumeSeconds(): number {
    return this.limits.resumeWindowSeconds;
  }

  /** Whether one more may run, as it looks at the moment. */
  async hasRoom(): Promise<boolean> {
    return (await this.registry.count()) < this.limits.maxSessions;
  }

  /**
   * Registers a session whose first media has come, and puts its claims out.
   * @param replaces a session that takes no place any more, because it is about to be deleted
   * @throws {TooManySessionsError} where there are as many as may be
   */
  async begin(session: Session, replaces?: string): Promise<void> {
    const { id } = session;
    await this.registry.register(session, this.limits.maxSessions, replaces);
    try {
      await this.owners.remember(session, this.ownerSeconds);
      await this.publisherSeen(id);
      await this.decode.add({ sessionId: id }, { jobId: id });
      await this.segment.add({ sessionId: id }, { jobId: id });
    } catch (error) {
      // As far as Redis can still be told: the session must not take up a place.
      await this.registry.remove(id).catch(() => {});
      await this.owners.forget(id).catch(() => {});
      throw error;
    }
  }

  /** Says that a session's publisher is connected; it is expected back for as long as it may resume. */
  async publisherSeen(sessionId: string): Promise<void> {
    await this.registry.publisherSeen(sessionId, this.limits.resumeWindowSeconds);
    await this.owners.keep(sessionId, this.ownerSeconds);
  }

  private get ownerSeconds(): number {
    const { resumeWindowSeconds, retentionSeconds } = this.limits;
    return resumeWindowSeconds + MAX_ENDING_SECONDS + Math.ceil(retentionSeconds);
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
