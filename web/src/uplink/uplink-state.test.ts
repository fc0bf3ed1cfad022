import { describe, expect, test } from 'vitest';
import { nextUplinkState, type UplinkEvent, type UplinkState } from './uplink-state.js';

const session = { sessionId: 's1', resumeToken: 'secret', resumeSeconds: 15 };
const STARTING: UplinkState = { name: 'starting' };
const OPEN: UplinkState = { name: 'open', session, isQuiet: false };
const QUIET: UplinkState = { name: 'open', session, isQuiet: true };
const LOST: UplinkState = { name: 'lost', session, sinceMs: 1_000, tries: 0, trouble: undefined };
const OVER: UplinkState = { name: 'over' };

const lostAt = (atMs: number): UplinkEvent => ({ type: 'socket_lost', atMs });
const refused = (
  problem: Extract<UplinkEvent, { type: 'refused' }>['problem'],
  { atMs = 1_000, isStopping = false } = {},
): UplinkEvent => ({ type: 'refused', problem, atMs, isStopping });

/** The state after some events, and all that was told on the way. */
function after(state: UplinkState, ...events: UplinkEvent[]) {
  let now = state;
  const news = events.flatMap((event) => {
    const step = nextUplinkState(now, event);
    now = step.state;
    return step.news ? [step.news] : [];
  });
  return { state: now, news };
}

const problemOf = (state: UplinkState, ...events: UplinkEvent[]) => {
  const { state: then, news } = after(state, ...events);
  const last = news.at(-1);
  return then.name === 'over' && last?.type === 'problem' ? last.problem : undefined;
};

describe('before the session', () => {
  test('a lost socket is a server that cannot be reached, and a refusal is final', () => {
    expect(problemOf(STARTING, lostAt(0))).toBe('unreachable');
    expect(problemOf(STARTING, refused('overloaded'))).toBe('overloaded');
  });

  test('started opens the way', () => {
    expect(after(STARTING, { type: 'started', session })).toEqual({ state: OPEN, news: [] });
  });
});

describe('a lost connection', () => {
  test('is told once, and so is its return', () => {
    const { state, news } = after(OPEN, lostAt(1_000), lostAt(2_000), { type: 'resumed' });
    expect(state).toEqual(OPEN);
    expect(news).toEqual([{ type: 'dropped', fault: 'connection' }, { type: 'resumed' }]);
  });

  test('that was quiet before was told already', () => {
    expect(after(QUIET, lostAt(1_000))).toEqual({ state: LOST, news: [] });
  });

  test('is tried again for as long as the server keeps the session', () => {
    expect(after(LOST, lostAt(15_999)).state).toMatchObject({ name: 'lost', tries: 1 });
    expect(problemOf(LOST, lostAt(16_000))).toBe('connection_lost');
    const patient = { ...LOST, session: { ...session, resumeSeconds: 60 } };
    expect(after(patient, lostAt(60_999)).state).toMatchObject({ name: 'lost', tries: 1 });
  });

  test('of a session that is gone says why, as far as that is known', () => {
    expect(problemOf(LOST, refused('not_found'))).toBe('session_gone');
    expect(problemOf(LOST, refused('not_found', { isStopping: true }))).toBe('end_unconfirmed');
    expect(problemOf(OPEN, refused('internal'), refused('not_found'))).toBe('internal');
  });
});

describe('a server in trouble', () => {
  test('is no end of the session', () => {
    const { state, news } = after(OPEN, refused('internal'), refused('overloaded'));
    expect(state).toMatchObject({ name: 'lost', tries: 1, trouble: 'overloaded' });
    expect(news).toEqual([{ type: 'dropped', fault: 'server' }]);
  });

  test('is what is told if it lasts', () => {
    expect(problemOf(OPEN, refused('internal'), lostAt(16_000))).toBe('internal');
  });

  test('is not what refuses a session that runs: that is over', () => {
    expect(problemOf(OPEN, refused('overloaded'))).toBe('overloaded');
    expect(problemOf(OPEN, refused('not_found'))).toBe('not_found');
  });

  test('that says nothing for a while is told, and that it goes on', () => {
    const { state, news } = after(OPEN, { type: 'quiet' }, { type: 'quiet' }, { type: 'heard' });
    expect(state).toEqual(OPEN);
    expect(news).toEqual([{ type: 'dropped', fault: 'server' }, { type: 'resumed' }]);
  });
});

test('once it is over, nothing is told', () => {
  const events: UplinkEvent[] = [
    ...[{ type: 'closed' } as const, lostAt(0), refused('internal'), { type: 'resumed' } as const],
    { type: 'failed', problem: 'uplink_too_slow' },
  ];
  expect(after(OPEN, ...events)).toEqual({ state: OVER, news: [] });
});
