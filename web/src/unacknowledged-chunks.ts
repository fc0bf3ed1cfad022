/** One message of media. */
export interface Chunk {
  bytes: ArrayBuffer;
  /** Where another recording begins with it: its type. */
  mimeType?: string | undefined;
}

/**
 * The chunks that the server has not acknowledged, kept to be sent again after a lost connection.
 * Chunks are numbered from 0 within their session.
 */
export class UnacknowledgedChunks {
  readonly #limitBytes: number;
  #chunks: Chunk[] = [];
  #first = 0;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps the next chunk; false where that would be more bytes than the limit. */
  add(chunk: Chunk): boolean {
    const { byteLength } = chunk.bytes;
    if (this.#bytes + byteLength > this.#limitBytes) return false;
    this.#chunks.push(chunk);
    this.#bytes += byteLength;
    return true;
  }

  /** Forgets the chunks before number `count`: the server has them. */
  acknowledge(count: number): void {
    const gone = this.#chunks.splice(0, Math.max(0, count - this.#first));
    this.#first += gone.length;
    for (const { bytes } of gone) this.#bytes -= bytes.byteLength;
  }

  /** The chunks from number `count` on; undefined where some of them are no longer (or not yet) here. */
  from(count: number): Chunk[] | undefined {
    const offset = count - this.#first;
    return offset < 0 || offset > this.#chunks.length ? undefined : this.#chunks.slice(offset);
  }
}
