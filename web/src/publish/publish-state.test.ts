import { describe, expect, test } from 'vitest';
import { sessionCalled } from '../testing/session-called.js';
import {
  isOnAir,
  nextPublishState,
  type PublishEvent,
  type PublishState,
} from './publish-state.js';

const session = sessionCalled('s1');
const shown = sessionCalled('preview');
const START: PublishEvent = { type: 'start', source: 'camera' };
const OPENED: PublishEvent = { type: 'source_opened' };
const STARTED: PublishEvent = { type: 'started', session };
const READY: PublishEvent = { type: 'playlist_ready' };
const DROPPED: PublishEvent = { type: 'connection_dropped', fault: 'connection' };
const RESUMED: PublishEvent = { type: 'resumed' };
const STOP: PublishEvent = { type: 'stop' };
const ENDED: PublishEvent = { type: 'ended', frames: 90 };
const GO_LIVE: PublishEvent = { type: 'go_live' };
/** The preview can be seen; then everyone can see it, or is about to. */
const PREVIEWED: PublishEvent[] = [START, OPENED, { type: 'started', session: shown }, READY];
const GOING_LIVE: PublishEvent[] = [...PREVIEWED, GO_LIVE, STARTED];
const LIVE: PublishEvent[] = [...GOING_LIVE, READY];

describe('a broadcast', () => {
  test('is a preview first, goes live when asked to, and ends when stopped', () => {
    expect(names(...LIVE, STOP, ENDED)).toEqual([
      ...['asking', 'connecting', 'starting', 'preview'],
      ...['connecting', 'starting', 'live', 'ending', 'ended'],
    ]);
  });

  test('is on air from Go live on, and never before', () => {
    const onAir = LIVE.map((_, n) => isOnAir(after(...LIVE.slice(0, n + 1))));
    expect(onAir).toEqual([false, false, false, false, true, true, true]);
    expect(isOnAir(after(...PREVIEWED, DROPPED))).toBe(false);
    expect(isOnAir(after(...LIVE, DROPPED))).toBe(true);
    expect(isOnAir(after(...LIVE, STOP, ENDED))).toBe(false);
    expect(after(START, OPENED, GO_LIVE).name).toBe('connecting');
  });

  test('leaves nothing to be watched where it was a preview', () => {
    const ranOut: PublishEvent = { type: 'source_ran_out' };
    for (const end of [STOP, ranOut, ENDED]) {
      expect(after(...PREVIEWED, end)).toEqual({ name: 'idle' });
      expect(after(...PREVIEWED, DROPPED, end)).toEqual({ name: 'idle' });
    }
  });

  test('that is stopped before the server has started it is idle again', () => {
    expect(after(START, STOP).name).toBe('idle');
    expect(after(START, OPENED, STOP).name).toBe('idle');
  });

  test('is what it was before when its lost connection is back', () => {
    expect(after(...GOING_LIVE, DROPPED, RESUMED)).toEqual(after(...GOING_LIVE));
    expect(after(...PREVIEWED, DROPPED, RESUMED)).toEqual(after(...PREVIEWED));
    expect(after(...LIVE, DROPPED, RESUMED)).toEqual(after(...LIVE));
  });

  test('that became playable while the connection was away is live when it is back', () => {
    expect(after(...GOING_LIVE, DROPPED, READY, RESUMED).name).toBe('live');
  });

  test('that a reload interrupted is on air, and goes on once its source is open', () => {
    const takeUp: PublishEvent = { type: 'take_up', source: 'camera', session };
    expect(isOnAir(after(takeUp))).toBe(true);
    expect(after(takeUp, OPENED)).toMatchObject({ name: 'reconnecting', session });
    expect(after(takeUp, OPENED, RESUMED)).toEqual({ name: 'live', session });
    expect(after(takeUp, OPENED, ENDED)).toMatchObject({ name: 'ended', session });
    expect(after(START, takeUp)).toEqual(after(START));
  });

  test('that is ending stays so while its connection is lost and found', () => {
    expect(after(...LIVE, STOP, DROPPED, RESUMED).name).toBe('ending');
  });

  test('tells whether its source ran out by itself', () => {
    const ranOut: PublishEvent = { type: 'source_ran_out' };
    expect(after(...LIVE, ranOut, ENDED)).toEqual({
      name: 'ended',
      session,
      frames: 90,
      sourceRanOut: true,
    });
    expect(after(...LIVE, STOP, ENDED)).toMatchObject({ sourceRanOut: false });
  });

  test('may be ended by the server without being asked', () => {
    expect(after(...LIVE, ENDED).name).toBe('ended');
  });

  test('fails with its problem from any state in which something was going on', () => {
    const problem: PublishEvent = { type: 'problem', problem: 'overloaded' };
    const failed = { name: 'failed', problem: 'overloaded' };
    for (let n = 1; n <= LIVE.length; n++)
      expect(after(...LIVE.slice(0, n), problem)).toEqual(failed);
    expect(after(...LIVE, DROPPED, problem)).toEqual(failed);
    expect(after(...LIVE, STOP, problem)).toEqual(failed);
  });

  test('that is over is not changed by what comes late', () => {
    const over = after(...LIVE, STOP, ENDED);
    for (const late of [READY, DROPPED, RESUMED, STOP, ENDED, STARTED, GO_LIVE]) {
      expect(nextPublishState(over, late)).toBe(over);
    }
  });

  test('can be started again after its end and after a failure, but not while it runs', () => {
    expect(after(START, { type: 'problem', problem: 'no_camera' }, START).name).toBe('asking');
    expect(after(...LIVE, STOP, ENDED, START).name).toBe('asking');
    expect(after(START, OPENED, START).name).toBe('connecting');
  });
});

function after(...events: PublishEvent[]): PublishState {
  return events.reduce<PublishState>(nextPublishState, { name: 'idle' });
}

function names(...events: PublishEvent[]): string[] {
  return events.map((_, index) => after(...events.slice(0, index + 1)).name);
}
