import { isResumeToken } from '@facecast/shared/redis/session';
import type { SessionOwner, SessionOwners } from '@facecast/shared/redis/session-owners';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { IncomingMessage } from 'node:http';
import { noRecording, type Recordings } from '../media/recordings.js';
import { sameSecret } from './tokens.js';
import type { Bearers } from './bearers.js';
import type { PublishTokens } from './publish-tokens.js';

/** Decides who owns a session: its publisher, and holders of the publish token or the admin token. */
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

  /** Whether a token is the admin token. */
  isAdmin(token: string): boolean {
    const { adminToken } = this.parts;
    return adminToken !== undefined && sameSecret(token, adminToken);
  }

  /** The owner of a session, running, ended or recorded; undefined if the session is unknown. */
  async of(sessionId: string): Promise<SessionOwner | undefined> {
    const { registry, sessionOwners, recordings } = this.parts;
    return (
      (await sessionOwners.get(sessionId)) ??
      (await registry.get(sessionId)) ??
      (await recordings.about(sessionId))
    );
  }

  /**
   * Lets the owner of a session in; resolves to who that is.
   * @throws {HttpError} if the request has no token, or a wrong one
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

  /**
   * Lets the owner of a session's recording in; resolves to who that is.
   * @param needed a sentence for the refusal: what is requested, and which token it needs
   * @throws {HttpError} if there is no recording, or the request has no token, or a wrong one
   */
  async requireOfRecording(
    request: IncomingMessage,
    sessionId: string,
    needed: string,
  ): Promise<string> {
    const { bearers, recordings } = this.parts;
    const token = bearers.tokenOf(request, needed);
    const about = await recordings.about(sessionId);
    if (!about) throw noRecording();
    return this.require(request, token, (await this.of(sessionId)) ?? about);
  }
}
