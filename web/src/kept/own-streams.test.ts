import { describe, expect, test } from 'vitest';
import { OwnStreams } from './own-streams.js';
import { memoryStorage, sessionCalled } from '../testing/session-called.js';

const MINUTE = 60_000;
let now = 0;
const streams = () => new OwnStreams(memoryStorage(), () => now);
const idsOf = ({ all }: OwnStreams) => all.map(({ sessionId }) => sessionId);

describe('one’s own streams', () => {
  test('are known from the newest on, each once, for as long as there is something of them', () => {
    const own = streams();
    own.seen(sessionCalled('first'));
    now += MINUTE;
    own.seen(sessionCalled('second'));
    own.seen(sessionCalled('first'));
    expect(idsOf(own)).toEqual(['second', 'first']);
    own.ended(sessionCalled('first'));
    now += 9 * MINUTE;
    own.ended(sessionCalled('second'));
    expect(idsOf(own)).toEqual(['second', 'first']);
    now += 1.5 * MINUTE;
    expect(idsOf(own)).toEqual(['second']);
  });

  test('stay known as long as their recording is kept', () => {
    const own = streams();
    own.seen(sessionCalled('recorded', { recording: { url: '/r.mp4', keptHours: 1 } }));
    own.ended(sessionCalled('recorded'));
    now += 59 * MINUTE;
    expect(idsOf(own)).toEqual(['recorded']);
    now += 2 * MINUTE;
    expect(idsOf(own)).toEqual([]);
  });

  test('are forgotten when deleted, and of very many the oldest', () => {
    const own = streams();
    for (let n = 0; n < 60; n++) {
      now += 1;
      own.seen(sessionCalled(`s${n}`));
    }
    expect(own.all).toHaveLength(50);
    own.forget(sessionCalled('s59'));
    expect(idsOf(own).at(0)).toBe('s58');
    expect(idsOf(own).at(-1)).toBe('s10');
  });
});
