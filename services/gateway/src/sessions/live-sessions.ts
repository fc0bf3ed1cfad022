import { JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionOwners } from '@facecast/shared/redis/session-owners';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';

/** Maximum time from the publisher's leaving to the session's end, in seconds. */
const MAX_ENDING_SECONDS = 600;

/** The gateway's part in beginning and ending sessions. */
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

  /** How long a publisher may resume after a lost connection, in seconds. */
  get resumeSeconds(): number {
    return this.limits.resumeWindowSeconds;
  }

  /** Resolves to whether one more session may run at the moment. */
  async hasRoom(): Promise<boolean> {
    return (await this.registry.count()) < this.limits.maxSessions;
  }

  /**
   * Registers a session whose first media has come, and adds its lease jobs.
   * @param replaces a session that takes no place any more, because it is about to be deleted
   * @throws {TooManySessionsError} if the maximum number of sessions run
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
      // Best effort: the session must not count towards the maximum.
      await this.registry.remove(id).catch(() => {});
      await this.owners.forget(id).catch(() => {});
      throw error;
    }
  }

  /** Records that a session's publisher is connected; it is expected back for as long as it may resume. */
  async publisherSeen(sessionId: string): Promise<void> {
    await this.registry.publisherSeen(sessionId, this.limits.resumeWindowSeconds);
    await this.owners.keep(sessionId, this.ownerSeconds);
  }

  private get ownerSeconds(): number {
    const { resumeWindowSeconds, retentionSeconds } = this.limits;
    return resumeWindowSeconds + MAX_ENDING_SECONDS + Math.ceil(retentionSeconds);
  }

  /** Ends a session's input; queued chunks are still processed. Resolves to false if it is not running. */
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
