const MIB = 1024 * 1024;

/** The bounds of ingest that are no settings. Names end in the unit; what ends in `Ms` is a time. */
export interface IngestLimits {
  /** Sockets at once, those included that have not said yet what they want. */
  sockets: number;
  /** Largest text message. */
  textBytes: number;
  /** A client must say within this what it wants. */
  firstMessageMs: number;
  /** And must send its first media so soon after `started`: its place begins with that. */
  firstMediaMs: number;
  /** Sockets of one client that have sent no media yet: a whole school may sit behind one address. */
  idleSocketsPerClient: number;
  /** Bytes of all sockets together that have no place yet, unfinished messages for one. */
  unplacedBytes: number;
  /** A socket that says nothing between two pings, not even a pong, is dead. */
  pingMs: number;
  /** How long the pipeline may do nothing before it has finished what it was sent, and how often that is looked for. */
  endMs: number;
  lookForEndMs: number;
  /** Chunks, and their bytes, of one session that have arrived and are not safely queued. */
  unacknowledgedChunks: number;
  unacknowledgedBytes: number;
  /** Chunks, and their bytes, of one session that are queued and nobody has taken. */
  waitingChunks: number;
  waitingBytes: number;
  /** The queue is looked at once in so many chunks, or bytes. */
  lookEveryChunks: number;
  lookEveryBytes: number;
  /** Between two looks at a queue that is full, and how long it may stay so while nothing is taken from it. */
  lookAgainMs: number;
  fullMs: number;
  /** Between two tries while Redis is gone, and how long it may be so. */
  retryMs: number;
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
