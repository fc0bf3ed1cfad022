/**
 * Reads small structures at the front of a stream whose bytes come in pieces, and skips what is between
 * them. It never holds more than a structure that is not whole yet.
 */
export class ByteStream {
  /** Bytes of the stream that were read or skipped. */
  position = 0;
  private unread: Buffer = Buffer.alloc(0);
  private toSkip = 0;

  push(bytes: Buffer): void {
    this.unread = this.unread.length > 0 ? Buffer.concat([this.unread, bytes]) : bytes;
    this.skip(0);
  }

  /** Up to so many bytes from the present position, as far as they have come. */
  peek(length: number): Buffer {
    return this.unread.subarray(0, length);
  }

  /** Goes on by so many bytes, which may not have come yet. */
  skip(length: number): void {
    this.toSkip += length;
    const skipped = Math.min(this.toSkip, this.unread.length);
    this.unread = this.unread.subarray(skipped);
    this.toSkip -= skipped;
    this.position += skipped;
  }

  /** After the last read of a push: lets the pushed piece go, but for what is still unread. */
  settle(): void {
    this.unread = Buffer.from(this.unread);
  }
}
