import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { WebSocketServer, type Server, type ServerOptions } from 'ws';
import { addressOf, clientOf } from '../access/client-address.js';
import { ConnectionCount } from '../access/connection-count.js';
import type { GatewayConfig } from '../config.js';
import { IngestHandler } from './ingest-handler.js';
import type { IngestParts } from './ingest-parts.js';
import { IngestSocket } from './ingest-socket.js';
import { OpeningLimit, UnplacedBytes } from './opening-limit.js';
import { isAllowedOrigin } from './origin.js';

/** A publisher is reported as connected every 5 s, or three times in the time it may resume. */
const MAX_REPORT_MS = 5_000;

/** A client that does not answer a close for 5 s is cut off. */
const CLOSE_MS = 5_000;

type Settings = Pick<
  GatewayConfig,
  'ALLOWED_ORIGINS' | 'MAX_CHUNK_BYTES' | 'RESUME_WINDOW_SECONDS' | 'TRUST_PROXY'
>;

/** `/ingest`: accepts the publishers' sockets and keeps an eye on them. */
export class IngestServer {
  private readonly server: Server<typeof IngestSocket>;
  private readonly publishers = new Map<string, IngestHandler>();
  private readonly timers: NodeJS.Timeout[];
  private readonly idle: ConnectionCount;
  private readonly unplaced: UnplacedBytes;

  constructor(
    private readonly parts: IngestParts,
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
    this.idle = new ConnectionCount(parts.limits.idleSocketsPerClient);
    this.unplaced = new UnplacedBytes(parts.limits.unplacedBytes);
    const reportMs = Math.min(MAX_REPORT_MS, (settings.RESUME_WINDOW_SECONDS * 1000) / 3);
    this.timers = [
      setInterval(() => this.ping(), parts.limits.pingMs).unref(),
      setInterval(() => this.reportPublishers(), reportMs).unref(),
    ];
  }

  /** Publishers whose sockets are with this gateway. */
  get connected(): number {
    return this.publishers.size;
  }

  /** Takes an upgrade request of the HTTP server over. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { hosts } = this.parts;
    if (!hosts.isOurs(request)) {
      this.refused(request, 'misdirected_request', hosts.refusal(request));
      return refuseUpgrade(socket, MISDIRECTED, hosts.refusal(request));
    }
    if (!/^\/ingest\/?(\?|$)/.test(request.url ?? '')) {
      return refuseUpgrade(socket, NOT_FOUND, 'There is no WebSocket here.');
    }
    this.server.handleUpgrade(request, socket, head, (client) => this.welcome(client, request));
  }

  /** Lets every publisher's chunks become safe, then asks it to go elsewhere. */
  async close(): Promise<void> {
    this.timers.forEach(clearInterval);
    await Promise.all([...this.publishers.values()].map((each) => each.sendElsewhere()));
    for (const client of this.server.clients) client.close(1012);
    this.server.close();
  }

  /** Ends every connection that is left, at once. */
  cut(): void {
    for (const client of this.server.clients) client.terminate();
  }

  private welcome(client: IngestSocket, request: IncomingMessage): void {
    client.on('error', () => {});
    client.on('pong', () => (client.wasHeard = true));
    client.on('message', () => (client.wasHeard = true));
    client.onRefused = (code, message) => this.refused(request, code, message);
    const { hosts, limits } = this.parts;
    const from = { origin: request.headers.origin, host: hosts.of(request) };
    if (!isAllowedOrigin(from, this.settings.ALLOWED_ORIGINS)) {
      return client.refuse('origin_not_allowed', 'Pages from that address may not publish here.');
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
    new IngestHandler(client, this.parts, this.publishers, {
      client: address,
      onStarted: () => opening.started(),
      onPlaced: () => {
        opening.lift();
        leaveIdle();
      },
    });
  }

  private refused(request: IncomingMessage, code: string, message: string): void {
    const address = addressOf(request, this.settings.TRUST_PROXY);
    this.parts.refusals.tell('ingest', code, { address }, message);
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
    const { sessions, log } = this.parts;
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

const NOT_FOUND = { status: '404 Not Found', code: 'not_found' };
const MISDIRECTED = { status: '421 Misdirected Request', code: 'misdirected_request' };

function refuseUpgrade(
  socket: Duplex,
  { status, code }: { status: string; code: string },
  message: string,
): void {
  socket.on('error', () => {});
  const body = JSON.stringify({ error: { code, message } });
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
