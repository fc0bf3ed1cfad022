/** Chromium's access to what tracks give and take, which TypeScript does not know. */
export interface TrackAccess {
  MediaStreamTrackProcessor?: new <Data>(init: { track: MediaStreamTrack }) => {
    readable: ReadableStream<Data>;
  };
  MediaStreamTrackGenerator?: new (init: { kind: 'video' }) => MediaStreamTrack & {
    writable: WritableStream<VideoFrame>;
  };
}
