import { BACK_BUFFER_EXCESS_SECONDS, BACK_BUFFER_SECONDS, bufferEnd } from './media-buffer.js';

/** What is buffered ahead at most, in seconds: who has paused goes on at the live edge. */
const MAX_AHEAD_SECONDS = 30;
/** How much of that is kept, in seconds. */
const KEPT_AHEAD_SECONDS = 10;

/** Told of each piece of media when it is in the buffer. */
export type Appended = (from: number | undefined) => void;

/**
 * A source buffer that takes one thing after another: pieces of a stream, types of pieces, and the removal of
 * what was played a while ago.
 */
export class AppendQueue {
  private readonly video: HTMLVideoElement;
  private readonly source: MediaSource;
  private readonly onFailure: () => void;
  private buffer: SourceBuffer | undefined;
  private readonly steps: (() => void)[] = [];
  /** Whether the buffer failed: it takes nothing more. */
  private isBroken = false;

  constructor(video: HTMLVideoElement, source: MediaSource, onFailure: () => void) {
    this.video = video;
    this.source = source;
    this.onFailure = onFailure;
  }

  /** What comes from now on is of this type. */
  setType(mimeType: string): void {
    this.add(() => {
      if (this.buffer) return this.buffer.changeType(mimeType);
      this.buffer = this.source.addSourceBuffer(mimeType);
      this.buffer.addEventListener('updateend', () => this.next());
    });
  }

  /** Appends media, or an initialization section; then tells where the buffer had ended before, in seconds. */
  append(bytes: ArrayBuffer, appended: Appended = () => undefined): void {
    let from: number | undefined;
    this.add(() => {
      from = bufferEnd(this.video);
      this.buffer?.appendBuffer(bytes);
    });
    this.add(() => appended(from));
    this.add(() => this.makeRoom());
  }

  /** Says that no more comes. */
  finish(): void {
    this.add(() => this.source.endOfStream());
  }

  private add(step: () => void): void {
    if (this.isBroken) return;
    this.steps.push(step);
    if (this.steps.length === 1) this.next();
  }

  private next(): void {
    while (this.steps.length > 0 && !this.buffer?.updating) {
      if (this.source.readyState === 'closed') return;
      try {
        this.steps[0]!();
      } catch {
        this.isBroken = true;
        this.steps.length = 0;
        return this.onFailure();
      }
      this.steps.shift();
    }
  }

  private makeRoom(): void {
    const { buffered, currentTime } = this.video;
    const end = bufferEnd(this.video);
    if (end === undefined || !this.buffer) return;
    const isAhead = end - Math.max(currentTime, buffered.start(0)) > MAX_AHEAD_SECONDS;
    const before = isAhead ? end - KEPT_AHEAD_SECONDS : currentTime - BACK_BUFFER_SECONDS;
    if (isAhead || before - buffered.start(0) > BACK_BUFFER_EXCESS_SECONDS)
      this.buffer.remove(0, before);
  }
}
