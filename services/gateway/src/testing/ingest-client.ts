import { once } from 'node:events';
import type { ServerMessage } from '@facecast/shared/protocol/ingest-protocol';
import { WebSocket, type ClientOptions } from 'ws';

type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

/** A client of `/ingest` that remembers what it was told. */
export class IngestClient {
  readonly received: ServerMessage[] = [];
  closeCode: number | undefined;
  private readonly waiters = new Set<() => void>();

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as ServerMessage);
      this.wake();
    });
    socket.on('close', (code) => {
      this.closeCode = code;
      this.wake();
    });
    socket.on('error', () => {});
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<IngestClient> {
    const client = new IngestClient(new WebSocket(url, options));
    await once(client.socket, 'open');
    return client;
  }

  /** Connects and starts a session. */
  static async start(url: string, options: ClientOptions = {}): Promise<IngestClient> {
    const client = await IngestClient.connect(url, options);
    client.say({ type: 'start', mimeType: 'video/webm;codecs=vp8' });
    await client.message('started');
    return client;
  }

  /** Connects, starts a session, and sends its first chunk, with which the session has its place. */
  static async live(
    url: string,
    options: ClientOptions = {},
    firstChunk = 'chunk 0',
  ): Promise<IngestClient> {
    const client = await IngestClient.start(url, options);
    client.chunks(firstChunk);
    await client.acknowledgedAtLeast(1);
    return client;
  }

  get started(): MessageOf<'started'> {
    return this.received.find((message) => message.type === 'started') as MessageOf<'started'>;
  }

  get sessionId(): string {
    return this.started.sessionId;
  }

  /** How many chunks the last `ack` named. */
  get acknowledged(): number {
    const ack = this.received.findLast((message) => message.type === 'ack');
    return ack?.chunks ?? 0;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  chunks(...chunks: string[]): void {
    for (const chunk of chunks) this.socket.send(Buffer.from(chunk));
  }

  async acknowledgedAtLeast(count: number): Promise<void> {
    await this.until(() => this.acknowledged >= count);
  }

  /** The first message of a type, also one that has come already. */
  async message<Type extends ServerMessage['type']>(type: Type): Promise<MessageOf<Type>> {
    const find = () => this.received.find((message) => message.type === type);
    await this.until(() => find() !== undefined);
    return find() as MessageOf<Type>;
  }

  /** The error's code and the close code. */
  async refused(): Promise<[code: string, closeCode: number]> {
    const { code } = await this.message('error');
    return [code, await this.closed()];
  }

  async closed(): Promise<number> {
    while (this.closeCode === undefined) await this.somethingHappened();
    return this.closeCode;
  }

  private async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.closeCode !== undefined) {
        throw new Error(`closed with ${this.closeCode} after ${JSON.stringify(this.received)}`);
      }
      await this.somethingHappened();
    }
  }

  private somethingHappened(): Promise<void> {
    return new Promise((resolve) => this.waiters.add(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }
}
