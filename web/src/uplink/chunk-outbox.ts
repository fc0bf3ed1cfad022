import { SAFE_MESSAGE_BYTES } from '@facecast/shared/protocol/ingest-protocol';

/** The next bytes of media. */
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
  /** Maximum bytes that are sent and not acknowledged. */
  inFlightBytes: number;
  /**
   * The same maximum while answers come within `promptMs`: long round trips and fast connections need more.
   */
  promptBytes: number;
  promptMs: number;
}

/**
 * The unacknowledged chunks, split so that the server accepts them: those to be sent next, and those to be
 * sent again after a lost connection. Chunks are numbered from 0 within their session.
 */
export class ChunkOutbox {
  private readonly limits: OutboxLimits;
  private chunks: KeptChunk[] = [];
  /** Number of the first unacknowledged chunk. */
  private first = 0;
  /** How many of the unacknowledged chunks were sent. */
  private sent = 0;
  private keptBytes = 0;
  private sentBytes = 0;
  private ackedBytes = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  /** Bytes of unacknowledged chunks. */
  get bytes(): number {
    return this.keptBytes;
  }

  /** Bytes of all acknowledged chunks. */
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

  /** Keeps the next chunk, as several if it is too long; false if that exceeds the bytes that may be kept. */
  add({ bytes, mimeType }: Chunk, now: number): boolean {
    const { byteLength } = bytes;
    if (this.keptBytes + byteLength > this.limits.keptBytes) return false;
    for (const [n, message] of messages(bytes).entries())
      this.chunks.push({
        ...{ bytes: message, at: now, sentAt: NaN },
        mimeType: n === 0 ? mimeType : undefined,
      });
    this.keptBytes += byteLength;
    return true;
  }

  /** Chunks to send now. */
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

  /** Drops the chunks before number `count`, which the server has. */
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
   * Goes on with number `count` on another connection; false if that chunk is no longer, or not yet, here. An empty
   * outbox goes on with any number: another page had the chunks before it.
   */
  resumeAt(count: number): boolean {
    if (this.first === 0 && this.chunks.length === 0) this.first = count;
    this.acknowledge(count);
    this.sent = this.sentBytes = 0;
    return this.first === count;
  }

  /** Drops unsent chunks. The next chunk must begin another input stream. */
  dropUnsent(): void {
    this.chunks.length = this.sent;
    this.keptBytes = this.sentBytes;
  }
}

/** A recorder that was asleep hands out more at once than a server takes. */
function messages(bytes: ArrayBuffer): ArrayBuffer[] {
  const count = Math.ceil(bytes.byteLength / SAFE_MESSAGE_BYTES);
  if (count <= 1) return [bytes];
  return Array.from({ length: count }, (_, n) =>
    bytes.slice(n * SAFE_MESSAGE_BYTES, (n + 1) * SAFE_MESSAGE_BYTES),
  );
}

function sum(chunks: readonly Chunk[]): number {
  return chunks.reduce((bytes, chunk) => bytes + chunk.bytes.byteLength, 0);
}
