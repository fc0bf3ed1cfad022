import type { Quality } from '../uplink/quality.js';

/** Duration of a batch, in milliseconds: the server searches and publishes so much at a time. */
export const BATCH_MS = 100;
/** Between two key frames, in milliseconds: how far a decoder must go back at worst. */
export const KEY_FRAME_INTERVAL_MS = 1_000;

/**
 * What to record, best first: VP8 is the cheapest to encode in software and comes in small chunks;
 * MP4 comes last because browsers write it only once per key frame.
 */
const MIME_TYPES = {
  withoutSound: [
    'video/webm;codecs=vp8',
    'video/webm;codecs=vp9',
    'video/webm;codecs=h264',
    'video/mp4;codecs=avc1.42E01F',
    'video/mp4',
  ],
  withSound: [
    'video/webm;codecs=vp8,opus',
    'video/webm;codecs=vp9,opus',
    'video/webm;codecs=h264,opus',
    'video/mp4;codecs=avc1.42E01F,mp4a.40.2',
    'video/mp4;codecs=avc1.42E01F,opus',
    'video/mp4',
  ],
};

/** The first type that this browser can record; undefined if it can record none. */
export function chooseMimeType(
  hasSound: boolean,
  isSupported: (mimeType: string) => boolean,
): string | undefined {
  return MIME_TYPES[hasSound ? 'withSound' : 'withoutSound'].find(isSupported);
}

/** The first type that this browser's MediaRecorder can record; undefined without one. */
export function recordableMimeType(hasSound: boolean): string | undefined {
  if (!('MediaRecorder' in globalThis)) return undefined;
  return chooseMimeType(hasSound, (mimeType) => MediaRecorder.isTypeSupported(mimeType));
}

export interface RecorderEvents {
  /** The next bytes of the input stream, in order, never empty. */
  onBytes(bytes: ArrayBuffer): void;
  /** The recorder broke off by itself. */
  onFailure(): void;
}

/** How one input stream is recorded. */
export interface RecorderOptions extends Pick<Quality, 'bitsPerSecond' | 'soundBitsPerSecond'> {
  mimeType: string;
}

/** Records one input stream with MediaRecorder. */
export class Recorder {
  private readonly recorder: MediaRecorder;
  private readonly finished: Promise<void>;

  constructor(
    stream: MediaStream,
    { mimeType, bitsPerSecond, soundBitsPerSecond }: RecorderOptions,
    events: RecorderEvents,
  ) {
    const bytes = new InOrder((chunk: ArrayBuffer) => events.onBytes(chunk));
    const options: MediaRecorderOptions & { videoKeyFrameIntervalDuration: number } = {
      mimeType,
      videoBitsPerSecond: bitsPerSecond,
      ...(soundBitsPerSecond !== undefined && { audioBitsPerSecond: soundBitsPerSecond }),
      videoKeyFrameIntervalDuration: KEY_FRAME_INTERVAL_MS,
    };
    this.recorder = new MediaRecorder(stream, options);
    this.recorder.addEventListener('dataavailable', ({ data }) => {
      if (data.size > 0) bytes.push(data.arrayBuffer());
    });
    this.recorder.addEventListener('error', () => events.onFailure(), { once: true });
    this.finished = new Promise((resolve) => {
      this.recorder.addEventListener('stop', () => void bytes.settled().then(resolve), {
        once: true,
      });
    });
    this.recorder.start(BATCH_MS);
  }

  /** Ends the input stream; resolves when its last byte has been handed out. */
  stop(): Promise<void> {
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    return this.finished;
  }
}

/** Passes on the results of promises in the order in which they were pushed. */
export class InOrder<T> {
  private readonly handOn: (value: T) => void;
  private tail: Promise<void> = Promise.resolve();

  constructor(handOn: (value: T) => void) {
    this.handOn = handOn;
  }

  push(promise: Promise<T>): void {
    this.tail = this.tail.then(async () => this.handOn(await promise));
  }

  /** Resolves when everything pushed so far has been handed on. */
  settled(): Promise<void> {
    return this.tail;
  }
}
