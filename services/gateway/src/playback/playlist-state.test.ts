import { describe, expect, test } from 'vitest';
import { testPlaylist } from '../testing/test-playlist.js';
import { readPlaylistState } from './playlist-state.js';

describe("a playlist's state is read from its text", () => {
  test('in the middle of a segment', () => {
    const text = testPlaylist({ firstMsn: 40, segments: 30, openParts: 4 });
    expect(readPlaylistState(text)).toEqual({
      firstMsn: 40,
      lastMsn: 69,
      partsOfLast: 10,
      openParts: 4,
      targetDuration: 1,
      partTarget: 0.1,
      skipUntil: 6,
      hintedPart: '70.4.m4s',
      ended: false,
    });
  });

  test('right after a whole segment', () => {
    const state = readPlaylistState(testPlaylist({ segments: 2 }));
    expect(state).toMatchObject({ lastMsn: 1, partsOfLast: 10, openParts: 0 });
    expect(state.hintedPart).toBe('2.0.m4s');
  });

  test('before the first whole segment', () => {
    const state = readPlaylistState(testPlaylist({ segments: 0, openParts: 3 }));
    expect(state).toMatchObject({ firstMsn: 0, lastMsn: -1, partsOfLast: 0, openParts: 3 });
  });

  test('after the end', () => {
    const state = readPlaylistState(testPlaylist({ segments: 5, ended: true }));
    expect(state).toMatchObject({ lastMsn: 4, ended: true, hintedPart: undefined });
  });

  test('of one without anything of low latency', () => {
    const text = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.m4s\n';
    expect(readPlaylistState(text)).toMatchObject({
      lastMsn: 0,
      partTarget: undefined,
      skipUntil: undefined,
      hintedPart: undefined,
      targetDuration: 4,
    });
  });
});
