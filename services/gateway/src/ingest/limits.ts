const MIB = 1024 * 1024;

/** The bounds of ingest that are no settings. A name ends in its unit; `Ms` is milliseconds. */
export interface IngestLimits {
  /** Sockets at once, those included that have not said yet what they want. */
  sockets: number;
  /** Largest text message. */
  textBytes: number;
  /** From the socket's opening to its first message. */
  firstMessageMs: number;
  /** From `started` to the first media, with which the session takes its place. */
  firstMediaMs: number;
  /** Sockets of one client that have sent no media yet. A whole school may sit behind one address. */
  idleSocketsPerClient: number;
  /** Bytes that all sockets without a place have sent together, unfinished messages included. */
  unplacedBytes: number;
  /** Between two pings. A socket from which nothing comes in that time, not even a pong, is dead. */
  pingMs: number;
  /** How long the pipeline may list no frame, after a stop, before the end counts as unconfirmed. */
  endMs: number;
  /** Between two looks at what an ended session left, in case the event was lost. */
  lookForEndMs: number;
  /** Chunks of one session that have arrived and are not safely queued. */
  unacknowledgedChunks: number;
  /** Bytes of these chunks. */
  unacknowledgedBytes: number;
  /** Chunks of one session that are queued and that no frame-extractor has taken. */
  waitingChunks: number;
  /** Bytes of these chunks. */
  waitingBytes: number;
  /** A session's queue is looked at once in this many chunks. */
  lookEveryChunks: number;
  /** A session's queue is looked at once in this many bytes. */
  lookEveryBytes: number;
  /** Between two looks at a queue that is full. */
  lookAgainMs: number;
  /** How long a queue may stay full while the pipeline does nothing. */
  fullMs: number;
  /** Between two tries to write a session's chunks while Redis is gone. */
  retryMs: number;
  /** How long Redis may be gone before a publisher is turned away. */
  outageMs: number;
}

export const INGEST_LIMITS: IngestLimits = {
  sockets: 2_000,
  textBytes: 16 * 1024,
  firstMessageMs: 10_000,
  firstMediaMs: 10_000,
  idleSocketsPerClient: 256,
  unplacedBytes: 32 * MIB,
  pingMs: 10_000,
  endMs: 30_000,
  lookForEndMs: 2_000,
  unacknowledgedChunks: 32,
  unacknowledgedBytes: 8 * MIB,
  waitingChunks: 100,
  waitingBytes: 32 * MIB,
  lookEveryChunks: 10,
  lookEveryBytes: 4 * MIB,
  lookAgainMs: 250,
  fullMs: 30_000,
  retryMs: 200,
  outageMs: 10_000,
};
