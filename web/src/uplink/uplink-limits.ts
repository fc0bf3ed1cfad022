import type { OutboxLimits } from './chunk-outbox.js';

/** The bounds of a page's connection to the server. Bytes are of media, times in milliseconds. */
export interface UplinkLimits extends OutboxLimits {
  /** A socket that has not opened after this time counts as failed. */
  openMs: number;
  /** A server that has sent stats and then nothing for this long is reported as not answering. */
  quietMs: number;
  /** The connection to a server that has sent stats and then nothing for this long counts as lost. */
  silenceMs: number;
  /** Time between two attempts to resume; the server's `resumeSeconds` limits how long they go on. */
  retryEveryMs: number;
  /** How long the server may take to finish what it was sent. */
  endMs: number;
}

export const UPLINK_LIMITS: UplinkLimits = {
  // 40 s of 2.5 Mbit/s, while a connection is lost.
  keptBytes: 12 * 1024 * 1024,
  // 1.3 s of 300 kbit/s: a slow connection must not fill up with more than it can carry.
  inFlightBytes: 48 * 1024,
  promptBytes: 512 * 1024,
  promptMs: 300,
  openMs: 5_000,
  quietMs: 3_000,
  silenceMs: 8_000,
  retryEveryMs: 500,
  endMs: 30_000,
};
