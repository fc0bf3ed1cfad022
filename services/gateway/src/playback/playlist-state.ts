/** What is needed to decide on requests for a live playlist, read from its text. */
export interface PlaylistState {
  /** Media sequence number of the first segment listed. */
  firstMsn: number;
  /** Media sequence number of the last whole segment; `firstMsn - 1` if there is none yet. */
  lastMsn: number;
  /** How many parts of segment `lastMsn` are listed. */
  partsOfLast: number;
  /** How many parts there are of segment `lastMsn + 1`, which is not whole yet. */
  openParts: number;
  /** Seconds. */
  targetDuration: number;
  /** Seconds; undefined in a playlist without parts. */
  partTarget: number | undefined;
  /** The Skip Boundary in seconds; undefined if delta updates are not offered. */
  skipUntil: number | undefined;
  /** The URI of the part that EXT-X-PRELOAD-HINT names. */
  hintedPart: string | undefined;
  /** Whether there is an EXT-X-ENDLIST. */
  ended: boolean;
}

/** Reads a media playlist's state; for any other text, the state of an empty playlist. */
export function readPlaylistState(text: string): PlaylistState {
  const state: PlaylistState = {
    firstMsn: numberOf(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m, text) ?? 0,
    lastMsn: 0,
    partsOfLast: 0,
    openParts: 0,
    targetDuration: numberOf(/^#EXT-X-TARGETDURATION:(\d+)/m, text) ?? 1,
    partTarget: numberOf(/^#EXT-X-PART-INF:.*?PART-TARGET=([\d.]+)/m, text),
    skipUntil: numberOf(/^#EXT-X-SERVER-CONTROL:.*?CAN-SKIP-UNTIL=([\d.]+)/m, text),
    hintedPart: /^#EXT-X-PRELOAD-HINT:(?=.*TYPE=PART\b).*?URI="([^"]*)"/m.exec(text)?.[1],
    ended: /^#EXT-X-ENDLIST/m.test(text),
  };
  state.lastMsn = state.firstMsn - 1;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-PART:')) {
      state.openParts += 1;
    } else if (line !== '' && !line.startsWith('#')) {
      state.lastMsn += 1;
      state.partsOfLast = state.openParts;
      state.openParts = 0;
    }
  }
  return state;
}

function numberOf(pattern: RegExp, text: string): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
