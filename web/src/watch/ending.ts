import type { Stats } from '@facecast/shared/protocol/ingest-protocol';

/** What is known of the end of a stream. */
export interface Ending {
  /** Whether there is a recording. */
  isRecorded: boolean;
  /** When its last picture was taken, in milliseconds since 1970. */
  endedAt?: number | undefined;
  /** How long it was. */
  seconds?: number | undefined;
}

/** The end of a stream by its last stats; undefined: the server has none (any more). */
export function endingOf(stats: Stats | undefined): Ending {
  if (!stats) return { isRecorded: false };
  const { framesOut, fps, shown, recording } = stats;
  return {
    isRecorded: recording !== 'off',
    endedAt: shown && shown.since + (1000 * (framesOut - shown.sinceFrame)) / fps,
    seconds: framesOut / fps,
  };
}
