import type { z } from 'zod';
import type { Redis } from './redis.js';
import { sessionSchema, type Session } from './session.js';
import { sessionOwnerKey } from './session-keys.js';

const sessionOwnerSchema = sessionSchema.pick({ resumeTokenHash: true, publisher: true });

/** Who may delete a session, and who may let others see it. */
export type SessionOwner = z.infer<typeof sessionOwnerSchema>;

/** Whose a session is: in Redis for longer than the session, because what is left of it has an owner, too. */
export class SessionOwners {
  constructor(private readonly redis: Redis) {}

  /** Whose session it is, while it runs and for as long afterwards as `remember` said. */
  async get(id: string): Promise<SessionOwner | undefined> {
    const text = await this.redis.get(sessionOwnerKey(id));
    return text === null ? undefined : sessionOwnerSchema.parse(JSON.parse(text));
  }

  /** Remembers for `seconds` from now whose a session is, whatever becomes of it. */
  async remember({ id, ...session }: Session, seconds: number): Promise<void> {
    const owner = JSON.stringify(sessionOwnerSchema.parse(session));
    await this.redis.set(sessionOwnerKey(id), owner, 'EX', seconds);
  }

  /** Puts off when it is forgotten whose a session is. */
  async keep(id: string, seconds: number): Promise<void> {
    await this.redis.expire(sessionOwnerKey(id), seconds);
  }

  /** Forgets whose a session was. */
  async forget(id: string): Promise<void> {
    await this.redis.unlink(sessionOwnerKey(id));
  }
}
