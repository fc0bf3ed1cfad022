/** A binary message of a publisher. */
export interface ArrivedChunk {
  bytes: Buffer;
  /** Time of arrival, in milliseconds since the epoch. */
  arrivedAt: number;
  /** MIME type of the input stream that begins with this chunk; undefined if none does. */
  mimeType: string | undefined;
}

/** Bounds above which the publisher's socket is not read. */
export interface BacklogLimits {
  unacknowledgedChunks: number;
  unacknowledgedBytes: number;
}

/**
 * Chunks of one session that have arrived and are not safely queued, in order. The caller keeps the bounds:
 * while `fill` is over 1, it reads nothing more from the publisher.
 */
export class ChunkBacklog {
  private arrived: ArrivedChunk[] = [];
  private taken: ArrivedChunk[] = [];
  private bytes = 0;
  private isClosed = false;
  private wake = () => {};

  constructor(private readonly limits: BacklogLimits) {}

  /** How full the backlog is, as a fraction of its bounds; over 1 is too much. */
  get fill(): number {
    const { unacknowledgedChunks, unacknowledgedBytes } = this.limits;
    const chunks = this.arrived.length + this.taken.length;
    return Math.max(chunks / unacknowledgedChunks, this.bytes / unacknowledgedBytes);
  }

  add(chunk: ArrivedChunk): void {
    if (this.isClosed) return;
    this.arrived.push(chunk);
    this.bytes += chunk.bytes.length;
    this.wake();
  }

  /**
   * Takes all arrived chunks as soon as there are any; none once it is closed and empty.
   * @param withBytes whether to wait until one of them has bytes
   */
  async take({ withBytes = false } = {}): Promise<ArrivedChunk[]> {
    const isSomething = () => (withBytes ? this.bytes > 0 : this.arrived.length > 0);
    while (!isSomething() && !this.isClosed)
      await new Promise<void>((resolve) => (this.wake = resolve));
    if (!isSomething()) this.arrived = [];
    this.taken = this.arrived;
    this.arrived = [];
    return this.taken;
  }

  /** To be called when the chunks taken last are safely queued. */
  stored(): void {
    for (const chunk of this.taken) this.bytes -= chunk.bytes.length;
    this.taken = [];
  }

  /** Accepts no more chunks; those that arrived can still be taken. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }

  /** Drops all chunks, and accepts no more. */
  abandon(): void {
    this.arrived = this.taken = [];
    this.bytes = 0;
    this.close();
  }
}
