import { BEST_QUALITY, isReduced, type Quality } from './quality.js';
import { Recorder } from './recorder.js';
import type { Shape } from './shaped-track.js';
import type { Source } from './source.js';

/** An open source, and as what it is recorded. */
export interface Recordable {
  source: Source;
  mimeType: string;
}

export interface RecordingsEvents {
  /** The next bytes, in order; where another recording than the first begins with them, its type. */
  onBytes(bytes: ArrayBuffer, beginning: string | undefined): void;
  /** A recorder could not begin, or broke off by itself. */
  onFailure(): void;
}

/** A broadcast's recordings, one after another: of each of its sources, and of each quality. */
export class Recordings {
  readonly #events: RecordingsEvents;
  #present: Recordable;
  #quality = BEST_QUALITY;
  #shape: Shape | undefined;
  #recorder: Recorder | undefined;
  /** Resolves when the change under way is done. */
  #change: Promise<void> = Promise.resolve();
  #over = false;

  /** Begins with the first one. */
  constructor(first: Recordable, events: RecordingsEvents) {
    this.#present = first;
    this.#events = events;
    this.#record(undefined);
  }

  /** The source that is recorded. */
  get source(): Source {
    return this.#present.source;
  }

  get quality(): Quality {
    return this.#quality;
  }

  /** What the pictures are where they are smaller or fewer than the source's. */
  get shape(): Shape | undefined {
    return isReduced(this.#quality) ? this.#shape : undefined;
  }

  /** Goes on with another source, and closes the one before it. */
  changeSource(next: Recordable): Promise<void> {
    return this.#inTurn(async () => {
      if (isReduced(this.#quality)) this.#shape = await next.source.picture.reduceTo(this.#quality);
      await this.#recorder?.stop();
      if (this.#over) return next.source.close();
      this.source.close();
      this.#present = next;
      this.#record(next.mimeType);
    });
  }

  /** Goes on with the same source in another quality. */
  changeQuality(quality: Quality): Promise<void> {
    return this.#inTurn(async () => {
      this.#quality = quality;
      await this.#recorder?.stop();
      this.#shape = await this.source.picture.reduceTo(quality);
      if (!this.#over) this.#record(this.#present.mimeType);
    });
  }

  /** Ends the last recording; resolves when its last byte has been handed out. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#change;
    await this.#recorder?.stop();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    return (this.#change = this.#change.then(change));
  }

  #record(beginning: string | undefined): void {
    const { source, mimeType } = this.#present;
    let isFirst = true;
    try {
      this.#recorder = new Recorder(
        source.stream,
        { mimeType, ...this.#quality },
        {
          onBytes: (bytes) => {
            this.#events.onBytes(bytes, isFirst ? beginning : undefined);
            isFirst = false;
          },
          onFailure: () => this.#events.onFailure(),
        },
      );
    } catch {
      this.#events.onFailure();
    }
  }
}
