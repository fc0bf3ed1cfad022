import { describe, expect, test } from 'vitest';
import { statsOf } from '../testing/test-stats.js';
import { SearchLoad } from './search-load.js';

let now = 0;

/** The load after some sessions' stats: frames that went out, and how many of them unsearched. */
function loadAfter(...told: [sessionId: string, at: number, out: number, unsearched: number][]) {
  const load = new SearchLoad(() => now);
  for (const [sessionId, at, framesOut, framesUndetected] of told) {
    now = at;
    const stats = { ...statsOf(sessionId), framesOut, framesUndetected };
    load.receive({ type: 'stats', sessionId, stats });
  }
  return load;
}

describe('the detectors', () => {
  test('can bear another session while most frames are searched', () => {
    expect(loadAfter(['a', 0, 0, 0], ['a', 3_000, 90, 40]).isTooMuch).toBe(false);
  });

  test('cannot when most are not', () => {
    expect(loadAfter(['a', 0, 0, 0], ['a', 3_000, 90, 50]).isTooMuch).toBe(true);
  });

  test('are judged by all sessions together', () => {
    const told = (ofA: number, ofB: number) =>
      loadAfter(['a', 0, 0, 0], ['b', 0, 0, 0], ['a', 3_000, 90, ofA], ['b', 3_000, 90, ofB]);
    expect(told(0, 90).isTooMuch).toBe(false);
    expect(told(20, 90).isTooMuch).toBe(true);
  });

  test('are judged by the last seconds, and by sessions that run', () => {
    const late = loadAfter(['a', 0, 0, 0], ['a', 3_000, 90, 90], ['a', 8_000, 240, 90]);
    now = 8_100;
    expect(late.isTooMuch).toBe(false);
    const ended = loadAfter(['a', 0, 0, 0], ['a', 3_000, 90, 90]);
    expect(ended.isTooMuch).toBe(true);
    ended.receive({ type: 'ended', sessionId: 'a', frames: 90 });
    expect(ended.isTooMuch).toBe(false);
    const silent = loadAfter(['a', 0, 0, 0], ['a', 3_000, 90, 90]);
    now = 20_000;
    expect(silent.isTooMuch).toBe(false);
  });

  test('are not judged by a session of which no more frames come', () => {
    const gone = loadAfter(['a', 0, 0, 0], ['a', 2_000, 90, 90], ['a', 3_000, 90, 90]);
    expect(gone.isTooMuch).toBe(false);
  });

  test('are not judged by a few frames', () => {
    expect(loadAfter(['a', 0, 0, 0], ['a', 1_000, 30, 30]).isTooMuch).toBe(false);
  });
});
