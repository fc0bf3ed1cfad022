import type { OutboxLimits } from './chunk-outbox.js';

/** The bounds of a page's connection to the server. Bytes are of media, times in milliseconds. */
export interface UplinkLimits extends OutboxLimits {
  /** A socket that has not opened by then counts as failed. */
  openMs: number;
  /** A server that has sent stats and then says nothing for this long has trouble of its own. */
  quietMs: number;
  /** The connection to a server that has sent stats and then says nothing for this long is lost. */
  silenceMs: number;
  /** Between two tries to resume. How long is tried is the server's affair: `resumeSeconds` of `started`. */
  retryEveryMs: number;
  /** How long the server may take to finish what it was sent. */
  endMs: number;
}

export const UPLINK_LIMITS: UplinkLimits = {
  // 40 s of 2.5 Mbit/s, while a connection is lost.
  keptBytes: 12 * 1024 * 1024,
  // A slow connection is not to be full of what is too much for it: this is 1.3 s of 300 kbit/s.
  inFlightBytes: 48 * 1024,
  promptBytes: 512 * 1024,
  promptMs: 300,
  openMs: 5_000,
  quietMs: 3_000,
  silenceMs: 8_000,
  retryEveryMs: 500,
  endMs: 30_000,
};
