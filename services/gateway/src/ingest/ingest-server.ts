import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { warnUnlessOutage } from '@facecast/shared/redis';
import { WebSocketServer, type Server } from 'ws';
import type { GatewayConfig } from '../config.js';
import { Conversation } from './conversation.js';
import type { IngestParts } from './ingest-parts.js';
import { IngestSocket } from './ingest-socket.js';
import { isAllowedOrigin } from './origin.js';
import type { Publisher } from './publisher.js';

/** A publisher is reported as connected so often, or three times in the time it may resume. */
const LONGEST_REPORT_MS = 5_000;

type Settings = Pick<
  GatewayConfig,
  'ALLOWED_ORIGINS' | 'MAX_CHUNK_BYTES' | 'PUBLISH_TOKEN' | 'RESUME_WINDOW_SECONDS' | 'TRUST_PROXY'
>;

/** `/ingest`: accepts the publishers' sockets and keeps an eye on them. */
export class IngestServer {
  private readonly server: Server<typeof IngestSocket>;
  private readonly publishers = new Map<string, Publisher>();
  private readonly timers: NodeJS.Timeout[];

  constructor(
    private readonly parts: IngestParts,
    private readonly settings: Settings,
  ) {
    this.server = new WebSocketServer({
      noServer: true,
      WebSocket: IngestSocket,
      maxPayload: settings.MAX_CHUNK_BYTES,
      perMessageDeflate: false,
    });
    const reportMs = Math.min(LONGEST_REPORT_MS, (settings.RESUME_WINDOW_SECONDS * 1000) / 3);
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
    if (!/^\/ingest\/?(\?|$)/.test(request.url ?? '')) return refuseUpgrade(socket);
    this.server.handleUpgrade(request, socket, head, (client) => this.welcome(client, request));
  }

  /** Lets every publisher's chunks become safe, then asks it to go elsewhere. */
  async close(): Promise<void> {
    this.timers.forEach(clearInterval);
    await Promise.all([...this.publishers.values()].map((publisher) => publisher.restart()));
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
    if (!isAllowedOrigin(this.originOf(request), this.settings.ALLOWED_ORIGINS)) {
      return client.refuse('origin_not_allowed', 'Pages from that address may not publish here.');
    }
    if (this.server.clients.size > this.parts.limits.sockets) {
      return client.refuse('overloaded', 'Too many connections.');
    }
    new Conversation(client, this.parts, this.settings.PUBLISH_TOKEN, this.publishers);
  }

  private originOf({ headers }: IncomingMessage) {
    const forwarded = this.settings.TRUST_PROXY > 0 ? headers['x-forwarded-host'] : undefined;
    return { origin: headers.origin, host: [forwarded].flat()[0] ?? headers.host };
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
    for (const { sessionId, isFeeding } of this.publishers.values()) {
      if (!isFeeding) continue;
      sessions
        .publisherSeen(sessionId)
        .catch((error: unknown) =>
          warnUnlessOutage(log, error, 'could not be reported', { sessionId }),
        );
    }
  }
}

function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => {});
  const body = '{"error":{"code":"not_found","message":"There is no WebSocket here."}}';
  socket.end(
    [
      'HTTP/1.1 404 Not Found',
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  );
}
