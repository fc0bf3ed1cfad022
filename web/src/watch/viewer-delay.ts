import { LATE_SECONDS, SLOW_SERVER_SECONDS } from '../play/latency.js';

/** What a viewer's page knows of where the stream loses time, in seconds each; undefined: not known. */
export interface ViewerDelaySigns {
  /** Time since the server listed a new picture. */
  stillSeconds: number | undefined;
  /** Whether the server has pictures that it has not listed. */
  hasUnlisted: boolean;
  /** From the capture of the newest pictures to their being listed: no viewer is less late. */
  listedSeconds: number | undefined;
  /** From their arrival at the server to their being listed. */
  pipelineSeconds: number | undefined;
  /** From the capture of the picture on the screen here. */
  shownSeconds: number | undefined;
}

/** How late the picture is, and what causes it; `unknown`: the publisher or the server. */
export interface ViewerDelay {
  seconds: number;
  cause: 'publisher' | 'server' | 'viewer' | 'unknown';
}

/** The delay to show to the viewer; undefined while the picture is in time. */
export function viewerDelayOf(signs: ViewerDelaySigns): ViewerDelay | undefined {
  const { stillSeconds = 0, listedSeconds = 0, pipelineSeconds = 0, shownSeconds = 0 } = signs;
  const seconds = Math.max(stillSeconds, listedSeconds, shownSeconds);
  if (seconds < LATE_SECONDS) return undefined;
  if (stillSeconds >= LATE_SECONDS)
    return { seconds, cause: signs.hasUnlisted ? 'server' : 'unknown' };
  // Less than half of the delay arose before the pictures were listed.
  if (listedSeconds < seconds / 2) return { seconds, cause: 'viewer' };
  return { seconds, cause: pipelineSeconds > SLOW_SERVER_SECONDS ? 'server' : 'publisher' };
}
