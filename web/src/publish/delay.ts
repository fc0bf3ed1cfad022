import { LATE_SECONDS } from '../play/latency.js';

/** What is known of where time is lost, in seconds each; undefined: not known. */
export interface DelaySigns {
  /** Since the source gave its last bytes. */
  silentSeconds: number | undefined;
  /** How long the oldest chunk waits that the server does not have. */
  waitedSeconds: number | undefined;
  /** From a chunk's arrival at the server to its pictures being listed. */
  pipelineSeconds: number | undefined;
  /** From the capture of the newest pictures to their being listed: no viewer is less late. */
  listedSeconds: number | undefined;
  /** From the capture of the picture on the screen here. */
  shownSeconds: number | undefined;
}

/** How late viewers are, and whose fault it is. */
export interface Delay {
  seconds: number;
  cause: 'source' | 'connection' | 'server' | 'player';
}

/** A source that gives nothing for longer stands still. */
const SILENT_SECONDS = 2;
/** A server that needs longer is to blame for what is late. */
const SLOW_SERVER_SECONDS = 2;

/** The delay that a person must know of; undefined while the stream is in time. */
export function delayOf(signs: DelaySigns): Delay | undefined {
  const { silentSeconds = 0, waitedSeconds = 0, pipelineSeconds = 0 } = signs;
  const { listedSeconds = 0, shownSeconds = 0 } = signs;
  if (silentSeconds > SILENT_SECONDS) return { seconds: silentSeconds, cause: 'source' };
  const streamSeconds = Math.max(listedSeconds, waitedSeconds);
  if (streamSeconds >= LATE_SECONDS) {
    const cause = pipelineSeconds > SLOW_SERVER_SECONDS ? 'server' : 'connection';
    return { seconds: Math.max(streamSeconds, shownSeconds), cause };
  }
  if (shownSeconds < LATE_SECONDS) return undefined;
  return { seconds: shownSeconds, cause: 'player' };
}
