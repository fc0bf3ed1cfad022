import { once } from 'node:events';
import type { ServerMessage } from '@facecast/shared/protocol/ingest-protocol';
import { WebSocket } from 'ws';

type MessageType = ServerMessage['type'];
type MessageOf<Type extends MessageType> = Extract<ServerMessage, { type: Type }>;

/** A client of `/ingest` that keeps all messages it received. */
export class TestPublisher {
  readonly received: ServerMessage[] = [];
  private readonly socket: WebSocket;
  private readonly waiters = new Set<() => void>();
  private closeCode: number | undefined;

  private constructor(url: string, origin?: string) {
    this.socket = new WebSocket(url, origin === undefined ? {} : { origin });
    this.socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as ServerMessage);
      this.wake();
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
      this.wake();
    });
    this.socket.on('error', () => {});
  }

  static async connect(url: string, origin?: string): Promise<TestPublisher> {
    const publisher = new TestPublisher(url, origin);
    await once(publisher.socket, 'open');
    return publisher;
  }

  /** Connects and starts a session. */
  static async start(
    url: string,
    options: { mimeType?: string; effect?: string; record?: boolean } = {},
  ): Promise<TestPublisher> {
    const publisher = await TestPublisher.connect(url);
    publisher.send({ type: 'start', mimeType: 'video/webm;codecs=vp8', ...options });
    await publisher.message('started');
    return publisher;
  }

  get sessionId(): string {
    const started = this.received.find((message) => message.type === 'started');
    if (!started) throw new Error('the session has not started');
    return started.sessionId;
  }

  get resumeToken(): string {
    const started = this.received.find((message) => message.type === 'started');
    return started?.resumeToken ?? '';
  }

  /** Sends a JSON message, or text as it is. */
  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends `bytes` in chunks of at most `size`, never more than a few unacknowledged. */
  async sendMedia(bytes: Buffer, size = 16_384): Promise<void> {
    let sent = this.acknowledged;
    for (let from = 0; from < bytes.length; from += size) {
      if (this.closeCode !== undefined) return;
      this.socket.send(bytes.subarray(from, from + size));
      sent++;
      if (sent - this.acknowledged >= MAX_UNACKNOWLEDGED)
        await this.until(() => this.closeCode !== undefined || this.acknowledged === sent);
    }
  }

  /** Sends `stop`; resolves to `ended`, when all that was sent is processed. */
  async stop(): Promise<MessageOf<'ended'>> {
    this.send({ type: 'stop' });
    return this.message('ended');
  }

  /** Resolves when `stats` say that `frames` frames are listed. */
  async listed(frames: number): Promise<void> {
    await this.until(() =>
      this.received.some((message) => message.type === 'stats' && message.framesOut >= frames),
    );
  }

  /** Resolves to the first message of this type, even if it has come already. */
  async message<Type extends MessageType>(type: Type): Promise<MessageOf<Type>> {
    const find = () => this.received.find((message) => message.type === type);
    await this.until(() => find() !== undefined || this.closeCode !== undefined);
    const message = find();
    if (!message) throw new Error(`no ${type}, but ${JSON.stringify(this.received.at(-1))}`);
    return message as MessageOf<Type>;
  }

  /** Resolves to the close code. */
  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== undefined);
    return this.closeCode ?? 0;
  }

  /** Cuts the connection without a close frame. */
  vanish(): void {
    this.socket.terminate();
  }

  private get acknowledged(): number {
    const last = this.received.findLast((message) => message.type === 'ack');
    return last?.chunks ?? 0;
  }

  private async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiters.add(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }
}

const MAX_UNACKNOWLEDGED = 4;
