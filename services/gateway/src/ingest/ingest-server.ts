import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { WebSocketServer, type Server, type ServerOptions } from 'ws';
import { addressOf, clientOf } from '../access/client-address.js';
import { ConnectionCount } from '../access/connection-count.js';
import type { GatewayConfig } from '../config.js';
import { IngestHandler } from './ingest-handler.js';
import type { IngestDeps } from './ingest-deps.js';
import { IngestSocket } from './ingest-socket.js';
import { OpeningLimit, UnplacedBytes } from './opening-limit.js';
import { isAllowedOrigin, originRefusal, type UpgradeOrigin } from './origin.js';

/**
 * Maximum time between two reports that a publisher is connected, in milliseconds; at least three fit into
 * the resume window.
 */
const MAX_REPORT_MS = 5_000;

/** Time after which a client that does not answer a close is cut off, in milliseconds. */
const CLOSE_MS = 5_000;

type Settings = Pick<
  GatewayConfig,
  'ALLOWED_ORIGINS' | 'MAX_CHUNK_BYTES' | 'PUBLIC_URL' | 'RESUME_WINDOW_SECONDS' | 'TRUST_PROXY'
>;

/** `/ingest`: accepts the publishers' sockets and pings them. */
export class IngestServer {
  private readonly server: Server<typeof IngestSocket>;
  private readonly publishers = new Map<string, IngestHandler>();
  private readonly timers: NodeJS.Timeout[];
  /** Origins of this server's own page, by the settings, and of other sites. */
  private readonly allowedOrigins: readonly string[];
  private readonly idle: ConnectionCount;
  private readonly unplaced: UnplacedBytes;

  constructor(
    private readonly deps: IngestDeps,
    private readonly settings: Settings,
  ) {
    // The declared type does not know of `closeTimeout`.
    const options: ServerOptions<typeof IngestSocket> & { closeTimeout: number } = {
      noServer: true,
      WebSocket: IngestSocket,
      maxPayload: settings.MAX_CHUNK_BYTES,
      perMessageDeflate: false,
      closeTimeout: CLOSE_MS,
    };
    this.server = new WebSocketServer(options);
    const { PUBLIC_URL, ALLOWED_ORIGINS = [] } = settings;
    const own = PUBLIC_URL === undefined ? [] : [new URL(PUBLIC_URL).origin];
    this.allowedOrigins = [...own, ...ALLOWED_ORIGINS];
    this.idle = new ConnectionCount(deps.limits.idleSocketsPerClient);
    this.unplaced = new UnplacedBytes(deps.limits.unplacedBytes);
    const reportMs = Math.min(MAX_REPORT_MS, (settings.RESUME_WINDOW_SECONDS * 1000) / 3);
    this.timers = [
      setInterval(() => this.ping(), deps.limits.pingMs).unref(),
      setInterval(() => this.reportPublishers(), reportMs).unref(),
    ];
  }

  /** Number of publishers with a running session at this gateway. */
  get connected(): number {
    return this.publishers.size;
  }

  /** Takes an upgrade request over and says true; false if it is for somebody else. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isIngestPath(request.url)) return false;
    this.server.handleUpgrade(request, socket, head, (client) => this.welcome(client, request));
    return true;
  }

  /** Whether a request is from this server's own page, one of an allowed origin, or no page at all. */
  isKnownOrigin(request: IncomingMessage): boolean {
    return isAllowedOrigin(this.originOf(request), this.allowedOrigins);
  }

  /** Queues every publisher's chunks, then sends it to another gateway. */
  async close(): Promise<void> {
    this.timers.forEach(clearInterval);
    await Promise.all([...this.publishers.values()].map((each) => each.sendElsewhere()));
    for (const client of this.server.clients) client.close(1012);
    this.server.close();
  }

  /** Cuts all remaining connections. */
  cut(): void {
    for (const client of this.server.clients) client.terminate();
  }

  private welcome(client: IngestSocket, request: IncomingMessage): void {
    client.on('error', () => {});
    client.on('pong', () => (client.wasHeard = true));
    client.on('message', () => (client.wasHeard = true));
    client.onRefused = (code, message) => this.refused(request, code, message);
    const { limits } = this.deps;
    if (!this.isKnownOrigin(request)) {
      return client.refuse('origin_not_allowed', originRefusal(this.originOf(request)));
    }
    if (this.server.clients.size > limits.sockets) {
      return client.refuse('overloaded', 'Too many connections.');
    }
    const address = clientOf(addressOf(request, this.settings.TRUST_PROXY));
    const leaveIdle = this.idle.enter(address);
    if (!leaveIdle) {
      const many = 'Too many connections from your address have sent no media yet.';
      return client.refuse('overloaded', many);
    }
    client.once('close', leaveIdle);
    const opening = new OpeningLimit(request.socket, limits.textBytes, this.unplaced, {
      onTooLarge: () => client.cutOff('too_large', 'The first message is too large.'),
      onFull: () => client.cutOff('overloaded', 'Too much is on its way from others.'),
    });
    new IngestHandler(client, this.deps, this.publishers, {
      client: address,
      onStarted: () => opening.started(),
      onPlaced: () => {
        opening.lift();
        leaveIdle();
      },
    });
  }

  private originOf(request: IncomingMessage): UpgradeOrigin {
    return { origin: request.headers.origin, host: this.deps.hosts.of(request) };
  }

  private refused(request: IncomingMessage, code: string, message: string): void {
    const address = addressOf(request, this.settings.TRUST_PROXY);
    this.deps.refusals.tell('ingest', code, { address }, message);
  }

  private ping(): void {
    for (const client of this.server.clients) {
      // While it is paused, its pongs are not read.
      if (client.wasHeard || client.isPaused) {
        client.wasHeard = false;
        client.ping();
      } else {
        client.terminate();
      }
    }
  }

  private reportPublishers(): void {
    const { sessions, log } = this.deps;
    for (const { runningSession: sessionId } of this.publishers.values()) {
      if (sessionId === undefined) continue;
      sessions
        .publisherSeen(sessionId)
        .catch((error: unknown) =>
          warnUnlessOutage(log, error, 'could not be reported', { sessionId }),
        );
    }
  }
}

/** Whether a URL is that of the ingest. */
export function isIngestPath(url = ''): boolean {
  return /^\/ingest\/?(\?|$)/.test(url);
}

/** The answer to a request for `/ingest` without an upgrade. */
export const NO_UPGRADE =
  'This is a WebSocket, and the request has no "Upgrade: websocket". If a browser sent it, a proxy on the way ' +
  'dropped the header: let it pass Upgrade and Connection on (nginx: proxy_http_version 1.1; ' +
  'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade").';
