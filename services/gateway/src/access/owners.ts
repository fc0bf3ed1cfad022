import { isResumeToken } from '@facecast/shared/redis/session';
import type { SessionOwner, SessionOwners } from '@facecast/shared/redis/session-owners';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import type { IncomingMessage } from 'node:http';
import type { Recordings } from '../media/recordings.js';
import { sameSecret } from './tokens.js';
import type { Bearers } from './bearers.js';
import type { PublishTokens } from './publish-tokens.js';

/** Who may do everything to a session: its publisher, and who has the tokens of all. */
export class Owners {
  constructor(
    private readonly parts: {
      registry: SessionRegistry;
      sessionOwners: SessionOwners;
      recordings: Recordings;
      publishTokens: PublishTokens;
      adminToken: string | undefined;
      bearers: Bearers;
    },
  ) {}

  /** Whether a token is that of whoever runs the server. */
  isAdmin(token: string): boolean {
    const { adminToken } = this.parts;
    return adminToken !== undefined && sameSecret(token, adminToken);
  }

  /** Whose a session is, running, ended or recorded; undefined where nothing (more) is known of it. */
  async of(sessionId: string): Promise<SessionOwner | undefined> {
    const { registry, sessionOwners, recordings } = this.parts;
    return (
      (await sessionOwners.get(sessionId)) ??
      (await registry.get(sessionId)) ??
      (await recordings.about(sessionId))
    );
  }

  /**
   * Lets in who owns a session; resolves to who that is.
   * @throws {Refusal} where the request has no token, or a wrong one
   */
  require(request: IncomingMessage, token: string, owner: SessionOwner): string {
    const { bearers, publishTokens } = this.parts;
    let subject = 'publisher';
    bearers.require(request, token, {
      made: (given) => {
        if (this.isAdmin(given)) subject = 'admin';
        return subject === 'admin' || isResumeToken(owner, given);
      },
      chosen: (given) => {
        const name = publishTokens.identify(given)?.name;
        if (name !== undefined) subject = name;
        return publishTokens.isTheOne(given) || (name !== undefined && name === owner.publisher);
      },
    });
    return subject;
  }
}
