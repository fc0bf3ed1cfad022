import type { IncomingMessage } from 'node:http';
import { isPrivate } from '@facecast/shared/protocol/session-visibility';
import { isResumeToken } from '@facecast/shared/redis/session';
import { HttpError } from '../errors.js';
import { bearerOf } from './tokens.js';
import { addressOf } from './client-address.js';
import type { Owners } from './owners.js';
import { readSessionRef, writeSessionRef } from './session-ref.js';
import type { ViewingLinks } from './viewing-links.js';

/** A request that may see a session. */
export interface Admission {
  sessionId: string;
  isPrivate: boolean;
  /** Who sent it, as far as is known. */
  subject: string | undefined;
}

/** An answer or a socket that lasts, and is ended when its viewer may see the session no longer. */
export interface Ongoing {
  once(event: 'close', listener: () => void): unknown;
  destroy(): void;
}

/** How often the right to see a private session is checked during a lasting answer, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;
const PASS_COOKIE = 'facecast-pass';
/** The paths before a session's id in its addresses. */
const COOKIE_PATHS = ['/hls/', '/live/', '/watch/', '/api/sessions/'];

/** Decides who may see a session: everybody with its address; a private one, its owner and holders of a pass. */
export class SessionAccess {
  constructor(
    private readonly parts: {
      links: ViewingLinks;
      owners: Owners;
      isDeleted: (sessionId: string) => boolean;
      trustProxy: number;
      /** Whether the public address is https, so that cookies may be restricted to it. */
      isSecure: boolean;
      /** What stands before a path in people's addresses; empty at the root. */
      basePath: string;
    },
  ) {}

  /**
   * Lets a request see a session, and ends its answer when it may no longer.
   * @param segment the part of the path that names the session
   * @throws {HttpError} if it may not
   */
  async enter(request: IncomingMessage, answer: Ongoing, segment: string): Promise<Admission> {
    const ref = readSessionRef(segment);
    if (!ref || this.parts.isDeleted(ref.sessionId)) {
      throw new HttpError(404, 'There is no such session.');
    }
    const { sessionId } = ref;
    if (!isPrivate(sessionId)) return { sessionId, isPrivate: false, subject: undefined };
    const pass = ref.pass ?? cookieOf(request, PASS_COOKIE);
    const subject = await this.subjectOf(request, sessionId, pass);
    if (subject === undefined) throw new HttpError(403, PRIVATE);
    this.endWithThePass(request, answer, sessionId, pass);
    return { sessionId, isPrivate: true, subject };
  }

  /**
   * Exchanges the link in a request's query for a pass.
   * @returns the session's part of the path with the pass in it, and its cookies; undefined if there is no
   *   link, or none is needed
   * @throws {HttpError} if the link is invalid, expired or revoked
   */
  async join(
    request: IncomingMessage,
    segment: string,
  ): Promise<{ segment: string; cookies: string[] } | undefined> {
    const ref = readSessionRef(segment);
    if (!ref || !isPrivate(ref.sessionId)) return undefined;
    const link = new URLSearchParams((request.url ?? '').split('?')[1] ?? '').get('link');
    if (link === null) return undefined;
    const { sessionId } = ref;
    if (this.parts.isDeleted(sessionId)) throw new HttpError(404, 'There is no such session.');
    const { links, trustProxy } = this.parts;
    const joined = await links.exchange(sessionId, link, addressOf(request, trustProxy));
    if (!joined) throw new HttpError(403, PRIVATE);
    const cookies = this.cookiesOf(sessionId, joined.pass, joined.leaveAt);
    return { segment: writeSessionRef(sessionId, joined.pass), cookies };
  }

  private async subjectOf(
    request: IncomingMessage,
    sessionId: string,
    pass: string | undefined,
  ): Promise<string | undefined> {
    const { links, owners, trustProxy } = this.parts;
    if (pass !== undefined) {
      const linkId = await links.linkOf(sessionId, pass, addressOf(request, trustProxy));
      if (linkId !== undefined) return `link ${linkId}`;
    }
    const token = bearerOf(request);
    if (token === undefined) return undefined;
    if (owners.isAdmin(token)) return 'admin';
    const owner = await owners.of(sessionId);
    return owner && isResumeToken(owner, token) ? 'publisher' : undefined;
  }

  /** Ends a lasting answer, such as a download, when its link is revoked or expires. */
  private endWithThePass(
    request: IncomingMessage,
    answer: Ongoing,
    sessionId: string,
    pass: string | undefined,
  ): void {
    const timer = setInterval(() => {
      this.subjectOf(request, sessionId, pass).then(
        (subject) => subject ?? answer.destroy(),
        () => answer.destroy(),
      );
    }, LOOK_AGAIN_MS);
    answer.once('close', () => clearInterval(timer));
  }

  private cookiesOf(sessionId: string, pass: string, leaveAt: number): string[] {
    const { isSecure, basePath } = this.parts;
    const seconds = Math.max(0, Math.floor((leaveAt - Date.now()) / 1000));
    const scope = `Max-Age=${seconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
    return COOKIE_PATHS.map(
      (path) => `${PASS_COOKIE}=${pass}; Path=${basePath}${path}${sessionId}; ${scope}`,
    );
  }
}

const PRIVATE = 'This stream is private: it needs a link that is still valid.';

function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
