import { Pace } from './pace.js';
import type { RecorderEvents } from '../recorder.js';

/** Bytes of a stream, and at which time in it they are wanted, in seconds. */
export interface TimedBytes {
  time: number;
  bytes: Uint8Array[];
}

/** How much earlier than its time a packet is sent, in seconds: some are needed before those shown first. */
const LEAD_SECONDS = 0.3;
/** Longest message of media, in bytes: the server takes no longer ones. */
const MAX_BYTES = 256 * 1024;

export interface FileStreamEvents extends RecorderEvents {
  /** All of the file was handed on. */
  onRanOut(): void;
}

/** A stream that is there already, handed on at its own speed. */
export class FileStream {
  private readonly events: FileStreamEvents;
  private readonly pace = new Pace();
  private readonly finished: Promise<void>;
  private due: Uint8Array[] = [];
  private stopped = false;

  constructor(stream: AsyncIterable<TimedBytes>, events: FileStreamEvents) {
    this.events = events;
    this.finished = this.run(stream)
      .catch(() => !this.stopped && events.onFailure())
      .then(() => this.pace.close());
  }

  /** Ends it; resolves when its last byte has been handed out. */
  stop(): Promise<void> {
    this.stopped = true;
    this.pace.close();
    return this.finished;
  }

  private async run(stream: AsyncIterable<TimedBytes>): Promise<void> {
    const begunAt = performance.now();
    for await (const { time, bytes } of stream) {
      while (!this.stopped && time - LEAD_SECONDS > (performance.now() - begunAt) / 1000) {
        this.handOn();
        await this.pace.tick();
      }
      if (this.stopped) break;
      this.due.push(...bytes);
    }
    this.handOn();
    if (!this.stopped) this.events.onRanOut();
  }

  private handOn(): void {
    for (const bytes of messages(this.due.splice(0))) this.events.onBytes(bytes);
  }
}

/** The bytes as one, cut where they are too many for one message. */
function messages(written: Uint8Array[]): ArrayBuffer[] {
  const all = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of written) {
    all.set(bytes, at);
    at += bytes.length;
  }
  const count = Math.ceil(all.length / MAX_BYTES);
  return Array.from({ length: count }, (_, n) =>
    all.buffer.slice(n * MAX_BYTES, (n + 1) * MAX_BYTES),
  );
}
