/** One message of media. */
export interface Chunk {
  bytes: ArrayBuffer;
  /** MIME type of the input stream that begins with it, if another one does. */
  mimeType?: string | undefined;
}

interface KeptChunk extends Chunk {
  /** When it came from the recorder, and when it was sent, in milliseconds. */
  at: number;
  sentAt: number;
}

/** The bounds of an outbox. What it does not send at once can still be dropped. */
export interface OutboxLimits {
  /** Bytes of chunks kept, sent or not, until the server has them. */
  keptBytes: number;
  /** Bytes that may be sent and not acknowledged, whatever the server says. */
  inFlightBytes: number;
  /** Bytes that may be so while answers come within `promptMs`: long ways and sudden plenty need more. */
  promptBytes: number;
  promptMs: number;
}

/**
 * The chunks on their way to the server, each kept until it is acknowledged: what is to be sent next,
 * and what must be sent again after a lost connection. Chunks are numbered from 0 within their session.
 */
export class ChunkOutbox {
  private readonly limits: OutboxLimits;
  private chunks: KeptChunk[] = [];
  /** The number of the first one. */
  private first = 0;
  /** How many of them were sent. */
  private sent = 0;
  private keptBytes = 0;
  private sentBytes = 0;
  private ackedBytes = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  /** Bytes that the server does not have yet. */
  get bytes(): number {
    return this.keptBytes;
  }

  /** Bytes that the server has said to have, in all. */
  get acknowledgedBytes(): number {
    return this.ackedBytes;
  }

  get isAllSent(): boolean {
    return this.sent === this.chunks.length;
  }

  /** How long the oldest chunk has waited to be acknowledged, in milliseconds. */
  waitedMs(now: number): number {
    const [oldest] = this.chunks;
    return oldest ? now - oldest.at : 0;
  }

  /** Keeps the next chunk; false where that would be more bytes than may be kept. */
  add(chunk: Chunk, now: number): boolean {
    const { byteLength } = chunk.bytes;
    if (this.keptBytes + byteLength > this.limits.keptBytes) return false;
    this.chunks.push({ ...chunk, at: now, sentAt: NaN });
    this.keptBytes += byteLength;
    return true;
  }

  /** The chunks that are to be sent now. */
  *toSend(now: number): Generator<Chunk> {
    for (;;) {
      const chunk = this.chunks[this.sent];
      if (!chunk || this.sentBytes >= this.mostInFlight(now)) return;
      chunk.sentAt = now;
      this.sent++;
      this.sentBytes += chunk.bytes.byteLength;
      yield chunk;
    }
  }

  private mostInFlight(now: number): number {
    const { inFlightBytes, promptBytes, promptMs } = this.limits;
    const [oldest] = this.chunks;
    const isPrompt = this.sent === 0 || !oldest || now - oldest.sentAt <= promptMs;
    return isPrompt ? promptBytes : inFlightBytes;
  }

  /** Forgets the chunks before number `count`: the server has them. */
  acknowledge(count: number): void {
    const gone = this.chunks.splice(0, Math.max(0, count - this.first));
    const goneBytes = sum(gone);
    this.first += gone.length;
    this.keptBytes -= goneBytes;
    this.ackedBytes += goneBytes;
    this.sent = Math.max(0, this.sent - gone.length);
    this.sentBytes = sum(this.chunks.slice(0, this.sent));
  }

  /**
   * Another connection goes on with number `count`; false where that is no longer (or not yet) here. What
   * nothing was given to yet begins with any number: another page had the chunks before it.
   */
  resumeAt(count: number): boolean {
    if (this.first === 0 && this.chunks.length === 0) this.first = count;
    this.acknowledge(count);
    this.sent = this.sentBytes = 0;
    return this.first === count;
  }

  /** Forgets what was not sent. What comes next must begin another input stream. */
  dropUnsent(): void {
    this.chunks.length = this.sent;
    this.keptBytes = this.sentBytes;
  }
}

function sum(chunks: readonly Chunk[]): number {
  return chunks.reduce((bytes, chunk) => bytes + chunk.bytes.byteLength, 0);
}
