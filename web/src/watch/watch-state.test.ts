import { describe, expect, test } from 'vitest';
import { nextLookInMs, nextWatchState, type SessionLook, type WatchState } from './watch-state.js';

describe('a viewer', () => {
  test('waits for a stream that has not started, then sees it live, then its end', () => {
    expect(after('starting')).toEqual({ name: 'not_started' });
    expect(after('starting', 'live')).toEqual({ name: 'live' });
    expect(after('starting', 'live', 'ended')).toEqual({
      name: 'ended',
      sawItLive: true,
      isRecorded: false,
    });
  });

  test('who comes late is told that it has ended', () => {
    expect(after('ended')).toEqual({ name: 'ended', sawItLive: false, isRecorded: false });
  });

  test('who comes late is told of the recording, where there is one', () => {
    const ending = { isRecorded: true, endedAt: 1_000, seconds: 60 };
    expect(nextWatchState({ name: 'looking' }, 'ended', ending)).toMatchObject(ending);
  });

  test('is told when there never was such a stream', () => {
    expect(after('not_found')).toEqual({ name: 'missing' });
  });

  test('is told that a stream is private, before it is live and when the link is revoked', () => {
    expect(after('not_allowed')).toEqual({ name: 'not_invited' });
    expect(after('live', 'not_allowed')).toEqual({ name: 'not_invited' });
    expect(after('live', 'not_allowed', 'no_answer')).toEqual({ name: 'not_invited' });
    expect(nextLookInMs(after('not_allowed'))).toBeUndefined();
  });

  test('is told of an end, not of a missing stream, when it vanishes after having been live', () => {
    expect(after('live', 'no_answer', 'not_found')).toEqual({
      name: 'ended',
      sawItLive: true,
      isRecorded: false,
    });
  });

  test('goes on when a server that did not answer is back', () => {
    expect(after('live', 'no_answer').name).toBe('unreachable');
    expect(after('live', 'no_answer', 'no_answer', 'live').name).toBe('live');
  });

  test('looks again only where something can still change, and never more than once a second', () => {
    const waits = (['starting', 'live', 'no_answer'] as const).map((look) =>
      nextLookInMs(after(look)),
    );
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1_000);
    expect(nextLookInMs(after('ended'))).toBeUndefined();
    expect(nextLookInMs(after('not_found'))).toBeUndefined();
  });
});

function after(...looks: SessionLook[]): WatchState {
  const looking: WatchState = { name: 'looking' };
  return looks.reduce<WatchState>((state, look) => nextWatchState(state, look), looking);
}
