/** A binary message of a publisher. */
export interface ArrivedChunk {
  bytes: Buffer;
  /** Milliseconds since the epoch. */
  arrivedAt: number;
  /** MIME type of the input stream that begins with this chunk; undefined if none does. */
  mimeType: string | undefined;
}

/** How much may wait before the publisher's socket is not read any more. */
export interface BacklogLimits {
  unacknowledgedChunks: number;
  unacknowledgedBytes: number;
}

/**
 * Chunks of one session that have arrived and are not safely queued, in order. The bound is kept by
 * whoever adds: once `fill` is over 1, nothing more is read from the publisher.
 */
export class ChunkBacklog {
  private waiting: ArrivedChunk[] = [];
  private taken: ArrivedChunk[] = [];
  private bytes = 0;
  private isClosed = false;
  private wake = () => {};

  constructor(private readonly limits: BacklogLimits) {}

  /** The share of its bounds that is used; over 1 is too much. */
  get fill(): number {
    const { unacknowledgedChunks, unacknowledgedBytes } = this.limits;
    const chunks = this.waiting.length + this.taken.length;
    return Math.max(chunks / unacknowledgedChunks, this.bytes / unacknowledgedBytes);
  }

  add(chunk: ArrivedChunk): void {
    if (this.isClosed) return;
    this.waiting.push(chunk);
    this.bytes += chunk.bytes.length;
    this.wake();
  }

  /** Takes all that waits, as soon as something does; empty once it is closed and nothing is left. */
  async take(): Promise<ArrivedChunk[]> {
    if (this.waiting.length === 0 && !this.isClosed)
      await new Promise<void>((resolve) => (this.wake = resolve));
    this.taken = this.waiting;
    this.waiting = [];
    return this.taken;
  }

  /** What was taken last is safely queued. */
  stored(): void {
    for (const chunk of this.taken) this.bytes -= chunk.bytes.length;
    this.taken = [];
  }

  /** Takes nothing more; what waits can still be taken. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }

  /** Forgets what waits, and takes nothing more. */
  abandon(): void {
    this.waiting = this.taken = [];
    this.bytes = 0;
    this.close();
  }
}
