import { deferred } from '@facecast/shared/runtime/deferred';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** More than a socket holds, so that one read empties it. */
const BUFFER_BYTES = 256 * 1024;

/**
 * What a child process writes to its stdout, read into one buffer again and again.
 *
 * A pipe that Node makes allocates 64 KB for each read. At 30 pictures of 640x480 a second that is
 * 14 MB of garbage outside of the heap each second, for which V8 marks the whole heap every second:
 * three times the CPU of the reading itself. Only a socket that connects can be given a buffer.
 */
export class FixedBufferPipe {
  private readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private readonly ours: Socket;
  private theirs: Socket | undefined;
  private filled = 0;
  private news = deferred<void>();

  private constructor(path: string) {
    const callback = (bytes: number) => this.receive(bytes);
    this.ours = connect({ path, onread: { buffer: this.buffer, callback } });
    // Whatever is wrong with it, nothing more comes of it.
    this.ours.on('error', () => {});
    this.ours.on('close', () => this.news.resolve());
  }

  /** Its way in and its way out are connected when it resolves. */
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

  /** Calls `start` with what a child is to have as its stdout, which only the child has from then on. */
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
   * The bytes as they come, to the end; each piece is overwritten when the next is asked for, and nothing
   * is read before that. To be read once.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        await this.news.promise;
        if (this.filled === 0) return;
        yield this.buffer.subarray(0, this.filled);
        this.filled = 0;
        if (this.ours.destroyed) return;
        this.news = deferred();
        this.ours.resume();
      }
    } finally {
      this.close();
    }
  }

  /** Nothing more is read. May be called again. */
  close(): void {
    this.theirs?.destroy();
    this.ours.destroy();
  }

  /** False: not to be called again before what came was taken. */
  private receive(bytes: number): boolean {
    this.filled = bytes;
    this.news.resolve();
    return false;
  }
}
