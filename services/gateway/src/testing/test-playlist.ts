/** A live playlist as the segmenter writes it, for tests. */
export interface TestPlaylist {
  firstMsn?: number;
  /** Whole segments, of one second each. */
  segments: number;
  /** Parts of the segment that is not whole yet. */
  openParts?: number;
  partsASegment?: number;
  ended?: boolean;
  /** Name of the hinted part; the next one unless told. */
  hint?: string;
}

/** The text of such a playlist: parts of 0.1 s are listed for the last three whole segments. */
export function testPlaylist(options: TestPlaylist): string {
  const { firstMsn = 0, segments, openParts = 0, partsASegment = 10, ended = false } = options;
  const open = firstMsn + segments;
  const partLine = (msn: number, part: number) =>
    `#EXT-X-PART:DURATION=0.10000,URI="${msn}.${part}.m4s"${part === 0 ? ',INDEPENDENT=YES' : ''}`;
  const partLines = (msn: number, count: number) =>
    Array.from({ length: count }, (_, part) => partLine(msn, part));
  const dateLine = (msn: number) =>
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(Date.UTC(2026, 0, 1, 0, 0, msn)).toISOString()}`;
  const segmentLines = (msn: number) => [
    dateLine(msn),
    ...(msn >= open - 3 ? partLines(msn, partsASegment) : []),
    '#EXTINF:1.00000,',
    `${msn}.m4s`,
  ];
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-TARGETDURATION:1',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.30000,HOLD-BACK=3.0,CAN-SKIP-UNTIL=6.0',
    '#EXT-X-PART-INF:PART-TARGET=0.10000',
    `#EXT-X-MEDIA-SEQUENCE:${firstMsn}`,
    '#EXT-X-DISCONTINUITY-SEQUENCE:0',
    '#EXT-X-MAP:URI="init-0.mp4"',
    ...Array.from({ length: segments }, (_, i) => segmentLines(firstMsn + i)).flat(),
    ...(openParts > 0 ? [dateLine(open), ...partLines(open, openParts)] : []),
    ended
      ? '#EXT-X-ENDLIST'
      : `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${options.hint ?? `${open}.${openParts}.m4s`}"`,
    '',
  ].join('\n');
}
