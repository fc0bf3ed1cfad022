import { setTimeout as after } from 'node:timers/promises';
import type { ServerMessage } from '@facecast/shared/protocol/ingest-protocol';
import { WebSocket } from 'ws';

const RETRY_MS = 100;
/** As much as a page sends on before it hears that the server has it. */
const MOST_UNACKNOWLEDGED = 10;
/** A page that is later than this leaves out. */
const LATE_MS = 500;
/** A WebM cluster's id, and that of its time, an integer of milliseconds. */
const CLUSTER = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);
const TIMECODE = 0xe7;

/** Bytes of an input stream, and when a camera would have sent them, in ms from the start. */
interface Chunk {
  bytes: Buffer;
  at: number;
}

/**
 * Publishes a WebM at its own speed, as the page publishes a camera: unacknowledged chunks are kept, and
 * after a lost connection the session is resumed at any gateway that answers.
 */
export class LivePublisher {
  sessionId = '';
  /** Number of lost connections. */
  losses = 0;
  private readonly chunks: Chunk[];
  private resumeToken = '';
  private startedAt = 0;
  private socket: WebSocket | undefined;
  private next = 0;
  private acknowledged = 0;
  private offline = false;
  private stopping = false;
  private ended: Extract<ServerMessage, { type: 'ended' }> | undefined;
  private failure: Error | undefined;
  private running: Promise<void> | undefined;
  private readonly waiters = new Set<() => void>();

  private constructor(
    private readonly urls: string[],
    webm: Buffer,
    private readonly effect: string,
    private readonly pausesWhenLate: boolean,
  ) {
    this.chunks = clustersOf(webm);
  }

  /**
   * Begins to publish; resolves when the session has started. With several `urls`, each connection uses the
   * next one. With `pausesWhenLate`, a server that does not take the chunks in time gets fewer: what a camera
   * would have sent meanwhile is never made, as a page leaves it out.
   */
  static async start(
    urls: string | string[],
    webm: Buffer,
    effect = 'box',
    { pausesWhenLate = false } = {},
  ) {
    const publisher = new LivePublisher([urls].flat(), webm, effect, pausesWhenLate);
    publisher.running = publisher.run();
    await publisher.until(() => publisher.sessionId !== '');
    if (publisher.failure) throw publisher.failure;
    return publisher;
  }

  /** Rejects when the server ends the session with an error. */
  async refused(): Promise<never> {
    await this.until(() => false);
    throw this.failure ?? new Error('refused');
  }

  /** Cuts the network. */
  disconnect(): void {
    this.offline = true;
    this.socket?.terminate();
  }

  /** Restores the network. */
  reconnect(): void {
    this.offline = false;
  }

  /** Stops now; resolves to the number of frames when the playlist has ended. */
  async stop(): Promise<number> {
    this.stopping = true;
    return this.finish();
  }

  /** Publishes all of it; resolves to the number of frames when the playlist has ended. */
  async finish(): Promise<number> {
    await this.running;
    if (this.failure) throw this.failure;
    return this.ended?.frames ?? NaN;
  }

  private async run(): Promise<void> {
    this.startedAt = performance.now();
    for (let attempt = 0; !this.ended && !this.failure; attempt++) {
      const url = this.urls[attempt % this.urls.length] ?? '';
      if (!this.offline) await this.talk(url);
      if (this.ended || this.failure) return;
      await after(RETRY_MS);
    }
  }

  /** Runs one connection until it closes. */
  private async talk(url: string): Promise<void> {
    const socket = new WebSocket(url);
    this.socket = socket;
    let isOpen = false;
    const { sessionId, resumeToken, effect } = this;
    const hello = sessionId
      ? { type: 'resume', sessionId, resumeToken }
      : { type: 'start', mimeType: 'video/webm', effect };
    socket.on('open', () => socket.send(JSON.stringify(hello)));
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      if (message.type === 'started' || message.type === 'resumed') isOpen = true;
      this.receive(message);
    });
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    const isClosed = () => socket.readyState >= WebSocket.CLOSING;
    socket.on('close', () => this.wake());
    await this.until(() => isOpen || isClosed());
    while (!isClosed()) {
      const chunk = this.stopping ? undefined : this.chunks[this.next];
      if (!chunk) break;
      if (this.pausesWhenLate) await this.until(() => this.isTaken() || isClosed());
      const early = this.startedAt + chunk.at - performance.now();
      if (early > 0) await Promise.race([after(early), closed]);
      if (isClosed()) break;
      if (this.pausesWhenLate && early < -LATE_MS) this.startedAt -= early;
      socket.send(chunk.bytes);
      this.next++;
    }
    await this.until(() => this.acknowledged >= this.next || isClosed());
    if (!isClosed()) socket.send('{"type":"stop"}');
    await closed;
    if (isOpen && !this.ended) this.losses++;
  }

  /** Whether the server has nearly all that was sent. */
  private isTaken(): boolean {
    return this.next - this.acknowledged < MOST_UNACKNOWLEDGED;
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'started')
      ({ sessionId: this.sessionId, resumeToken: this.resumeToken } = message);
    else if (message.type === 'ack') this.acknowledged = message.chunks;
    else if (message.type === 'resumed') this.next = this.acknowledged = message.chunks;
    else if (message.type === 'ended') this.ended = message;
    else if (message.type === 'error')
      this.failure = new Error(`${message.code}: ${message.message}`);
    this.wake();
  }

  private async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.failure) {
      await new Promise<void>((resolve) => this.waiters.add(resolve));
    }
  }

  private wake(): void {
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }
}

/** A WebM's clusters, the header with the first, each due at its own time. */
function clustersOf(webm: Buffer): Chunk[] {
  const clusters: { start: number; at: number }[] = [];
  for (let start = webm.indexOf(CLUSTER); start >= 0; start = webm.indexOf(CLUSTER, start + 1)) {
    const at = timeOf(webm, start);
    if (at !== undefined) clusters.push({ start, at });
  }
  return clusters.map(({ start, at }, n) => ({
    bytes: webm.subarray(n === 0 ? 0 : start, clusters[n + 1]?.start),
    at,
  }));
}

/** The time of a cluster in ms; undefined if these bytes only look like a cluster's id. */
function timeOf(webm: Buffer, cluster: number): number | undefined {
  const size = cluster + CLUSTER.length;
  // The number of leading zero bits says how many bytes follow.
  const time = size + Math.clz32(webm[size] ?? 0) - 24 + 1;
  const length = (webm[time + 1] ?? 0) & 0x7f;
  if (webm[time] !== TIMECODE || length < 1 || length > 6) return undefined;
  return webm.readUIntBE(time + 2, length);
}
