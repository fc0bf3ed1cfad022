import { joinBytes } from '../join-bytes.js';
import { Pace } from './pace.js';
import type { RecorderEvents } from '../recorder.js';

/** Bytes of a stream, and the time in it at which they are needed, in seconds. */
export interface TimedBytes {
  time: number;
  bytes: Uint8Array[];
}

/**
 * How much earlier than its time a packet is sent, in seconds: some packets are needed before the first
 * shown ones.
 */
const LEAD_SECONDS = 0.3;
/** How long late bytes are gathered into one chunk, in milliseconds. */
const GATHERED_MS = 100;

export interface FileStreamEvents extends RecorderEvents {
  /** Called when the whole file was passed on. */
  onRanOut(): void;
}

/** Passes a file's stream on at its own speed. */
export class FileStream {
  private readonly events: FileStreamEvents;
  private readonly pace = new Pace();
  private readonly finished: Promise<void>;
  private due: Uint8Array[] = [];
  private handedOnAt = 0;
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
      // A browser may encode more slowly than the file plays.
      if (performance.now() - this.handedOnAt >= GATHERED_MS) this.handOn();
    }
    this.handOn();
    if (!this.stopped) this.events.onRanOut();
  }

  private handOn(): void {
    this.handedOnAt = performance.now();
    const bytes = joinBytes(this.due.splice(0)).buffer;
    if (bytes.byteLength > 0) this.events.onBytes(bytes);
  }
}
