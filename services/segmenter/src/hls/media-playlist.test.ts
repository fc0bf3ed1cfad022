import { describe, expect, test } from 'vitest';
import {
  nextPart,
  parsePlaylist,
  renderPlaylist,
  targetSeconds,
  type MediaPlaylist,
  type Segment,
} from './media-playlist.js';
import { CADENCE, CAPTURED_AT } from '../testing/cadence.js';
import { parseStrictly } from '../testing/strict-parser.js';

/** A segment of `parts` parts of three frames. */
function segment(msn: number, parts: number, changes: Partial<Segment> = {}): Segment {
  return {
    msn,
    uri: `${msn}.m4s`,
    init: 'init-0.mp4',
    discontinuity: false,
    capturedAt: CAPTURED_AT + msn * 1000,
    frames: parts * 3,
    parts: Array.from({ length: parts }, (_, part) => ({ uri: `${msn}.${part}.m4s`, frames: 3 })),
    complete: parts === 10,
    ...changes,
  };
}

const LIVE: MediaPlaylist = {
  segments: [
    segment(3, 10, { parts: [] }),
    segment(4, 4, { complete: true }),
    segment(5, 2, { init: 'init-1.mp4', discontinuity: true }),
  ],
  discontinuitySequence: 2,
  ended: false,
};

describe('the live playlist', () => {
  test('has all tags that a player needs, in the order of the draft', () => {
    expect(renderPlaylist(LIVE, CADENCE)).toBe(`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:1
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.30000,HOLD-BACK=3.0,CAN-SKIP-UNTIL=6.0
#EXT-X-PART-INF:PART-TARGET=0.10000
#EXT-X-MEDIA-SEQUENCE:3
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-MAP:URI="init-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:03.000Z
#EXTINF:1.00000,
3.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:04.000Z
#EXT-X-PART:DURATION=0.10000,URI="4.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.10000,URI="4.1.m4s"
#EXT-X-PART:DURATION=0.10000,URI="4.2.m4s"
#EXT-X-PART:DURATION=0.10000,URI="4.3.m4s"
#EXTINF:0.40000,
4.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:05.000Z
#EXT-X-PART:DURATION=0.10000,URI="5.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.10000,URI="5.1.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="5.2.m4s"
`);
  });

  test('ends with EXT-X-ENDLIST and hints at nothing then (4.4.5.3)', () => {
    const text = renderPlaylist(
      { ...LIVE, segments: LIVE.segments.slice(0, 2), ended: true },
      CADENCE,
    );
    expect(text).toMatch(/\n4\.m4s\n#EXT-X-ENDLIST\n$/);
    expect(text).not.toContain('PRELOAD-HINT');
  });

  test('lists only whole segments after its end', () => {
    const ended = { ...LIVE, segments: [segment(8, 10), segment(9, 10)], ended: true };
    const text = renderPlaylist(ended, CADENCE);
    expect(text).not.toContain('#EXT-X-PART:');
    expect(parsePlaylist(text, CADENCE).segments.map(({ uri }) => uri)).toEqual(['8.m4s', '9.m4s']);
  });

  test('hints at the first part of the next segment after a whole one (4.4.5.3)', () => {
    const whole = { ...LIVE, segments: [segment(7, 10)] };
    expect(nextPart(whole)).toEqual({ msn: 8, part: 0 });
    expect(renderPlaylist(whole, CADENCE)).toContain('TYPE=PART,URI="8.0.m4s"');
  });

  test('is read by an independent parser', () => {
    const parsed = parseStrictly(renderPlaylist(LIVE, CADENCE));
    expect(parsed.lowLatencyCompatibility).toMatchObject({
      canBlockReload: true,
      partHoldBack: 0.3,
      holdBack: 3,
      canSkipUntil: 6,
    });
    expect(parsed.partTargetDuration).toBe(0.1);
    expect(parsed.segments.map(({ mediaSequenceNumber }) => mediaSequenceNumber)).toEqual([
      3, 4, 5,
    ]);
  });

  test.each([
    [1, 0.1, 30, 1],
    [2, 0.2, 30, 2],
    [0.5, 0.1, 30, 1],
    [1.5, 0.5, 24, 2],
  ])(
    'holds players back as much as the draft requires, with segments of %d s and parts of %d s (4.4.3.8)',
    (segmentSeconds, partSeconds, fps, target) => {
      const cadence = {
        fps,
        framesPerBatch: partSeconds * fps,
        framesPerSegment: segmentSeconds * fps,
      };
      expect(targetSeconds(cadence)).toBe(target);
      const empty = { ...LIVE, segments: [segment(3, 10, { parts: [] })] };
      const parsed = parseStrictly(renderPlaylist(empty, cadence));
      const control = parsed.lowLatencyCompatibility;
      expect(control?.partHoldBack).toBeGreaterThanOrEqual(3 * partSeconds - 1e-9);
      expect(control?.holdBack).toBeGreaterThanOrEqual(3 * target);
      expect(control?.canSkipUntil).toBeGreaterThanOrEqual(6 * target);
    },
  );

  test.each([
    ['in the first segment of an encoder', LIVE],
    ['in the middle of a segment', { ...LIVE, segments: [segment(8, 10), segment(9, 4)] }],
    ['after a whole segment', { ...LIVE, segments: [segment(8, 10), segment(9, 10)] }],
    ['after its end', { ...LIVE, segments: [segment(8, 10, { parts: [] })], ended: true }],
    [
      'with a last segment of one frame',
      {
        ...LIVE,
        segments: [segment(8, 1, { frames: 1, parts: [], complete: true })],
        ended: true,
      },
    ],
  ])('is read back as it was, %s', (_, playlist: MediaPlaylist) => {
    expect(parsePlaylist(renderPlaylist(playlist, CADENCE), CADENCE)).toEqual(playlist);
  });
});
