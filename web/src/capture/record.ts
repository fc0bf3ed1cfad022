import { FrameRecorder } from './frames/frame-recorder.js';
import { Recorder, type RecorderEvents, type RecorderOptions } from './recorder.js';

/** What records one input stream. */
export interface StreamRecorder {
  /** Ends the input stream; resolves when its last byte has been handed out. */
  stop(): Promise<void>;
}

/**
 * Records one input stream: batch by batch if this browser gives a page its frames, otherwise, and if that fails
 * before the first bytes, with MediaRecorder.
 */
export function record(
  stream: MediaStream,
  options: RecorderOptions,
  events: RecorderEvents,
): StreamRecorder {
  const withMediaRecorder = () => new Recorder(stream, options, events);
  if (!FrameRecorder.canRecord(options.mimeType)) return withMediaRecorder();
  let state: 'beginning' | 'recording' | 'stopped' = 'beginning';
  let recorder: StreamRecorder = new FrameRecorder(stream, options, {
    onBytes(bytes) {
      if (state === 'beginning') state = 'recording';
      events.onBytes(bytes);
    },
    onFailure() {
      if (state === 'recording') events.onFailure();
      if (state === 'beginning') recorder = withMediaRecorder();
    },
  });
  return {
    stop() {
      state = 'stopped';
      return recorder.stop();
    },
  };
}
