import { BEST_QUALITY, isReduced, type Quality } from '../uplink/quality.js';
import { recordableMimeType, Recorder } from './recorder.js';
import type { Shape } from './shaped-track.js';
import type { Captured, Source } from './source.js';

export interface RecordingsEvents {
  /** The next bytes, in order; where another recording than the first begins with them, its type. */
  onBytes(bytes: ArrayBuffer, beginning: string | undefined): void;
  /** A recorder could not begin, or broke off by itself. */
  onFailure(): void;
  /** A file was sent to its end. */
  onRanOut(): void;
}

/** As what a source is sent at first; undefined where this browser cannot record it. */
export function mimeTypeOf(source: Source): string | undefined {
  return source.file?.mimeType ?? recordedAs(source.capture());
}

function recordedAs(captured: Captured | undefined): string | undefined {
  return captured && recordableMimeType(captured.stream.getAudioTracks().length > 0);
}

/** A broadcast's recordings, one after another: of each of its sources, and of each quality. */
export class Recordings {
  readonly #events: RecordingsEvents;
  #present: Source;
  #quality = BEST_QUALITY;
  #shape: Shape | undefined;
  #recorder: { stop(): Promise<void> } | undefined;
  /** Resolves when the change under way is done. */
  #change: Promise<void> = Promise.resolve();
  #over = false;
  #sendsFile = false;

  /** Begins with the first one, which `continues` what another page recorded. */
  constructor(first: Source, { continues }: { continues: boolean }, events: RecordingsEvents) {
    this.#present = first;
    this.#events = events;
    this.#record({ isFirst: !continues });
  }

  /** The source that is recorded. */
  get source(): Source {
    return this.#present;
  }

  /** Whether it is a file that is sent as it is, and tells by `onRanOut` when all was sent. */
  get sendsFile(): boolean {
    return this.#sendsFile;
  }

  get quality(): Quality {
    return this.#quality;
  }

  /** What the pictures are where they are smaller or fewer than the source's. */
  get shape(): Shape | undefined {
    return isReduced(this.#quality) ? this.#shape : undefined;
  }

  /** Goes on with another source, and closes the one before it. */
  changeSource(next: Source): Promise<void> {
    return this.#inTurn(async () => {
      if (isReduced(this.#quality)) this.#shape = await reduced(next, this.#quality);
      await this.#recorder?.stop();
      if (this.#over) return next.close();
      this.source.close();
      this.#present = next;
      this.#record({ isFirst: false });
    });
  }

  /** Goes on with the same source in another quality; as it is where it can only be sent as it is. */
  changeQuality(quality: Quality): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.source.capture()) return;
      this.#quality = quality;
      await this.#recorder?.stop();
      this.#shape = await reduced(this.source, quality);
      if (!this.#over) this.#record({ isFirst: false });
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

  #record({ isFirst }: { isFirst: boolean }): void {
    const { file } = this.source;
    const asItIs = this.#quality === BEST_QUALITY ? file : undefined;
    const captured = asItIs ? undefined : this.source.capture();
    const mimeType = captured ? recordedAs(captured) : file?.mimeType;
    let beginning = isFirst ? undefined : mimeType;
    const events = {
      onBytes: (bytes: ArrayBuffer) => {
        this.#events.onBytes(bytes, beginning);
        beginning = undefined;
      },
      onFailure: () => this.#events.onFailure(),
      onRanOut: () => this.#events.onRanOut(),
    };
    this.#sendsFile = !captured;
    try {
      if (!captured) this.#recorder = file?.record(this.source.position(), events);
      else if (mimeType)
        this.#recorder = new Recorder(captured.stream, { mimeType, ...this.#quality }, events);
      else events.onFailure();
    } catch {
      events.onFailure();
    }
  }
}

async function reduced(source: Source, quality: Quality): Promise<Shape | undefined> {
  return source.capture()?.picture.reduceTo(quality);
}
