import { BEST_QUALITY, isReduced, type Quality } from '../uplink/quality.js';
import { record, type StreamRecorder } from './record.js';
import { recordableMimeType } from './recorder.js';
import type { Shape } from './shaped-track.js';
import type { Captured, Source } from './source.js';

export interface CapturedStreamsEvents {
  /**
   * The next bytes, in order; with `mimeType` if they begin an input stream that the server must be told
   * of.
   */
  onBytes(bytes: ArrayBuffer, mimeType: string | undefined): void;
  /** A recorder could not begin, or broke off by itself. */
  onFailure(): void;
  /** A file was sent to its end. */
  onRanOut(): void;
}

/** The MIME type of a source's first input stream; undefined if this browser cannot record it. */
export function mimeTypeOf(source: Source): string | undefined {
  return source.file?.mimeType ?? recordedAs(source.capture());
}

function recordedAs(captured: Captured | undefined): string | undefined {
  return captured && recordableMimeType(captured.stream.getAudioTracks().length > 0);
}

/**
 * Owns a broadcast's source until it is closed or replaced. Makes one input stream after another: one for
 * each source and each quality.
 */
export class CapturedStreams {
  private readonly events: CapturedStreamsEvents;
  private opened: Source;
  private state: 'idle' | 'streaming' | 'closed' = 'idle';
  private wantedQuality = BEST_QUALITY;
  private takenShape: Shape | undefined;
  private recorder: StreamRecorder | undefined;
  /** Resolves when the current change is done. */
  private change: Promise<void> = Promise.resolve();
  private isFileSent = false;

  constructor(source: Source, events: CapturedStreamsEvents) {
    this.opened = source;
    this.events = events;
  }

  /** The current source, to be shown; it is closed only here. */
  get source(): Omit<Source, 'close'> {
    return this.opened;
  }

  /** The MIME type of the first input stream; undefined if this browser cannot record the source. */
  get mimeType(): string | undefined {
    return mimeTypeOf(this.opened);
  }

  get isStreaming(): boolean {
    return this.state === 'streaming';
  }

  /** Whether a file is sent as it is; `onRanOut` is then called at its end. */
  get sendsFile(): boolean {
    return this.isFileSent;
  }

  get quality(): Quality {
    return this.wantedQuality;
  }

  /** Size and rate of the pictures if they are reduced; undefined if they are the source's. */
  get shape(): Shape | undefined {
    return isReduced(this.wantedQuality) ? this.takenShape : undefined;
  }

  /**
   * Begins the first input stream, in the best quality.
   * @param announced the MIME type that the server expects; undefined if it must be told
   */
  begin(announced: string | undefined): void {
    if (this.state === 'closed') return;
    this.state = 'streaming';
    this.wantedQuality = BEST_QUALITY;
    this.stream(announced);
  }

  /** Changes to another source, and closes the one before. */
  changeSource(next: Source): Promise<void> {
    return this.inTurn(async () => {
      if (isReduced(this.wantedQuality)) this.takenShape = await reduced(next, this.wantedQuality);
      await this.recorder?.stop();
      if (this.state === 'closed') return next.close();
      this.opened.close();
      this.opened = next;
      if (this.isStreaming) this.stream(undefined);
    });
  }

  /** Changes the quality; no effect on a source that can only be sent as it is. */
  changeQuality(quality: Quality): Promise<void> {
    return this.inTurn(async () => {
      if (!this.opened.capture()) return;
      this.wantedQuality = quality;
      await this.recorder?.stop();
      this.takenShape = await reduced(this.opened, quality);
      if (this.isStreaming) this.stream(undefined);
    });
  }

  /** Ends the last input stream; resolves when its last byte has been handed out. The source stays open. */
  async stop(): Promise<void> {
    if (this.state === 'streaming') this.state = 'idle';
    await this.change;
    await this.recorder?.stop();
  }

  /** Ends everything at once, and closes the source. */
  close(): void {
    this.state = 'closed';
    void this.stop();
    this.opened.close();
  }

  private inTurn(change: () => Promise<void>): Promise<void> {
    return (this.change = this.change.then(change));
  }

  private stream(announced: string | undefined): void {
    const { file } = this.opened;
    const asItIs = this.wantedQuality === BEST_QUALITY ? file : undefined;
    const captured = asItIs ? undefined : this.opened.capture();
    const mimeType = captured ? recordedAs(captured) : file?.mimeType;
    let toldType = mimeType === announced ? undefined : mimeType;
    const events = {
      onBytes: (bytes: ArrayBuffer) => {
        this.events.onBytes(bytes, toldType);
        toldType = undefined;
      },
      onFailure: () => this.events.onFailure(),
      onRanOut: () => this.events.onRanOut(),
    };
    this.isFileSent = !captured;
    try {
      if (!captured) this.recorder = file?.stream(this.opened.position(), events);
      else if (mimeType)
        this.recorder = record(captured.stream, { mimeType, ...this.wantedQuality }, events);
      else events.onFailure();
    } catch {
      events.onFailure();
    }
  }
}

async function reduced(source: Source, quality: Quality): Promise<Shape | undefined> {
  return source.capture()?.picture.reduceTo(quality);
}
