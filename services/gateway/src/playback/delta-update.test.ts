import { describe, expect, test } from 'vitest';
import { testPlaylist } from '../testing/test-playlist.js';
import { deltaUpdate } from './delta-update.js';

const SKIP_UNTIL = 6;

describe('a Playlist Delta Update (rfc8216bis 6.2.5.1)', () => {
  test('replaces what is older than the Skip Boundary, with its tags, by one EXT-X-SKIP', () => {
    const whole = testPlaylist({ firstMsn: 10, segments: 30, openParts: 4 });
    const kept = whole.slice(whole.indexOf('#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:33.000Z'));
    expect(deltaUpdate(whole, SKIP_UNTIL, 'YES')).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:9',
        '#EXT-X-TARGETDURATION:1',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.30000,HOLD-BACK=3.0,CAN-SKIP-UNTIL=6.0',
        '#EXT-X-PART-INF:PART-TARGET=0.10000',
        '#EXT-X-MEDIA-SEQUENCE:10',
        '#EXT-X-DISCONTINUITY-SEQUENCE:0',
        '#EXT-X-SKIP:SKIPPED-SEGMENTS=23',
        kept,
      ].join('\n'),
    );
  });

  test('is the playlist itself, in its own version, where nothing is so old', () => {
    const short = testPlaylist({ segments: 7, openParts: 4 });
    expect(deltaUpdate(short, SKIP_UNTIL, 'YES')).toBe(short);
    const empty = testPlaylist({ segments: 0, openParts: 1 });
    expect(deltaUpdate(empty, SKIP_UNTIL, 'YES')).toBe(empty);
  });

  test('keeps a change of initialization section or encoder that comes after the boundary', () => {
    const change = '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-1.mp4"\n';
    const date = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:35.000Z';
    const whole = testPlaylist({ firstMsn: 10, segments: 30 }).replace(date, change + date);
    const delta = deltaUpdate(whole, SKIP_UNTIL, 'YES');
    expect(delta).toContain(`34.m4s\n${change}${date}`);
    expect(delta).not.toContain('init-0.mp4');
  });

  test('4.4.5.2: tells version 2 that no date range was removed', () => {
    const whole = testPlaylist({ segments: 30 });
    expect(deltaUpdate(whole, SKIP_UNTIL, 'v2')).toContain(
      '\n#EXT-X-SKIP:SKIPPED-SEGMENTS=23,RECENTLY-REMOVED-DATERANGES=""\n',
    );
  });

  test('leaves a version that is higher as it is', () => {
    const whole = testPlaylist({ segments: 30 }).replace('VERSION:6', 'VERSION:12');
    expect(deltaUpdate(whole, SKIP_UNTIL, 'YES')).toContain('#EXT-X-VERSION:12\n');
  });
});
