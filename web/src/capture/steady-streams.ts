/** Frames a second of a steadied track. */
export const STEADY_FPS = 30;

/** What the worker is sent once: frames in, frames out. */
export interface SteadyStreams {
  readable: ReadableStream<VideoFrame>;
  writable: WritableStream<VideoFrame>;
}
