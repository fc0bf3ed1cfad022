/**
 * Reads small structures from a stream that comes in pieces, and skips what is between them. Holds at most
 * one incomplete structure.
 */
export class ByteStream {
  /** How many bytes of the stream were read or skipped. */
  position = 0;
  private unread: Buffer = Buffer.alloc(0);
  private toSkip = 0;

  push(bytes: Buffer): void {
    this.unread = this.unread.length > 0 ? Buffer.concat([this.unread, bytes]) : bytes;
    this.skip(0);
  }

  /** Up to `length` bytes from the current position; fewer if they have not come yet. */
  peek(length: number): Buffer {
    return this.unread.subarray(0, length);
  }

  /** Moves on by `length` bytes, which may not have come yet. */
  skip(length: number): void {
    this.toSkip += length;
    const skipped = Math.min(this.toSkip, this.unread.length);
    this.unread = this.unread.subarray(skipped);
    this.toSkip -= skipped;
    this.position += skipped;
  }

  /** Copies what is unread, so that the pushed piece can be freed; call after the last read of a push. */
  settle(): void {
    this.unread = Buffer.from(this.unread);
  }
}
