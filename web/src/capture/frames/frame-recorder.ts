import type { RecorderEvents, RecorderOptions } from '../recorder.js';
import type { TrackAccess } from '../track-access.js';
import type { FromWorker, ToWorker } from './messages.js';

/**
 * Records one input stream, VP8 and Opus in WebM, with WebCodecs in a worker. MediaRecorder gives what it has at each
 * tick of its own clock; this hands out a batch's frames as soon as the last of them is encoded, and a page that is
 * busy delays nothing.
 */
export class FrameRecorder {
  private readonly worker: Worker;
  private readonly stopped: Promise<void>;

  /** @param stream one video track, and at most one audio track */
  constructor(stream: MediaStream, options: RecorderOptions, events: RecorderEvents) {
    this.worker = new Worker(new URL('./frame-recorder-worker.ts', import.meta.url), {
      type: 'module',
    });
    this.stopped = new Promise((resolve) => {
      const end = (isFailure: boolean) => {
        this.worker.terminate();
        if (isFailure) events.onFailure();
        resolve();
      };
      this.worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === 'bytes') events.onBytes(data.bytes);
        else end(data.type === 'failed');
      });
      this.worker.addEventListener('error', () => end(true), { once: true });
    });
    const [video] = stream.getVideoTracks().map(dataOf<VideoFrame>);
    const [audio] = stream.getAudioTracks().map(dataOf<AudioData>);
    if (!video) throw new TypeError('no video track');
    const { bitsPerSecond, soundBitsPerSecond } = options;
    this.post({ type: 'record', video, audio, bitsPerSecond, soundBitsPerSecond });
  }

  /** Whether this browser gives a page what a track gives, and encodes it as this type. */
  static canRecord(mimeType: string): boolean {
    const isWanted = /^video\/webm;codecs=vp8(,opus)?$/.test(mimeType);
    const names = ['MediaStreamTrackProcessor', 'VideoEncoder', 'AudioEncoder'];
    return isWanted && names.every((name) => name in globalThis);
  }

  /** Ends the input stream; resolves when its last byte has been handed out. */
  stop(): Promise<void> {
    this.post({ type: 'stop' });
    return this.stopped;
  }

  private post(message: ToWorker): void {
    const streams = message.type === 'record' ? [message.video, message.audio] : [];
    this.worker.postMessage(
      message,
      streams.filter((stream) => stream !== undefined),
    );
  }
}

function dataOf<Data>(track: MediaStreamTrack): ReadableStream<Data> {
  const { MediaStreamTrackProcessor } = globalThis as TrackAccess;
  return new MediaStreamTrackProcessor!<Data>({ track }).readable;
}
