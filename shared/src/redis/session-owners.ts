import type { z } from 'zod';
import type { Redis } from './redis.js';
import { sessionSchema, type Session } from './session.js';
import { sessionOwnerKey } from './session-keys.js';

const sessionOwnerSchema = sessionSchema.pick({ resumeTokenHash: true, publisher: true });

/** Who may delete a session, and who may let others see it. */
export type SessionOwner = z.infer<typeof sessionOwnerSchema>;

/**
 * The owner of each session. Kept in Redis for longer than the session, because its recording and links
 * have an owner, too.
 */
export class SessionOwners {
  constructor(private readonly redis: Redis) {}

  /** Resolves to the session's owner, while it runs and as long afterwards as `remember` was told. */
  async get(id: string): Promise<SessionOwner | undefined> {
    const text = await this.redis.get(sessionOwnerKey(id));
    return text === null ? undefined : sessionOwnerSchema.parse(JSON.parse(text));
  }

  /** Stores the session's owner for `seconds` from now, however long the session runs. */
  async remember({ id, ...session }: Session, seconds: number): Promise<void> {
    const owner = JSON.stringify(sessionOwnerSchema.parse(session));
    await this.redis.set(sessionOwnerKey(id), owner, 'EX', seconds);
  }

  /** Keeps a stored owner for `seconds` from now. */
  async keep(id: string, seconds: number): Promise<void> {
    await this.redis.expire(sessionOwnerKey(id), seconds);
  }

  /** Removes the owner of a session. */
  async forget(id: string): Promise<void> {
    await this.redis.unlink(sessionOwnerKey(id));
  }
}
