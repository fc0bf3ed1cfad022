import type { SteadyStreams } from './steady-streams.js';
import type { TrackAccess } from './track-access.js';

/** A track that keeps its pace, and what it takes. */
export interface SteadyTrack {
  track: MediaStreamTrack;
  close(): void;
}

/**
 * A track with STEADY_FPS frames a second from one that has frames only when something changes: of
 * a screen on which nothing moves the browser gives one frame a second, which would arrive in
 * bursts of a second. The track itself where the browser has no access to frames.
 */
export function steadied(track: MediaStreamTrack): SteadyTrack {
  const { MediaStreamTrackProcessor, MediaStreamTrackGenerator } = globalThis as TrackAccess;
  if (!MediaStreamTrackProcessor || !MediaStreamTrackGenerator) {
    return { track, close: () => undefined };
  }
  const { readable } = new MediaStreamTrackProcessor<VideoFrame>({ track });
  const steady = new MediaStreamTrackGenerator({ kind: 'video' });
  // A worker's timers keep their pace while another window covers the page.
  const worker = new Worker(new URL('./steady-frames-worker.ts', import.meta.url), {
    type: 'module',
  });
  const streams: SteadyStreams = { readable, writable: steady.writable };
  worker.postMessage(streams, [readable, steady.writable]);
  return {
    track: steady,
    close() {
      worker.terminate();
      steady.stop();
    },
  };
}
