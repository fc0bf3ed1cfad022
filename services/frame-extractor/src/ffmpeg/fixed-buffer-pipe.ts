import { deferred } from '@facecast/shared/runtime/deferred';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Size of the buffer: more than a socket holds, so that one read empties it. */
const BUFFER_BYTES = 256 * 1024;

/**
 * The stdout of a child process, always read into the same buffer.
 *
 * A pipe that Node makes allocates 64 KB for each read. At 30 pictures of 640x480 a second that is 14 MB of
 * garbage outside of the heap each second, for which V8 marks the whole heap every second: three times the
 * CPU of the reading itself. Only a socket that connects can be given a buffer.
 */
export class FixedBufferPipe {
  private readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private readonly ours: Socket;
  private theirs: Socket | undefined;
  private filled = 0;
  private news = deferred<void>();
  private isWoken = false;

  private constructor(path: string) {
    const callback = (bytes: number) => this.receive(bytes);
    this.ours = connect({ path, onread: { buffer: this.buffer, callback } });
    // After an error it simply ends.
    this.ours.on('error', () => {});
    this.ours.on('close', () => this.news.resolve());
  }

  /** Opens a pipe whose two ends are connected. */
  static async open(): Promise<FixedBufferPipe> {
    const path = join(tmpdir(), `facecast-${randomUUID()}`);
    const server = createServer({ pauseOnConnect: true }).listen(path);
    try {
      await once(server, 'listening');
      const channel = new FixedBufferPipe(path);
      [channel.theirs] = (await once(server, 'connection')) as [Socket];
      return channel;
    } finally {
      server.close();
    }
  }

  /** Calls `start` with the socket for a child's stdout, which only the child has open from then on. */
  giveTo<Child>(start: (stdout: Socket) => Child): Child {
    const { theirs } = this;
    if (!theirs) throw new Error('there is one writer only');
    try {
      return start(theirs);
    } finally {
      theirs.destroy();
      this.theirs = undefined;
    }
  }

  /**
   * The bytes as they come, to the end, and an empty piece after `wake`; each piece is overwritten when the next is
   * asked for, and nothing is read before that. To be read once.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        await this.news.promise;
        this.news = deferred();
        const { filled, isWoken } = this;
        if (filled === 0 && !isWoken) return;
        this.isWoken = false;
        yield this.buffer.subarray(0, filled);
        // Bytes may have come while an empty piece was looked at.
        if (filled > 0) this.filled = 0;
        if (this.ours.destroyed && this.filled === 0) return;
        if (filled > 0) this.ours.resume();
      }
    } finally {
      this.close();
    }
  }

  /** Gives the reader an empty piece, so that it can do something else. */
  wake(): void {
    this.isWoken = true;
    this.news.resolve();
  }

  /** Stops reading. May be called again. */
  close(): void {
    this.theirs?.destroy();
    this.ours.destroy();
  }

  /** Records received bytes. Returns false, so that no more are read before these were taken. */
  private receive(bytes: number): boolean {
    this.filled = bytes;
    this.news.resolve();
    return false;
  }
}
