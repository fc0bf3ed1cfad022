import { LATE_SECONDS, SLOW_SERVER_SECONDS } from '../play/latency.js';

/** What is known of where a live stream loses time, in seconds each; undefined: not known. */
export interface DelaySigns {
  /** Time since the source's last bytes. */
  silentSeconds: number | undefined;
  /** Age of the oldest chunk that the server does not have. */
  waitedSeconds: number | undefined;
  /** From a chunk's arrival at the server to its pictures being listed. */
  pipelineSeconds: number | undefined;
  /** Whether the server reads nothing at the moment, because it is behind. */
  isHeldBack: boolean;
  /** Time since the server listed a new picture. */
  stillSeconds: number | undefined;
  /** From the capture of the newest pictures to their being listed: no viewer is less late. */
  listedSeconds: number | undefined;
  /** From the capture of the picture on the screen here. */
  shownSeconds: number | undefined;
}

/** How late viewers are, and what causes it. */
export interface Delay {
  seconds: number;
  cause: 'source' | 'connection' | 'server' | 'player';
}

/** A source without bytes for longer than this, in seconds, stands still. */
const SILENT_SECONDS = 2;

/** The delay to show to the publisher; undefined while the stream is in time. */
export function delayOf(signs: DelaySigns): Delay | undefined {
  const { silentSeconds = 0, waitedSeconds = 0, pipelineSeconds = 0 } = signs;
  const { stillSeconds = 0, listedSeconds = 0, shownSeconds = 0 } = signs;
  if (silentSeconds > SILENT_SECONDS) return { seconds: silentSeconds, cause: 'source' };
  const streamSeconds = Math.max(listedSeconds, waitedSeconds, stillSeconds);
  // Viewers are late, and more than half of the delay arose before the pictures were listed.
  const isMostlyListed = shownSeconds >= LATE_SECONDS && streamSeconds >= shownSeconds / 2;
  if (streamSeconds >= LATE_SECONDS || isMostlyListed) {
    // The server has chunks and lists nothing: it is slow now, whatever its figures of earlier pictures say.
    const standsStill = stillSeconds >= LATE_SECONDS && waitedSeconds < LATE_SECONDS;
    const isServer = signs.isHeldBack || standsStill || pipelineSeconds > SLOW_SERVER_SECONDS;
    const cause = isServer ? 'server' : 'connection';
    return { seconds: Math.max(streamSeconds, shownSeconds), cause };
  }
  if (shownSeconds < LATE_SECONDS) return undefined;
  return { seconds: shownSeconds, cause: 'player' };
}
