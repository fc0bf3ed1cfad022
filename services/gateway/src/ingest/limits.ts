const MIB = 1024 * 1024;

/** Bounds of the ingest that are not settings. Each name ends in its unit; `Ms` is milliseconds. */
export interface IngestLimits {
  /** Sockets at once, those without a first message included. */
  sockets: number;
  /** Largest text message. */
  textBytes: number;
  /** Time from a socket's opening to its first message. */
  firstMessageMs: number;
  /** Time from `started` to the first media, which registers the session. */
  firstMediaMs: number;
  /** Sockets of one client that have sent no media yet. A whole school may share one address. */
  idleSocketsPerClient: number;
  /** Bytes that all sockets without a place have sent together, unfinished messages included. */
  unplacedBytes: number;
  /** Time between two pings. A socket from which not even a pong comes in that time is dead. */
  pingMs: number;
  /** How long the pipeline may list no frame, after a stop, before the end counts as unconfirmed. */
  endMs: number;
  /** Time between two looks for an ended session's summary, in case the event was lost. */
  lookForEndMs: number;
  /** Chunks of one session that have arrived and are not safely queued. */
  unacknowledgedChunks: number;
  /** Bytes of these chunks. */
  unacknowledgedBytes: number;
  /** Chunks of one session that are in the queue, and that no frame-extractor has taken. */
  queuedChunks: number;
  /** Bytes of these chunks. */
  queuedBytes: number;
  /** A session's queue is looked at once in this many chunks. */
  lookEveryChunks: number;
  /** A session's queue is looked at once in this many bytes. */
  lookEveryBytes: number;
  /** Time between two looks at a full queue. */
  lookAgainMs: number;
  /** How long a queue may stay full while the pipeline makes no progress. */
  fullMs: number;
  /** Time between two tries to write a session's chunks while Redis is gone. */
  retryMs: number;
  /** How long Redis may be gone before a publisher is refused. */
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
  unacknowledgedChunks: 16,
  unacknowledgedBytes: 8 * MIB,
  queuedChunks: 20,
  queuedBytes: 32 * MIB,
  lookEveryChunks: 10,
  lookEveryBytes: 4 * MIB,
  lookAgainMs: 250,
  fullMs: 30_000,
  retryMs: 200,
  outageMs: 10_000,
};
