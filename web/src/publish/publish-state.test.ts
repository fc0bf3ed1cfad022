import { describe, expect, test } from 'vitest';
import { nextPublishState, type PublishEvent, type PublishState } from './publish-state.js';

const session = { sessionId: 's1', playlistUrl: '/hls/s1/live.m3u8', watchUrl: '/watch/s1' };
const START: PublishEvent = { type: 'start', source: 'camera' };
const OPENED: PublishEvent = { type: 'source_opened' };
const STARTED: PublishEvent = { type: 'started', session };
const READY: PublishEvent = { type: 'playlist_ready' };
const DROPPED: PublishEvent = { type: 'connection_dropped' };
const RESUMED: PublishEvent = { type: 'resumed' };
const STOP: PublishEvent = { type: 'stop' };
const ENDED: PublishEvent = { type: 'ended', frames: 90 };

describe('a broadcast', () => {
  test('goes from idle over asking, connecting and starting to live, then ends when stopped', () => {
    expect(names(START, OPENED, STARTED, READY, STOP, ENDED)).toEqual([
      'asking',
      'connecting',
      'starting',
      'live',
      'ending',
      'ended',
    ]);
  });

  test('that is stopped before the server has started it is idle again', () => {
    expect(after(START, STOP).name).toBe('idle');
    expect(after(START, OPENED, STOP).name).toBe('idle');
  });

  test('is what it was before when its lost connection is back', () => {
    expect(names(START, OPENED, STARTED, DROPPED, RESUMED).slice(-2)).toEqual([
      'reconnecting',
      'starting',
    ]);
    expect(after(START, OPENED, STARTED, READY, DROPPED, RESUMED).name).toBe('live');
  });

  test('that became playable while the connection was away is live when it is back', () => {
    expect(after(START, OPENED, STARTED, DROPPED, READY, RESUMED).name).toBe('live');
  });

  test('that is ending stays so while its connection is lost and found', () => {
    expect(after(START, OPENED, STARTED, READY, STOP, DROPPED, RESUMED).name).toBe('ending');
  });

  test('tells whether its source ran out by itself', () => {
    const ranOut: PublishEvent = { type: 'source_ran_out' };
    expect(after(START, OPENED, STARTED, READY, ranOut, ENDED)).toEqual({
      name: 'ended',
      session,
      frames: 90,
      sourceRanOut: true,
    });
    expect(after(START, OPENED, STARTED, READY, STOP, ENDED)).toMatchObject({
      sourceRanOut: false,
    });
  });

  test('may be ended by the server without being asked', () => {
    expect(after(START, OPENED, STARTED, READY, ENDED).name).toBe('ended');
  });

  test('fails with its problem from any state in which something was going on', () => {
    const problem: PublishEvent = { type: 'problem', problem: 'overloaded' };
    const failed = { name: 'failed', problem: 'overloaded' };
    expect(after(START, problem)).toEqual(failed);
    expect(after(START, OPENED, problem)).toEqual(failed);
    expect(after(START, OPENED, STARTED, READY, DROPPED, problem)).toEqual(failed);
    expect(after(START, OPENED, STARTED, READY, STOP, problem)).toEqual(failed);
  });

  test('that is over is not changed by what comes late', () => {
    const over = after(START, OPENED, STARTED, READY, STOP, ENDED);
    for (const late of [READY, DROPPED, RESUMED, STOP, ENDED, STARTED]) {
      expect(nextPublishState(over, late)).toBe(over);
    }
  });

  test('can be started again after its end and after a failure, but not while it runs', () => {
    expect(after(START, { type: 'problem', problem: 'no_camera' }, START).name).toBe('asking');
    expect(after(START, OPENED, STARTED, STOP, ENDED, START).name).toBe('asking');
    expect(after(START, OPENED, START).name).toBe('connecting');
  });
});

function after(...events: PublishEvent[]): PublishState {
  return events.reduce<PublishState>(nextPublishState, { name: 'idle' });
}

function names(...events: PublishEvent[]): string[] {
  return events.map((_, index) => after(...events.slice(0, index + 1)).name);
}
