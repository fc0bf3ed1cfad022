import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Audit } from '../access/audit.js';
import type { SessionAccess } from '../access/session-access.js';
import { HttpError } from '../errors.js';
import { viewerOf, type Viewers } from '../sessions/viewers.js';
import { PushedSession, type PushedSessionDeps } from './pushed-session.js';
import { PushViewer } from './push-viewer.js';

/** Viewers are pinged, and counted, this often; one who did not answer the last ping is cut off. */
const PING_MS = 4_000;
/** Most viewers at once. */
const MAX_VIEWERS = 10_000;
/** Viewers have nothing to say. */
const MAX_MESSAGE_BYTES = 1024;

/** Close codes: 4403 and 4404 are HTTP's. */
const CLOSE = { forbidden: 4403, noSession: 4404, tooMany: 1013, failed: 1011, restarts: 1012 };

interface PushServerDeps extends PushedSessionDeps {
  registry: Pick<SessionRegistry, 'get'>;
  access: SessionAccess;
  isDeleted: (sessionId: string) => boolean;
  viewers: Viewers;
  audit: Audit;
  /** How many proxies in front are believed. */
  trustProxy: number;
  /** Whether a request's Origin, if it has one, is this server's page's or of an allowed site. */
  isKnownOrigin: (request: IncomingMessage) => boolean;
  log: Logger;
}

/** A viewer's socket, and what it has answered. */
interface Watching {
  socket: WebSocket;
  sessionId: string;
  name: string;
  wasHeard: boolean;
}

/** `/live/<session>`: sends viewers every part as it is listed, over a WebSocket. */
export class PushServer {
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  private readonly sessions = new Map<string, PushedSession>();
  private readonly watching = new Set<Watching>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly deps: PushServerDeps,
    private readonly maxViewers = MAX_VIEWERS,
  ) {
    this.timer = setInterval(() => this.ping(), PING_MS).unref();
  }

  /** Viewers at the moment. */
  get size(): number {
    return this.watching.size;
  }

  /** Takes an upgrade request over and says true; false if it is for somebody else. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const segment = PATH.exec(request.url ?? '')?.[1];
    if (segment === undefined) return false;
    this.server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => {});
      this.welcome(client, request, segment).catch((error: unknown) => this.refuse(client, error));
    });
    return true;
  }

  /** Takes notice of an event: a session that viewers wait for may have begun, or has ended. */
  receive({ type, sessionId }: FacecastEvent): void {
    const session = this.sessions.get(sessionId);
    if (!session) return;
    if (type === 'playlist_ready') this.run(sessionId, session);
    const isOver = type === 'ended' && !session.isRunning;
    if (type === 'deleted' || isOver) this.drop(sessionId, CLOSE.noSession, NO_SESSION);
  }

  /** Asks every viewer to come back to another gateway. */
  close(): void {
    clearInterval(this.timer);
    for (const sessionId of this.sessions.keys())
      this.drop(sessionId, CLOSE.restarts, 'The server is about to stop.');
    this.server.close();
  }

  /** Ends every connection that is left, at once. */
  cut(): void {
    for (const client of this.server.clients) client.terminate();
  }

  private async welcome(
    client: WebSocket,
    request: IncomingMessage,
    segment: string,
  ): Promise<void> {
    const { access, audit, registry, trustProxy, isKnownOrigin } = this.deps;
    // Those that are being let in count, too.
    if (this.server.clients.size > this.maxViewers)
      return client.close(CLOSE.tooMany, 'Too many viewers.');
    const answer = {
      once: client.once.bind(client),
      destroy: () => client.close(CLOSE.forbidden, 'This link is good no longer.'),
    };
    const admission = await access.enter(request, answer, segment);
    const { sessionId, subject } = admission;
    if (admission.isPrivate && !isKnownOrigin(request)) throw new HttpError(403, OTHER_SITE);
    const isThere = (await this.deps.playlists.get(sessionId)) ?? (await registry.get(sessionId));
    // It may have been deleted meanwhile.
    if (!isThere || this.deps.isDeleted(sessionId)) throw new HttpError(404, NO_SESSION);
    if (client.readyState !== client.OPEN) return;
    const name = nameOf(request) ?? viewerOf(request, trustProxy);
    audit.viewed(name, sessionId, subject);
    this.watch({ socket: client, sessionId, name, wasHeard: true });
  }

  private watch(watching: Watching): void {
    const { socket, sessionId } = watching;
    const known = this.sessions.get(sessionId);
    const session = known ?? new PushedSession(sessionId, this.deps);
    const viewer = new PushViewer(socket);
    this.watching.add(watching);
    this.sessions.set(sessionId, session);
    this.deps.viewers.seen(sessionId, watching.name);
    socket.on('pong', () => (watching.wasHeard = true));
    socket.once('close', () => {
      this.watching.delete(watching);
      session.leave(viewer);
    });
    session.join(viewer);
    this.run(sessionId, session);
  }

  private run(sessionId: string, session: PushedSession): void {
    if (session.isRunning) return;
    session.run().then(
      (outcome) => {
        if (outcome === 'starting') return;
        // Somebody joined just then.
        if (session.isRunning) return;
        if (outcome === 'ended') session.end();
        if (this.sessions.get(sessionId) === session) this.sessions.delete(sessionId);
      },
      (error: unknown) => {
        this.deps.log.error({ err: error, sessionId }, 'parts could not be pushed');
        this.drop(sessionId, CLOSE.failed, 'The server could not go on.');
      },
    );
  }

  private drop(sessionId: string, code: number, reason: string): void {
    this.sessions.get(sessionId)?.close(code, reason);
    this.sessions.delete(sessionId);
  }

  private refuse(client: WebSocket, error: unknown): void {
    if (!(error instanceof HttpError)) {
      this.deps.log.error({ err: error }, 'a viewer could not be let in');
      return client.close(CLOSE.failed, 'Something went wrong on the server.');
    }
    client.close(error.status === 403 ? CLOSE.forbidden : CLOSE.noSession, error.message);
  }

  private ping(): void {
    // The event of a deletion may have been lost.
    for (const sessionId of this.sessions.keys())
      if (this.deps.isDeleted(sessionId)) this.drop(sessionId, CLOSE.noSession, NO_SESSION);
    for (const watching of this.watching) {
      const { socket, sessionId, name } = watching;
      if (!watching.wasHeard) {
        socket.terminate();
        continue;
      }
      watching.wasHeard = false;
      socket.ping();
      this.deps.viewers.seen(sessionId, name);
    }
  }
}

const PATH = /^\/live\/([^/?]+)(?:\?.*)?$/;
const NO_SESSION = 'There is no such session (any more).';
const OTHER_SITE = 'A private stream plays on pages of this server alone.';
const MAX_NAME = 200;

/** What the viewer's page calls itself: a browser cannot send that as a header. */
function nameOf({ url = '' }: IncomingMessage): string | undefined {
  return new URLSearchParams(url.split('?')[1] ?? '').get('viewer')?.slice(0, MAX_NAME);
}

/** Whether a URL is that of a session's push. */
export function isPushPath(url = ''): boolean {
  return PATH.test(url);
}
