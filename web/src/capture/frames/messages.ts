/** One input stream to record, from the data of its tracks. */
export interface RecordRequest {
  type: 'record';
  video: ReadableStream<VideoFrame>;
  audio: ReadableStream<AudioData> | undefined;
  /** Bitrate of the video encoder, in bits a second. */
  bitsPerSecond: number;
  /** Bitrate of the audio encoder, in bits a second; undefined: the recorder's default. */
  soundBitsPerSecond: number | undefined;
}

/** What the recording worker is told: once to record, later to stop. */
export type ToWorker = RecordRequest | { type: 'stop' };

/** What the worker tells: the stream's next bytes, and at last whether it stopped or failed. */
export type FromWorker =
  { type: 'bytes'; bytes: ArrayBuffer } | { type: 'stopped' } | { type: 'failed' };
