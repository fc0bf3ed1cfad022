import type { OutboxLimits } from './chunk-outbox.js';

/** The bounds of a connection. Bytes are of media, times in milliseconds. */
export interface IngestLimits extends OutboxLimits {
  /** A socket that has not opened by then counts as failed. */
  openMs: number;
  /** A server that has sent statistics and then says nothing for so long has trouble of its own. */
  quietMs: number;
  /** One that goes on saying nothing for so long has been lost. */
  silenceMs: number;
  /** How long a lost connection is tried again: as long as the server keeps the session. */
  resumeForMs: number;
  /** Between two tries. */
  retryEveryMs: number;
  /** How long the server may take to finish what it was sent. */
  endMs: number;
}

export const INGEST_LIMITS: IngestLimits = {
  // More than the 15 s of a lost connection at 2.5 Mbit/s.
  keptBytes: 12 * 1024 * 1024,
  // A slow connection is not to be full of what is too much for it: this is 1.3 s of 300 kbit/s.
  inFlightBytes: 48 * 1024,
  promptBytes: 512 * 1024,
  promptMs: 300,
  openMs: 5_000,
  quietMs: 3_000,
  silenceMs: 8_000,
  resumeForMs: 15_000,
  retryEveryMs: 500,
  endMs: 30_000,
};
